import type { CallSums, TreeSpan, Usd } from "../api/types";
import { count } from "../format/number";
import { usd } from "../format/money";
import { picodollars } from "./cost";

/** What a row of the tree says of money and tokens. */
export interface Figures {
  cost: string | null; // as shown; null: nothing to say
  unpriced: number; // calls in it without a price
  tokens: number | null;
  sum: boolean; // of itself and all below it
  /** Why the span's own usage is not added: its children have it already. */
  repeats?: string;
  own?: number | null; // tokens it reports itself, where they are not added
  says: string; // in full, for the hover
}

const REPEATS: Record<string, string> = {
  sums_up: "it sums up the calls below it, which count themselves",
  wraps_call: "the call inside it counts",
  part_of_call: "the call around it counts",
  sdk_duplicate: "another instrumentation shows the same call, and that one counts",
  duplicate_response: "another span has the same response",
  cumulative_usage: "it is a running total over the agent's life",
  no_call: "nothing was asked of a model",
};

const known = (exact: Usd) => (exact === null ? null : usd(exact));
/** A whole number that JSON says as text beyond 2^53. */
const whole = (value: number | string | null | undefined) => (value == null ? null : Number(value));

/** Why a call does not count, as a sentence's end. */
export function whyNotCounted(reason: string | undefined): string {
  return reason === undefined ? "it does not count" : (REPEATS[reason] ?? reason.replaceAll("_", " "));
}

/** Sums of a subtree where something below counts, else the span's own call. Null when there is nothing to say. */
export function figuresOf(span: TreeSpan, below: number): Figures | null {
  const { call, subtree } = span;
  if (below > 0 && subtree && subtree.llm_calls > 0) {
    const repeats = call && !call.counted && call.total_tokens != null ? whyNotCounted(call.not_counted_reason) : undefined;
    return {
      cost: known(subtree.total_cost_usd),
      unpriced: subtree.unpriced_calls,
      tokens: whole(subtree.total_tokens),
      sum: true,
      ...(repeats !== undefined && { repeats, own: whole(call?.total_tokens) }),
      says: [
        `${count(subtree.llm_calls)} ${subtree.llm_calls === 1 ? "call" : "calls"} in it`,
        `${count(Number(subtree.input_tokens))} tokens in, ${count(Number(subtree.output_tokens))} out`,
        subtree.total_cost_usd === null ? null : `$${subtree.total_cost_usd}`,
        subtree.unpriced_calls > 0 ? `${count(subtree.unpriced_calls)} without a price` : null,
      ]
        .filter((part) => part !== null)
        .join(" · "),
    };
  }
  if (call) {
    const repeats = call.counted ? undefined : whyNotCounted(call.not_counted_reason);
    return {
      cost: known(call.total_cost_usd),
      unpriced: call.counted && call.total_cost_usd === null && call.unpriced_reason !== undefined ? 1 : 0,
      tokens: whole(call.total_tokens),
      sum: false,
      ...(repeats !== undefined && { repeats }),
      says: tokensInFull(call) + (call.total_cost_usd === null ? "" : ` · $${call.total_cost_usd}`) + (repeats === undefined ? "" : ` · not added: ${repeats}`),
    };
  }
  if (span.input_tokens != null || span.output_tokens != null) {
    return { cost: null, unpriced: 0, tokens: (whole(span.input_tokens) ?? 0) + (whole(span.output_tokens) ?? 0), sum: false, says: tokensInFull(span) };
  }
  return null;
}

/** What a span and all below it add up to: where nothing is below it the server leaves that to its own call. */
export function sumsOf({ call, subtree }: TreeSpan): CallSums | null {
  if (subtree) return subtree.llm_calls > 0 ? subtree : null;
  if (!call?.counted) return null;
  return {
    llm_calls: 1,
    input_tokens: call.input_tokens ?? 0,
    output_tokens: call.output_tokens ?? 0,
    total_tokens: call.total_tokens ?? 0,
    total_cost_usd: call.total_cost_usd,
    unpriced_calls: call.unpriced_reason === undefined ? 0 : 1,
  };
}

/** What several spans and all below them add up to; null where nothing there counts. */
export function figuresTogether(spans: readonly TreeSpan[]): Figures | null {
  let [calls, tokens, pico, priced, unpriced] = [0, 0, 0n, false, 0];
  for (const span of spans) {
    const subtree = sumsOf(span);
    if (!subtree) continue;
    calls += subtree.llm_calls;
    tokens += Number(subtree.total_tokens);
    unpriced += subtree.unpriced_calls;
    if (subtree.total_cost_usd !== null) {
      priced = true;
      pico += picodollars(subtree.total_cost_usd);
    }
  }
  if (calls === 0) return null;
  const cost = priced ? usd(Number(pico) / 1e12) : null;
  return { cost, unpriced, tokens, sum: true, says: `${count(calls)} calls in them · ${count(tokens)} tokens${cost === null ? "" : ` · ${cost}`}` };
}

type Counted = Pick<TreeSpan, "input_tokens" | "output_tokens" | "cache_read_tokens" | "cache_write_tokens" | "reasoning_tokens">;
type AnyCounted = { [K in keyof Counted]?: number | string | null };

/** `1,234 in (of them 900 cached), 56 out (of them 12 reasoning)`. */
export function tokensInFull(of: AnyCounted): string {
  const said = (value: number | string | null | undefined) => (value == null ? null : count(Number(value)));
  const [input, output, cached, written, reasoning] = [of.input_tokens, of.output_tokens, of.cache_read_tokens, of.cache_write_tokens, of.reasoning_tokens].map(said);
  const of_input = [cached && cached !== "0" ? `${cached} read from cache` : null, written && written !== "0" ? `${written} written to cache` : null].filter(Boolean).join(", ");
  return [
    input == null ? null : `${input} in${of_input ? ` (of them ${of_input})` : ""}`,
    output == null ? null : `${output} out${reasoning && reasoning !== "0" ? ` (of them ${reasoning} reasoning)` : ""}`,
  ]
    .filter((part) => part !== null)
    .join(", ");
}
