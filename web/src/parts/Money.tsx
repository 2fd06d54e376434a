import { exactUsd, usd } from "../format/money";
import { count } from "../format/number";

/** A sum of money, exact on hover. Calls without a price are said beside it: the sum is too small by what they cost, and nothing known is `—`. */
export function Money({ value, unpriced = 0 }: { value: string | null | undefined; unpriced?: number }) {
  return (
    <span className="money number" title={unpriced > 0 ? `${exactUsd(value)}; ${count(unpriced)} calls have no known price` : exactUsd(value)}>
      {usd(value)}
      {unpriced > 0 && <span className="tag is-unpriced">{value == null ? "unpriced" : `+ ${count(unpriced)} unpriced`}</span>}
    </span>
  );
}
