import { dollars, type Figures } from "../api/llm";
import { RowsLink } from "../explore/link";
import { type Range, rangeLabel } from "../frame/range";
import { percent, usd } from "../format/money";
import { short } from "../format/number";
import { Money } from "../parts/Money";

const PARTS = [
  ["input", "input_cost_usd", "series-1"],
  ["read from cache", "cache_read_cost_usd", "series-5"],
  ["written to cache", "cache_write_cost_usd", "series-7"],
  ["output", "output_cost_usd", "series-2"],
  ["fees", "other_cost_usd", "series-other"],
] as const;

/** What the money of a time range was for. */
export function Parts({ totals, range }: { totals: Figures | undefined; range: Range }) {
  const whole = dollars(totals?.total_cost_usd);
  return (
    <section className="parts" aria-busy={totals === undefined}>
      <div className="section-head">
        <h2>
          <RowsLink range={range} of="calls" sort="-cost">
            <Money value={totals?.total_cost_usd} unpriced={totals?.unpriced_calls ?? 0} />
          </RowsLink>{" "}
          in {rangeLabel(range)}
        </h2>
        {totals && (
          <span className="faint">
            {short(Number(totals.input_tokens))} tokens in, {short(Number(totals.cache_read_tokens))} of them from a cache · {short(Number(totals.output_tokens))} out
          </span>
        )}
      </div>
      <div className="parts-bar" aria-hidden="true">
        {totals && PARTS.map(([name, key, token]) => <i key={name} style={{ width: `${whole > 0 ? (100 * dollars(totals[key])) / whole : 0}%`, background: `var(--${token})` }} />)}
      </div>
      <ul className="legend parts-legend">
        {totals &&
          PARTS.filter(([, key]) => dollars(totals[key]) > 0).map(([name, key, token]) => (
            <li key={name}>
              <i style={{ background: `var(--${token})` }} aria-hidden="true" />
              {name} <span className="number">{usd(totals[key])}</span> <span className="faint">{percent(whole > 0 ? dollars(totals[key]) / whole : null)}</span>
            </li>
          ))}
      </ul>
    </section>
  );
}
