import { queryOptions, useQuery } from "@tanstack/react-query";
import { get } from "../api/client";
import type { TreeSpan } from "../api/types";
import { count } from "../format/number";
import { arithmetic, type PricedCall } from "./cost";
import { whyNotCounted } from "./figures";

/** The call that a span is, with the parts of its cost: the list of calls that start in its nanosecond. */
function callQuery(traceId: string, span: TreeSpan) {
  const start = BigInt(span.start_ns);
  return queryOptions({
    queryKey: ["call", traceId, span.span_id],
    queryFn: async ({ signal }) => {
      const page = await get<{ items: PricedCall[] }>("llm/calls", { from: String(start), to: String(start + 1n), counted: "all", limit: 1000 }, signal);
      return page.items.find((each) => each.span_id === span.span_id && each.trace_id === traceId) ?? null;
    },
    staleTime: 10_000,
  });
}

const UNPRICED: Record<string, string> = {
  unknown_model: "no table and no override has a price for this model",
  no_usage: "the call reports no usage that could be priced",
};

/** How the cost of a call came about: tokens × price, part by part, and where the price is from. */
export function Cost({ traceId, span }: { traceId: string; span: TreeSpan }) {
  const { data: call, isPending, error } = useQuery(callQuery(traceId, span));
  if (isPending) return <span className="skeleton" style={{ width: "40%" }} />;
  if (error) return <p className="muted">The cost could not be read: {error.message}</p>;
  if (call === null) return <p className="faint">This span is no call of a model, so it costs nothing by itself.{span.subtree ? ` What is below it costs $${span.subtree.total_cost_usd ?? "—"}.` : ""}</p>;
  const lines = arithmetic(call);
  return (
    <div className="cost">
      {!call.counted && (
        <p className="cost-note">
          <s>Not added to any sum</s>: {whyNotCounted(call.not_counted_reason ?? undefined)}.
        </p>
      )}
      {call.counted && call.unpriced_reason !== null && (
        <p className="cost-note">
          <span className="unpriced">unpriced</span> {UNPRICED[call.unpriced_reason] ?? call.unpriced_reason}. An override under <code>[[prices.override]]</code> can state it.
        </p>
      )}
      {lines.length > 0 && (
        <table className="cost-table">
          <thead>
            <tr>
              <th scope="col">part</th>
              <th scope="col">tokens</th>
              <th scope="col">$ per million</th>
              <th scope="col">cost</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.part}>
                <th scope="row">{line.part}</th>
                <td className="number">{line.tokens === null ? "" : count(line.tokens)}</td>
                <td className="number" title={line.exact ? undefined : "the mean of several prices: sound, tiers or reasoning have their own"}>
                  {line.perMillion === null ? "" : `× ${line.exact ? "" : "≈ "}${line.perMillion}`}
                </td>
                <td className="number">= ${line.cost}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">total</th>
              <td className="number">{count(Number(call.input_tokens ?? 0) + Number(call.output_tokens ?? 0))}</td>
              <td />
              <td className="number">{call.total_cost_usd === null ? "—" : `$${call.total_cost_usd}`}</td>
            </tr>
          </tfoot>
        </table>
      )}
      <dl className="facts cost-facts">
        {call.model_name !== null && <Fact name="model" text={call.model_name} />}
        {call.provider !== null && <Fact name="provider" text={call.provider} />}
        {call.price_source !== null && <Fact name="price from" text={call.price_source} />}
        {call.service_tier !== null && <Fact name="service tier" text={call.service_tier} />}
        {Number(call.reasoning_tokens ?? 0) > 0 && <Fact name="reasoning tokens" text={count(Number(call.reasoning_tokens))} />}
        {call.reported_cost_usd !== null && <Fact name="the client reports" text={`$${call.reported_cost_usd}`} />}
      </dl>
    </div>
  );
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}
