import { expect, it } from "vitest";
import { axesOf, chartOf } from "./chart";

const columns = [
  { name: "day", type: "TIMESTAMP WITH TIME ZONE" },
  { name: "model", type: "VARCHAR" },
  { name: "usd", type: "DECIMAL(38,12)" },
];
const rows = [
  ["2026-01-02T00:00:00Z", "a", 2],
  ["2026-01-01T00:00:00Z", null, "1.5"],
  ["2026-01-03T00:00:00Z", "b", null],
];

it("offers times and names along, numbers up", () => {
  expect(axesOf({ columns, rows })).toEqual({ xs: [0, 1], ys: [2] });
  expect(axesOf({ columns: columns.slice(0, 2), rows })).toBeNull();
  expect(axesOf({ columns, rows: rows.slice(0, 1) })).toBeNull();
});

it("draws time in order and leaves out what has no value", () => {
  expect(chartOf({ columns, rows }, 0, 2)).toEqual({
    form: "line",
    points: [
      { x: Date.parse("2026-01-01T00:00:00Z"), y: 1.5 },
      { x: Date.parse("2026-01-02T00:00:00Z"), y: 2 },
    ],
  });
  expect(chartOf({ columns, rows }, 1, 2)).toEqual({ form: "bars", bars: [{ name: "a", y: 2 }, { name: "(none)", y: 1.5 }], more: 0 });
});
