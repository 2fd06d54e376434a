import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/client";
import { dollars, summaryQuery } from "../api/llm";
import { all, condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import type { Range } from "../frame/range";
import { count, short } from "../format/number";
import { BarList } from "../parts/BarList";
import { Money } from "../parts/Money";

/** One model: the price that applies now, how its answers ended, who calls it. */
export function ModelDetail({ range, model, provider }: { range: Range; model: string; provider: string | null }) {
  const q = all(condition("model_name", model), provider === null ? undefined : condition("provider", provider));
  const finish = useQuery(summaryQuery(range, { by: ["finish_reason"], filter: q, order: "-calls", limit: 8 })).data;
  const applications = useQuery(summaryQuery(range, { by: ["application"], filter: q, limit: 6 })).data;
  const most = finish?.totals.calls ?? 0;
  return (
    <div className="model-detail">
      <Price model={model} provider={provider} />
      <BarList
        title="How answers ended"
        head="calls"
        none="No calls."
        rows={finish?.items.map((item) => ({
          key: item.group.finish_reason ?? "",
          name: (
            <RowsLink range={range} of="calls" q={all(q, condition("finish", item.group.finish_reason ?? null))}>
              {item.group.finish_reason ?? <span className="faint">nothing was said</span>}
            </RowsLink>
          ),
          size: item.calls,
          value: <span title={`of ${count(most)}`}>{short(item.calls)}</span>,
        }))}
      />
      <BarList
        title="Who calls it"
        head="spend"
        aside="calls"
        none="No calls."
        rows={applications?.items.map((item) => ({
          key: item.group.application ?? "",
          name: (
            <RowsLink range={range} of="calls" q={all(q, condition("application", item.group.application ?? null))}>
              {item.group.application ?? "without application"}
            </RowsLink>
          ),
          size: dollars(item.total_cost_usd),
          value: <Money value={item.total_cost_usd} unpriced={item.unpriced_calls} said="sign" />,
          aside: short(item.calls),
        }))}
      />
    </div>
  );
}

const UNITS: Record<string, string> = {
  input: "input",
  output: "output",
  cache_read: "read from cache",
  cache_write: "written to cache",
  cache_write_1h: "written to cache for an hour",
  reasoning: "reasoning",
  input_audio: "input of sound",
  output_audio: "output of sound",
  cache_audio_read: "sound from cache",
  per_request: "per request",
  per_second: "per second",
};

function Price({ model, provider }: { model: string; provider: string | null }) {
  const { data } = useQuery({
    queryKey: ["price", model, provider],
    queryFn: ({ signal }) => ask("/api/v1/prices", { model, provider: provider === "unknown" ? null : provider }, signal),
    staleTime: 60_000,
  });
  const price = data?.items[0];
  return (
    <section className="price" aria-busy={data === undefined}>
      <h3>Price now</h3>
      {data && !price && <p className="muted">No price is known for this model, so its calls have no cost. `observatory prices` and `prices.override` in the configuration say how to give it one.</p>}
      {price?.free && <p>It costs nothing.</p>}
      {price && !price.free && (
        <dl>
          {Object.entries(price.usd_per_million).map(([unit, dollars]) => (
            <div key={unit}>
              <dt>{UNITS[unit] ?? unit}</dt>
              <dd className="number">
                ${dollars} {unit.startsWith("per_") ? "" : <span className="faint">/ million</span>}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {price?.above.map((step) => (
        <p key={step.input_tokens} className="faint">
          above {short(step.input_tokens)} tokens of input: {Object.entries(step.usd_per_million).map(([unit, dollars]) => `${UNITS[unit] ?? unit} $${dollars ?? ""}`).join(", ")}
        </p>
      ))}
      {price && (
        <p className="faint">
          <code>{price.source}</code>
          {price.service_tiers.length > 0 && `; other prices for ${price.service_tiers.join(", ")}`}
        </p>
      )}
    </section>
  );
}
