/** A call as `GET /api/v1/llm/calls` tells it: what is needed to show the arithmetic of its cost. Tokens beyond 2^53 and dollars are text. */
export interface PricedCall {
  trace_id: string;
  span_id: string;
  counted: boolean;
  not_counted_reason: string | null;
  provider: string | null;
  model_name: string | null;
  request_model: string | null;
  service_tier: string | null;
  price_source: string | null;
  unpriced_reason: string | null;
  usage_flags: string | null;
  input_tokens: number | string | null;
  output_tokens: number | string | null;
  cache_read_tokens: number | string | null;
  cache_write_tokens: number | string | null;
  reasoning_tokens: number | string | null;
  input_audio_tokens: number | string | null;
  output_audio_tokens: number | string | null;
  input_cost_usd: string | null;
  cache_read_cost_usd: string | null;
  cache_write_cost_usd: string | null;
  output_cost_usd: string | null;
  other_cost_usd: string | null;
  total_cost_usd: string | null;
  reported_cost_usd: string | null;
}

/** A line of the arithmetic: tokens × price = cost. `exact` says whether the price is one price, not the mean of several. */
export interface Line {
  part: string;
  tokens: number | null;
  perMillion: string | null;
  exact: boolean;
  cost: string;
}

const PICO = 1_000_000_000_000n;

/** The parts of a cost. The price is what the cost divided by the tokens is; docs/PRICING.md has the rules. */
export function arithmetic(call: PricedCall): Line[] {
  const number = (value: number | string | null) => Number(value ?? 0);
  const cached = Math.min(number(call.cache_read_tokens), number(call.input_tokens));
  const written = Math.min(number(call.cache_write_tokens), number(call.input_tokens) - cached);
  const lines: [string, number | null, string | null][] = [
    ["input", number(call.input_tokens) - cached - written, call.input_cost_usd],
    ["read from cache", cached, call.cache_read_cost_usd],
    ["written to cache", written, call.cache_write_cost_usd],
    [number(call.reasoning_tokens) > 0 ? "output, reasoning included" : "output", number(call.output_tokens), call.output_cost_usd],
    ["per call and second", null, call.other_cost_usd],
  ];
  return lines
    .filter(([, tokens, cost]) => cost !== null && (Number(tokens) > 0 || Number(cost) !== 0))
    .map(([part, tokens, cost]) => ({ part, tokens, cost: cost ?? "0", ...priceOf(cost ?? "0", tokens) }));
}

/** Dollars for a million tokens. Exact where six digits behind the point give the cost again. */
function priceOf(cost: string, tokens: number | null): { perMillion: string | null; exact: boolean } {
  if (!tokens) return { perMillion: null, exact: true };
  const pico = picodollars(cost);
  const count = BigInt(Math.round(tokens));
  if (pico % count === 0n) return { perMillion: dollars(pico / count), exact: true };
  return { perMillion: ((Number(pico) / tokens) * 1e-6).toPrecision(4).replace(/\.?0+$/, ""), exact: false };
}

/** Exact dollars as text in whole 10⁻¹². */
export function picodollars(text: string): bigint {
  const [, sign = "", whole = "0", part = ""] = /^(-?)(\d*)\.?(\d*)$/.exec(text) ?? [];
  const value = BigInt(whole || "0") * PICO + BigInt(part.padEnd(12, "0").slice(0, 12) || "0");
  return sign ? -value : value;
}

/** Microdollars, which is what 10⁻¹² dollars a token are for a million, as dollars. */
function dollars(micro: bigint): string {
  const text = micro.toString().padStart(7, "0");
  return `${text.slice(0, -6)}.${text.slice(-6)}`.replace(/\.?0+$/, "");
}
