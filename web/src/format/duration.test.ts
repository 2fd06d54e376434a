import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { duration, parseDuration } from "./duration";

describe("duration", () => {
  it.each([
    [0, "0 ms"],
    [0.000001, "1 ns"],
    [0.42, "420 µs"],
    [1, "1.00 ms"],
    [345, "345 ms"],
    [999.6, "1.00 s"],
    [1230, "1.23 s"],
    [12_345, "12.3 s"],
    [59_960, "1 m 00 s"],
    [125_000, "2 m 05 s"],
    [3_599_700, "1 h 00 m"],
    [3_720_000, "1 h 02 m"],
    [273_600_000, "3 d 04 h"],
    [-5, "−5.00 ms"],
    [Number.NaN, "—"],
  ])("%d ms reads %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it("is within 1 % of what it was made from", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 59_000, noNaN: true }), (ms) => {
        expect(Math.abs((parseDuration(duration(ms)) ?? NaN) - ms)).toBeLessThanOrEqual(ms * 0.01);
      }),
    );
  });
});

describe("parseDuration", () => {
  it.each([
    ["500", 500],
    ["500ms", 500],
    ["1.5 s", 1500],
    ["2m 5s", 125_000],
    ["250us", 0.25],
  ])("%s", (text, ms) => {
    expect(parseDuration(text)).toBeCloseTo(ms, 9);
  });

  it.each(["", "fast", "5 parsecs", "1s!", "-3"])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});
