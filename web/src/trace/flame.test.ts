import fc from "fast-check";
import { expect, it } from "vitest";
import { lanesOf } from "./flame";
import { lay, plainScale } from "./scale";
import { span } from "./spans.fixture";
import { at, buildTree } from "./tree";

it("puts no span over another and none above its parent", () => {
  const anySpans = fc.array(fc.record({ parent: fc.option(fc.integer({ min: 0, max: 30 })), start: fc.integer({ min: 0, max: 60 }), length: fc.integer({ min: 0, max: 40 }) }), { maxLength: 30 });
  fc.assert(
    fc.property(anySpans, (parts) => {
      const tree = buildTree(
        parts.map(({ parent, start, length }, i) => span(`s${i}`, parent === null || parent >= i ? null : `s${parent}`, start, { duration_ns: String(length * 1e6) })),
      );
      const { lane, rows } = lanesOf(tree, lay(tree, plainScale(tree.total)));
      expect(rows.reduce((sum, each) => sum + each.length, 0)).toBe(parts.length);
      for (const each of rows)
        for (let i = 1; i < each.length; i++) {
          const before = at(each, i - 1);
          expect(at(tree.start, before) + at(tree.duration, before)).toBeLessThanOrEqual(at(tree.start, at(each, i)) + 1e-6);
        }
      for (let row = 0; row < tree.spans.length; row++) {
        const up = at(tree.parent, row);
        // a child that began before its parent (clocks differ) is laid first
        if (up >= 0 && at(tree.start, up) <= at(tree.start, row)) expect(at(lane, row)).toBeGreaterThan(at(lane, up));
      }
    }),
  );
});
