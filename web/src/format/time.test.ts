import { expect, it } from "vitest";
import { absolute, ago, localInput, milliseconds } from "./time";

const now = Date.UTC(2026, 10, 23, 10, 0, 0);

it.each([
  [0, "just now"],
  [12_000, "12 s ago"],
  [200_000, "3 m ago"],
  [7_300_000, "2 h ago"],
  [3 * 86_400_000, "3 d ago"],
  [-12_000, "in 12 s"],
])("%d ms before now reads %s", (before, text) => {
  expect(ago(now - before, now)).toBe(text);
});

it("nanoseconds keep their microseconds", () => {
  expect(milliseconds("1795429658788668775")).toBeCloseTo(1795429658788.6687, 2);
  expect(milliseconds("-1000000")).toBe(-1);
});

it("an absolute time names its offset and zone, and reads back as itself", () => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const text = absolute(now + 788);
  expect(text).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.788 [+−]\d\d:\d\d /);
  expect(text.endsWith(zone)).toBe(true);
  const [date, time, offset] = text.split(" ") as [string, string, string];
  expect(Date.parse(`${date}T${time}${offset.replace("−", "-")}`)).toBe(now + 788);
});

it("what a time input holds reads back to the minute", () => {
  expect(new Date(localInput(now)).getTime()).toBe(now);
});
