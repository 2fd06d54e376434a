import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { span } from "./spans.fixture";
import { compressedScale, lay, plainScale, scaleTicks } from "./scale";
import { buildTree } from "./tree";

const ms = (length: number) => ({ duration_ns: String(Math.round(length * 1e6)) });
/** An agent that works a second, waits for its user for an hour, and works another second. */
const waiting = buildTree([
  span("agent", null, 0, { ...ms(3_602_000), observation_kind: "agent" }),
  span("a", "agent", 0, ms(1000)),
  span("b", "agent", 3_601_000, ms(1000)),
]);

describe("a trace that mostly waits", () => {
  const scale = compressedScale(waiting);

  it("draws the wait short and the work as it was", () => {
    expect(scale.gaps.map(({ from, to }) => [from, to])).toEqual([[1000, 3_601_000]]);
    expect(scale.total).toBeCloseTo(2060, 6);
    const laid = lay(waiting, scale);
    expect([...laid.width].map(Math.round)).toEqual([2060, 1000, 1000]);
    expect(Math.round(laid.left[2] ?? 0)).toBe(1060);
  });

  it("has round times beside the wait and none in it", () => {
    const ticks = scaleTicks(scale, { from: 0, to: scale.total }, 1000);
    expect(ticks.length).toBeGreaterThan(4);
    for (const { ms } of ticks) expect(ms <= 1000 || ms >= 3_601_000).toBe(true);
  });
});

it("leaves a busy trace as it was", () => {
  const busy = buildTree([span("root", null, 0, ms(4000)), span("a", "root", 1000, ms(2000))]);
  expect(compressedScale(busy).gaps).toEqual([]);
  const laid = lay(busy, plainScale(busy.total));
  expect(laid.left).toBe(busy.start);
});

it("runs forward and back without losing its place, whatever the trace", () => {
  const anyTrace = fc.array(fc.tuple(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 50 })), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(anyTrace, fc.double({ min: 0, max: 1, noNaN: true }), (parts, share) => {
      const tree = buildTree(parts.map(([start, length], i) => span(`s${i}`, null, start, ms(length))));
      const scale = compressedScale(tree);
      const time = share * tree.total;
      expect(scale.back(scale.of(time))).toBeCloseTo(time, 3);
      expect(scale.of(tree.total)).toBeCloseTo(scale.total, 3);
      expect(scale.total).toBeLessThanOrEqual(tree.total + 1e-6);
      const times = Array.from({ length: 50 }, (_, i) => scale.of((i / 49) * tree.total));
      for (let i = 1; i < 50; i++) expect(times[i] ?? 0).toBeGreaterThanOrEqual(times[i - 1] ?? 0);
    }),
  );
});
