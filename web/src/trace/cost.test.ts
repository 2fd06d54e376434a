import { expect, it } from "vitest";
import { arithmetic, picodollars, type PricedCall } from "./cost";

const call = (of: Partial<PricedCall>): PricedCall =>
  ({ cache_read_tokens: null, cache_write_tokens: null, reasoning_tokens: null, other_cost_usd: "0", cache_read_cost_usd: "0", cache_write_cost_usd: "0", ...of }) as PricedCall;

it("splits input into what was new and what was cached, with the price of each", () => {
  const lines = arithmetic(
    call({ input_tokens: 3282, cache_read_tokens: 3120, output_tokens: 95, input_cost_usd: "0.000324", cache_read_cost_usd: "0.00156", output_cost_usd: "0.00076" }),
  );
  expect(lines).toEqual([
    { part: "input", tokens: 162, cost: "0.000324", perMillion: "2", exact: true },
    { part: "read from cache", tokens: 3120, cost: "0.00156", perMillion: "0.5", exact: true },
    { part: "output", tokens: 95, cost: "0.00076", perMillion: "8", exact: true },
  ]);
});

it("says when a price is the mean of several", () => {
  const [line] = arithmetic(call({ input_tokens: 3, output_tokens: 0, input_cost_usd: "0.0000001", output_cost_usd: "0" }));
  expect(line).toMatchObject({ exact: false, perMillion: "0.03333" });
});

it("reads exact dollars", () => {
  expect(["1", "0.000000000001", "-2.5", "12.3456"].map(picodollars)).toEqual([1_000_000_000_000n, 1n, -2_500_000_000_000n, 12_345_600_000_000n]);
});
