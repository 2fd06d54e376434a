import fc from "fast-check";
import { expect, it } from "vitest";
import { criticalPath } from "./critical";
import { span } from "./spans.fixture";
import { at, buildTree } from "./tree";

const ms = (length: number) => ({ duration_ns: String(length * 1e6) });

it("follows what ended last", () => {
  const tree = buildTree([
    span("root", null, 0, ms(100)),
    span("fast", "root", 10, ms(20)),
    span("slow", "root", 10, ms(50)),
    span("after", "root", 65, ms(30)),
    span("inside", "slow", 20, ms(40)),
  ]);
  const path = Object.fromEntries([...criticalPath(tree)].map(([row, parts]) => [at(tree.spans, row).name, parts]));
  expect(path).toEqual({
    root: [[95, 100], [60, 65], [0, 10]],
    after: [[65, 95]],
    slow: [[10, 20]],
    inside: [[20, 60]],
  });
});

it("covers the time of the root exactly once, whatever is inside", () => {
  const children = fc.array(fc.record({ parent: fc.integer({ min: 0, max: 20 }), start: fc.integer({ min: 0, max: 120 }), length: fc.integer({ min: 0, max: 80 }) }), { maxLength: 20 });
  fc.assert(
    fc.property(children, (spans) => {
      const tree = buildTree([
        span("s0", null, 0, ms(100)),
        ...spans.map(({ parent, start, length }, i) => span(`s${i + 1}`, `s${Math.min(parent, i)}`, start, ms(length))),
      ]);
      const parts = [...criticalPath(tree).values()].flat().sort((a, b) => a[0] - b[0]);
      expect(parts.reduce((sum, [from, to]) => sum + to - from, 0)).toBeLessThanOrEqual(100 + 1e-6);
      for (let i = 1; i < parts.length; i++) expect(parts[i]?.[0] ?? 0).toBeGreaterThanOrEqual((parts[i - 1]?.[1] ?? 0) - 1e-6);
    }),
  );
});
