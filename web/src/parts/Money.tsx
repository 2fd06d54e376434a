import { exactUsd, usd } from "../format/money";
import { count, short } from "../format/number";

/** A sum of money, exact on hover. Calls without a price are said beside it: the sum is too small by what they cost, and nothing known is `—`. `brief`: a plus stands for them. */
export function Money({ value, unpriced = 0, brief = false }: { value: string | null | undefined; unpriced?: number; brief?: boolean }) {
  return (
    <span className="money number" title={unpriced > 0 ? `${exactUsd(value)}; ${count(unpriced)} calls have no known price` : exactUsd(value)}>
      {usd(value)}
      {unpriced > 0 && <span className="tag is-unpriced">{value == null ? "unpriced" : brief ? "+" : `+ ${count(unpriced)} unpriced`}</span>}
    </span>
  );
}

/** Calls that a sum lacks, because they have no price. */
export function UnpricedTag({ calls = 0 }: { calls?: number | undefined }) {
  if (calls === 0) return null;
  return (
    <span className="tag is-unpriced is-first" title={`${count(calls)} calls have no known price, so the sum is too small by what they cost`}>
      + {short(calls)} unpriced
    </span>
  );
}
