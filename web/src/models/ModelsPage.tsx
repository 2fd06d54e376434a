import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { dollars, type Group, summaryQuery } from "../api/llm";
import { seriesToken } from "../charts/colours";
import { condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import { rangeLabel } from "../frame/range";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { duration } from "../format/duration";
import { percent, usd } from "../format/money";
import { count, short } from "../format/number";
import { Failed } from "../parts/Failed";
import { Money } from "../parts/Money";
import { type Column, Table } from "../parts/Table";
import { AnyTrace } from "../traces/AnyTrace";
import { Compare } from "./Compare";
import { ModelDetail } from "./ModelDetail";
import "./models.css";
import { MODELS, type ModelsSearch, picked, pickOf, readModels } from "./search";

const COMPARED = 3; // unless one chooses
const MOST = 8;

/** Every model: what it costs, how fast it is, how often it fails; some side by side over time. */
export function ModelsPage() {
  const search = useSearch({ from: "/models" });
  const navigate = useNavigate();
  const { data, error } = useQuery(summaryQuery(search, MODELS));
  const change = (part: Partial<Record<keyof ModelsSearch, string | undefined>>) => void navigate({ to: "/models", search: (old) => readModels({ ...old, ...part }) });
  const sort = search.sort ?? "-cost";
  const rows = useMemo(() => data && sorted(data.items, sort), [data, sort]);
  const chosen = picked(search) ?? [...new Set((data?.items ?? []).map(nameOf))].slice(0, COMPARED);
  const toggle = (name: string) => {
    const next = chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name].slice(-MOST);
    change({ pick: next.length ? pickOf(next) : undefined });
  };

  const columns: Column<Group>[] = [
    {
      key: "model",
      label: "model",
      sort: "model",
      render: (row) => {
        const name = nameOf(row);
        const rank = chosen.indexOf(name);
        return (
          <span className="model-name">
            <input type="checkbox" aria-label={`compare ${name}`} checked={rank >= 0} onChange={() => toggle(name)} style={{ accentColor: rank < 0 ? undefined : `var(--${seriesToken(rank)})` }} />
            <button type="button" className="link" aria-expanded={search.model === keyOf(row)} onClick={() => change({ model: search.model === keyOf(row) ? undefined : keyOf(row) })}>
              {name}
            </button>{" "}
            <span className="faint">{row.group.provider}</span>
          </span>
        );
      },
    },
    { key: "calls", label: "calls", right: true, sort: "calls", render: (row) => <RowsLink range={search} of="calls" q={condition("model_name", nameOf(row))} title={count(row.calls)}>{short(row.calls)}</RowsLink> },
    {
      key: "errors",
      label: "failed",
      right: true,
      sort: "errors",
      render: (row) =>
        row.errors === 0 ? (
          <span className="faint">0 %</span>
        ) : (
          <RowsLink range={search} of="calls" q={`${condition("model_name", nameOf(row))} status:error`} className="is-error" title={count(row.errors)}>
            {percent(row.error_rate)}
          </RowsLink>
        ),
    },
    { key: "p50", label: "p50", title: "latency: half of the calls took no longer", right: true, sort: "p50", render: (row) => time(row.latency_ms.p50) },
    { key: "p95", label: "p95", title: "latency: 95 % of the calls took no longer", right: true, sort: "p95", render: (row) => time(row.latency_ms.p95) },
    { key: "ttft", label: "first token", title: "half of the calls that streamed gave their first token sooner", right: true, sort: "ttft", render: (row) => time(row.ttft_ms.p50) },
    { key: "speed", label: "tokens/s", title: "half of the calls were faster", right: true, sort: "speed", render: (row) => (row.tokens_per_second.p50 == null ? <span className="faint">—</span> : short(Math.round(row.tokens_per_second.p50))) },
    { key: "input", label: "in", title: "tokens in", right: true, sort: "input", render: (row) => <span title={count(Number(row.input_tokens))}>{short(Number(row.input_tokens))}</span> },
    { key: "cached", label: "cached", title: "share of the input that was read from a cache", right: true, render: (row) => percent(Number(row.input_tokens) > 0 ? Number(row.cache_read_tokens) / Number(row.input_tokens) : null) },
    { key: "output", label: "out", title: "tokens out", right: true, sort: "output", render: (row) => <span title={count(Number(row.output_tokens))}>{short(Number(row.output_tokens))}</span> },
    { key: "each", label: "per call", title: "spend divided by the calls that have a price", right: true, render: (row) => perCall(row) },
    { key: "cost", label: "spend", right: true, sort: "cost", render: (row) => <Money value={row.total_cost_usd} unpriced={row.unpriced_calls} said="sign" /> },
  ];

  return (
    <>
      <TopBar title="Models">
        <TimeRange search={search} onChange={({ range, from, to }) => change({ range, from, to })} />
      </TopBar>
      <AnyTrace>
        <Failed error={data ? null : error} what="The models could not be read">
          <div className="page">
            {chosen.length > 0 && rows && rows.length > 0 && (
              <Compare range={search} models={chosen} onBrush={(from, to) => change({ range: undefined, from: new Date(from).toISOString(), to: new Date(to).toISOString() })} />
            )}
            <Table
              label="models"
              columns={columns}
              rows={rows}
              rowKey={keyOf}
              sort={sort}
              onSort={(next) => change({ sort: next })}
              here={search.model ?? null}
              after={(row) => (search.model === keyOf(row) ? <ModelDetail range={search} model={nameOf(row)} provider={row.group.provider ?? null} /> : null)}
            />
            {rows?.length === 0 && <p className="page-note">No calls in {rangeLabel(search)}.</p>}
            {data && rows && rows.length > 0 && (
              <p className="page-note">
                {count(data.totals.calls)} calls in {rangeLabel(search)}: {data.population}. {data.notes.join("; ")}.
              </p>
            )}
          </div>
        </Failed>
      </AnyTrace>
    </>
  );
}

function nameOf(row: Group): string {
  return row.group.model ?? "unknown";
}

function keyOf(row: Group): string {
  return `${row.group.provider ?? ""}/${nameOf(row)}`;
}

function time(value: number | null) {
  return value === null ? <span className="faint">—</span> : duration(value);
}

function perCall(row: Group) {
  const priced = row.calls - row.unpriced_calls;
  return row.total_cost_usd === null || priced <= 0 ? <span className="faint">—</span> : usd(dollars(row.total_cost_usd) / priced);
}

const VALUES: Record<string, (row: Group) => number> = {
  calls: (row) => row.calls,
  errors: (row) => row.error_rate ?? -1,
  p50: (row) => row.latency_ms.p50 ?? -1,
  p95: (row) => row.latency_ms.p95 ?? -1,
  ttft: (row) => row.ttft_ms.p50 ?? -1,
  speed: (row) => row.tokens_per_second.p50 ?? -1,
  input: (row) => Number(row.input_tokens),
  output: (row) => Number(row.output_tokens),
  cost: (row) => (row.total_cost_usd === null ? -1 : dollars(row.total_cost_usd)),
};

function sorted(rows: readonly Group[], sort: string): Group[] {
  const sign = sort.startsWith("-") ? -1 : 1;
  const value = VALUES[sort.replace(/^-/, "")];
  return [...rows].sort((a, b) => sign * (value ? value(a) - value(b) : -nameOf(b).localeCompare(nameOf(a))) || keyOf(a).localeCompare(keyOf(b)));
}
