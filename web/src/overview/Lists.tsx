import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ask } from "../api/client";
import { dollars, errorsQuery, FRESH_MS } from "../api/llm";
import { all, condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import { type Range, windowParams } from "../frame/range";
import { duration } from "../format/duration";
import { count, short } from "../format/number";
import { BarList } from "../parts/BarList";
import { Counted } from "../parts/Counted";
import { Money } from "../parts/Money";

const SHOWN = 6;

/** The traces and failures to look at first. */
export function Lists({ range }: { range: Range }) {
  const dearest = useTop(range, "-cost")?.filter((item) => item.total_cost_usd !== null);
  const slowest = useTop(range, "-duration");
  const errors = useQuery(errorsQuery(range, { limit: SHOWN })).data;
  return (
    <div className="overview-row">
      <BarList
        title="Costliest traces"
        head="cost"
        aside="calls"
        none="No trace with a known cost in this time range."
        more={<RowsLink range={range} sort="-cost">all by cost</RowsLink>}
        rows={dearest?.map((item) => ({
          key: item.trace_id,
          name: <TraceLink {...item} />,
          size: dollars(item.total_cost_usd),
          value: <Money value={item.total_cost_usd} unpriced={item.unpriced_calls} said="sign" />,
          aside: count(item.llm_calls),
        }))}
      />
      <BarList
        title="Slowest traces"
        head="duration"
        aside="spans"
        none="No trace in this time range."
        more={<RowsLink range={range} sort="-duration">all by duration</RowsLink>}
        rows={slowest?.map((item) => ({ key: item.trace_id, name: <TraceLink {...item} />, size: item.duration_ms, value: duration(item.duration_ms), aside: short(item.span_count) }))}
      />
      <BarList
        title="Most frequent errors"
        head="failures"
        none="Nothing failed in this time range."
        more={<Link to="/errors" search={range}>{errors && errors.groups > SHOWN ? `all ${count(errors.groups)} kinds of errors` : "all errors"}</Link>}
        rows={errors?.items.map((item) => ({
          key: [item.service_name, item.name, item.error_type, item.pattern].join("\n"),
          name: (
            <RowsLink range={range} of="spans" q={all("status:error", condition("name", item.name), item.service_name === null ? undefined : condition("service", item.service_name))} title={item.message ?? undefined}>
              {item.error_type && <span className="is-error">{item.error_type} </span>}
              <span className="muted">{item.name}</span>
            </RowsLink>
          ),
          size: item.count,
          value: <Counted value={item.count} error={item.standard_error?.count} />,
        }))}
      />
    </div>
  );
}

function useTop(range: Range, sort: "-cost" | "-duration") {
  const { range: name, from, to } = range;
  return useQuery({
    queryKey: ["top-traces", { name, from, to }, sort],
    queryFn: async ({ signal }) => (await ask("/api/v1/traces", { ...windowParams(range, Date.now()), sort, limit: SHOWN }, signal)).items,
    staleTime: FRESH_MS,
    refetchInterval: to === undefined ? 3 * FRESH_MS : false,
  }).data;
}

function TraceLink({ trace_id, root_name, service_name }: { trace_id: string; root_name: string; service_name: string | null }) {
  return (
    <Link to="/traces/$traceId" params={{ traceId: trace_id }} title={trace_id}>
      {root_name || "(no name)"} <span className="faint">{service_name}</span>
    </Link>
  );
}
