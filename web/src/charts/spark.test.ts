import { describe, expect, it } from "vitest";
import { sparkLines } from "./spark";

describe("a sparkline", () => {
  it("reaches from the left to the right and from zero to the largest value", () => {
    expect(sparkLines([0, 5, 10], 100, 23)).toEqual([["0.0,22.0", "50.0,12.0", "100.0,2.0"]]);
  });

  it("has a gap where nothing was measured, and a point where a value stands alone", () => {
    expect(sparkLines([null, 10, null, 10, 0, null], 50, 23)).toEqual([["10.0,2.0"], ["30.0,2.0", "40.0,22.0"]]);
  });

  it("of nothing, or of zeros alone, is no line that goes up", () => {
    expect(sparkLines([null, null], 100, 23)).toEqual([]);
    expect(sparkLines([0, 0], 100, 23)).toEqual([["0.0,22.0", "100.0,22.0"]]);
  });
});
