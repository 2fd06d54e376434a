import type { Value } from "../api/types";
import type { Column, SqlAnswer } from "./types";

const NUMBERS = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|UINTEGER|DOUBLE|FLOAT|DECIMAL.*)$/;
const TIMES = /^(TIMESTAMP.*|DATE)$/;
const MOST_BARS = 30;
const MOST_POINTS = 5000;

export const isNumber = (column: Column) => NUMBERS.test(column.type);
export const isTime = (column: Column) => TIMES.test(column.type);

/** A picture of an answer: a line over time, or bars by name. */
export type Chart =
  | { form: "line"; points: { x: number; y: number }[] }
  | { form: "bars"; bars: { name: string; y: number }[]; more: number };

/** Which columns a chart may have along and up; null where the answer is no picture. */
export function axesOf({ columns, rows }: Pick<SqlAnswer, "columns" | "rows">): { xs: number[]; ys: number[] } | null {
  if (rows.length < 2) return null;
  const all = columns.map((_, index) => index);
  const ys = all.filter((index) => isNumber(columns[index] ?? { name: "", type: "" }));
  const times = all.filter((index) => isTime(columns[index] ?? { name: "", type: "" }));
  const names = all.filter((index) => columns[index]?.type === "VARCHAR");
  const xs = [...times, ...names];
  return xs.length > 0 && ys.length > 0 ? { xs, ys } : null;
}

/** The chart of two columns. Rows whose value is none are left out. */
export function chartOf({ columns, rows }: Pick<SqlAnswer, "columns" | "rows">, x: number, y: number): Chart {
  const column = columns[x];
  const values = rows.map((row) => ({ x: row[x] ?? null, y: numberOf(row[y] ?? null) })).filter((each): each is { x: Value; y: number } => each.y !== null && Number.isFinite(each.y));
  if (column && isTime(column)) {
    const points = values.map((each) => ({ x: Date.parse(wordOf(each.x)), y: each.y })).filter((point) => !Number.isNaN(point.x));
    return { form: "line", points: points.sort((a, b) => a.x - b.x).slice(0, MOST_POINTS) };
  }
  const bars = values.map((each) => ({ name: each.x === null ? "(none)" : wordOf(each.x), y: each.y }));
  return { form: "bars", bars: bars.slice(0, MOST_BARS), more: Math.max(0, bars.length - MOST_BARS) };
}

function numberOf(value: Value): number | null {
  return typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : null;
}

function wordOf(value: Value): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
