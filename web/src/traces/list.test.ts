import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TraceSummary } from "../api/types";
import { comparator, flatten, mergeHead, shift } from "./list";

function trace(id: number, start: number, duration = 1): TraceSummary {
  return {
    trace_id: id.toString(16).padStart(32, "0"),
    root_name: "r",
    service_name: "s",
    services: ["s"],
    start: "",
    start_ns: String(start),
    duration_ms: duration,
    span_count: 1,
    error_count: 0,
    state: "kept",
  };
}

const world = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9 })), { selector: ([id]) => id, maxLength: 40 })
  .map((rows) => rows.map(([id, start, duration]) => trace(id, start, duration)));
const sorts = fc.constantFrom("-start", "start", "-duration", "duration");

describe("the live list", () => {
  it("is what the server would say, as far as it was loaded", () => {
    fc.assert(
      fc.property(world, world, sorts, fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 40 }), (old, added, sort, limit, loadedRows) => {
        const compare = comparator(sort);
        const before = [...old].sort(compare).slice(0, loadedRows);
        const known = new Set(old.map((item) => item.trace_id));
        const after = [...old, ...added.filter((item) => !known.has(item.trace_id))].sort(compare);
        const head = { items: after.slice(0, limit), next_cursor: after.length > limit ? "more" : null, from: "", to: "" };
        const merged = mergeHead(before, head, sort);
        if (merged === null) {
          expect(before.some((item) => head.items.includes(item))).toBe(false);
          return;
        }
        expect(merged).toEqual([...merged].sort(compare));
        expect(merged.slice(0, limit)).toEqual(head.items);
        for (const item of before) expect(head.next_cursor === null || merged.includes(item)).toBe(true);
      }),
    );
  });

  it("drops what is no longer there within reach of the fresh page", () => {
    const [a, b, c, d] = [trace(4, 40), trace(3, 30), trace(2, 20), trace(1, 10)];
    expect(mergeHead([a, b, c, d], { items: [a, c], next_cursor: "x", from: "", to: "" })).toEqual([a, c, d]);
  });

  it("replaces what changed", () => {
    const grown = { ...trace(1, 10), span_count: 9 };
    expect(mergeHead([trace(1, 10)], { items: [grown], next_cursor: null, from: "", to: "" })).toEqual([grown]);
  });
});

it("pages show a trace once", () => {
  expect(flatten([[trace(1, 1), trace(2, 2)], [trace(2, 2), trace(3, 3)]]).map((item) => item.trace_id.at(-1))).toEqual(["1", "2", "3"]);
});

it("the row being read stays where it is", () => {
  const before = [trace(3, 30), trace(2, 20), trace(1, 10)];
  const after = [trace(5, 50), trace(4, 40), ...before];
  expect(shift(before, after, 1)).toBe(2);
  expect(shift(before, before, 1)).toBe(0);
  expect(shift(before, [trace(9, 90)], 0)).toBe(0);
});
