import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { span } from "./spans.fixture";
import { at, buildTree, visibleRows } from "./tree";

/** Any data at all: parents that do not exist, that come later, that are the span itself or its own descendant. */
const anySpans = fc
  .integer({ min: 0, max: 60 })
  .chain((n) =>
    fc.array(fc.record({ parent: fc.option(fc.integer({ min: 0, max: n + 5 })), start: fc.integer({ min: 0, max: 50 }), error: fc.boolean() }), {
      minLength: n,
      maxLength: n,
    }),
  )
  .map((rows) =>
    rows.map(({ parent, start, error }, i) =>
      span(`s${i}`, parent === null ? null : `s${parent}`, start, { status: { code: error ? "error" : "ok" } }),
    ),
  );

describe("the tree of any data", () => {
  it("has every span exactly once", () => {
    fc.assert(
      fc.property(anySpans, (spans) => {
        expect(buildTree(spans).spans.map((each) => each.span_id).sort()).toEqual(spans.map((each) => each.span_id).sort());
      }),
    );
  });

  it("puts each span one below its parent and inside its parent's subtree", () => {
    fc.assert(
      fc.property(anySpans, (spans) => {
        const tree = buildTree(spans);
        for (let row = 0; row < spans.length; row++) {
          const up = at(tree.parent, row);
          if (up < 0) {
            expect(at(tree.depth, row)).toBe(0);
            const said = at(tree.spans, row).parent_span_id;
            expect(tree.misplaced.has(row)).toBe(said !== null);
          } else {
            expect(at(tree.spans, up).span_id).toBe(at(tree.spans, row).parent_span_id);
            expect(at(tree.depth, row)).toBe(at(tree.depth, up) + 1);
            expect(up).toBeLessThan(row);
            expect(up + at(tree.size, up)).toBeGreaterThanOrEqual(row + at(tree.size, row));
          }
        }
      }),
    );
  });

  it("counts the errors of a subtree", () => {
    fc.assert(
      fc.property(anySpans, (spans) => {
        const tree = buildTree(spans);
        for (let row = 0; row < spans.length; row++) {
          const inside = tree.spans.slice(row, row + at(tree.size, row));
          expect(at(tree.errors, row)).toBe(inside.filter((each) => each.status.code === "error").length);
        }
      }),
    );
  });

  it("shows siblings in order of start", () => {
    fc.assert(
      fc.property(anySpans, (spans) => {
        const tree = buildTree(spans);
        const last = new Map<number, number>();
        for (let row = 0; row < spans.length; row++) {
          const up = at(tree.parent, row);
          if (up < 0) continue;
          expect(at(tree.start, row)).toBeGreaterThanOrEqual(last.get(up) ?? 0);
          last.set(up, at(tree.start, row));
        }
      }),
    );
  });
});

it("marks what is out of place", () => {
  const tree = buildTree([span("root", null), span("lost", "gone", 5), span("a", "b", 6), span("b", "a", 7), span("self", "self", 8)]);
  expect(tree.spans.map((each) => each.span_id)).toEqual(["root", "lost", "self", "a", "b"]);
  expect([...tree.misplaced]).toEqual([
    [1, "orphan"],
    [2, "cycle"],
    [3, "cycle"],
  ]);
});

describe("visible rows", () => {
  const tree = buildTree([span("root", null), span("a", "root", 1), span("b", "a", 2), span("c", "root", 3)]);
  const names = (rows: Int32Array) => [...rows].map((row) => at(tree.spans, row).name);

  it("leave out what is folded away", () => {
    expect(names(visibleRows(tree, new Set()))).toEqual(["root", "a", "b", "c"]);
    expect(names(visibleRows(tree, new Set(["a"])))).toEqual(["root", "a", "c"]);
    expect(names(visibleRows(tree, new Set(["root"])))).toEqual(["root"]);
  });

  it("keep the way up to what a search finds, also inside folded spans", () => {
    expect(names(visibleRows(tree, new Set(["a"]), (row) => at(tree.spans, row).name === "b"))).toEqual(["root", "a", "b"]);
    expect(names(visibleRows(tree, new Set(), () => false))).toEqual([]);
  });
});

it("builds 30,000 spans, also as one chain, in well under a second", () => {
  const wide = Array.from({ length: 30_000 }, (_, i) => span(`w${i}`, i ? `w${Math.floor((i - 1) / 8)}` : null, i));
  const chain = Array.from({ length: 30_000 }, (_, i) => span(`c${i}`, i ? `c${i - 1}` : null, i));
  for (const spans of [wide, chain]) {
    // the best of five: one garbage collection or a busy machine says nothing of the algorithm, and a quadratic one would take minutes
    const times = Array.from({ length: 5 }, () => {
      const before = performance.now();
      expect(at(buildTree(spans).size, 0)).toBe(30_000);
      return performance.now() - before;
    });
    expect(Math.min(...times)).toBeLessThan(500);
  }
});
