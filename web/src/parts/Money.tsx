import { exactUsd, usd } from "../format/money";
import { count, short } from "../format/number";

const SAID = {
  count: (calls: number) => `+ ${count(calls)} unpriced`,
  sign: () => "+", // where many stand below each other
};

interface Props {
  value: string | null | undefined;
  unpriced?: number; // calls without a price
  said?: keyof typeof SAID; // how they are said; the number is always there on hover
}

/** A sum of money, exact on hover. Calls without a price are said beside it: the sum is too small by what they cost, and nothing known is `—`. */
export function Money({ value, unpriced = 0, said = "count" }: Props) {
  return (
    <span className="money number" title={unpriced > 0 ? `${exactUsd(value)}; ${count(unpriced)} calls have no known price` : exactUsd(value)}>
      {usd(value)}
      {unpriced > 0 && <span className="tag is-unpriced">{value == null ? "unpriced" : SAID[said](unpriced)}</span>}
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
