import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { forecastQuery, type Summed, summaryQuery } from "../api/llm";
import { RowsLink } from "../explore/link";
import { type Range, rangeLabel } from "../frame/range";
import { duration } from "../format/duration";
import { exactUsd, percent, usd } from "../format/money";
import { count, short } from "../format/number";
import { Change, Figure } from "../parts/Figure";
import { Money } from "../parts/Money";

/** One line of figures: what was spent today and this month, then the calls of the time range. */
export function Headline({ range, over }: { range: Range; over: Summed | undefined }) {
  const before = useQuery({ ...summaryQuery(range, { before: true }), enabled: over !== undefined && range.range !== "all" }).data?.totals;
  const totals = over?.totals;
  const items = over?.items ?? [];
  const loading = totals === undefined;
  const of = `the ${range.from === undefined ? rangeLabel(range).replace("last ", "") : "same time"} before`;
  return (
    <div className="figures">
      <Spending />
      <Figure
        name="calls"
        loading={loading}
        value={totals && short(totals.calls)}
        title={totals && count(totals.calls)}
        spark={items.map((item) => item.calls)}
        link={(said) => (
          <RowsLink range={range} of="calls">
            {said}
          </RowsLink>
        )}
      >
        {totals && <Change now={totals.calls} before={before?.calls} of={of} />}
      </Figure>
      <Figure
        name="failed calls"
        loading={loading}
        value={<span className={totals?.errors ? "is-error" : undefined}>{percent(totals?.error_rate)}</span>}
        spark={items.map((item) => item.errors)}
        link={(said) => (
          <RowsLink range={range} of="calls" q="status:error">
            {said}
          </RowsLink>
        )}
      >
        {totals && `${count(totals.errors)} calls`}
      </Figure>
      <Figure
        name="latency p95"
        loading={loading}
        value={milliseconds(totals?.latency_ms.p95)}
        spark={items.map((item) => item.latency_ms.p95)}
        link={(said) => (
          <RowsLink range={range} of="calls" sort="-duration">
            {said}
          </RowsLink>
        )}
      >
        {totals && `p50 ${milliseconds(totals.latency_ms.p50)}`}
      </Figure>
      <Figure name="first token p50" loading={loading} value={milliseconds(totals?.ttft_ms.p50)} spark={items.map((item) => item.ttft_ms.p50)}>
        {totals && (totals.ttft_ms.p95 === null ? "no call streamed" : `p95 ${milliseconds(totals.ttft_ms.p95)}`)}
      </Figure>
      <Figure
        name="tokens"
        loading={loading}
        value={totals && short(Number(totals.total_tokens))}
        title={totals && count(Number(totals.total_tokens))}
        spark={items.map((item) => Number(item.total_tokens))}
        link={(said) => (
          <RowsLink range={range} of="calls" sort="-tokens">
            {said}
          </RowsLink>
        )}
      >
        {totals?.tokens_per_second.p50 != null && `${short(Math.round(totals.tokens_per_second.p50))} tokens/s p50`}
      </Figure>
    </div>
  );
}

/** Today and this month, whatever the time range: budgets are thought of so. */
function Spending() {
  const { data } = useQuery(forecastQuery);
  const latest = data?.days.findLast((day) => day.calls !== undefined);
  const yesterday = data?.days[data.days.findIndex((day) => day === latest) - 1];
  const forecast = data?.forecast;
  return (
    <>
      <Figure
        name="spend today"
        loading={data === undefined}
        value={<Money value={latest?.spent_usd} unpriced={latest?.unpriced_calls ?? 0} said="sign" />}
        link={(said) => (
          <RowsLink range={{ from: startOfDay() }} of="calls" sort="-cost">
            {said}
          </RowsLink>
        )}
      >
        {yesterday && yesterday.spent_usd !== null ? `yesterday ${usd(yesterday.spent_usd)}` : "since midnight"}
      </Figure>
      <Figure
        name="spend this month"
        loading={data === undefined}
        value={<Money value={data?.spent_usd} unpriced={data?.unpriced_calls ?? 0} said="sign" />}
        link={(said) => <Link to="/cost">{said}</Link>}
      >
        {forecast ? (
          <span title={`${exactUsd(forecast.low_usd)} to ${exactUsd(forecast.high_usd)} in ${percent(forecast.interval)} of futures; ${data.method}`}>
            ≈ {usd(forecast.total_usd)} by its end
          </span>
        ) : (
          <span title={data?.reason ?? undefined}>no forecast yet</span>
        )}
      </Figure>
    </>
  );
}

function startOfDay(): string {
  const date = new Date();
  date.setHours(0, 0, 0, 0);
  return date.toISOString();
}

function milliseconds(value: number | null | undefined): string {
  return value == null ? "—" : duration(value);
}
