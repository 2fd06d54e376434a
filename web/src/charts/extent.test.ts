import { describe, expect, it } from "vitest";
import { extent } from "./extent";

describe("the axis of a chart", () => {
  it("reaches to the end of the last bar, or to the end of the window", () => {
    expect(extent(60, 240, 60, true)).toEqual([60, 300]);
    expect(extent(60, 240, 60, false)).toEqual([60, 240]);
    expect(extent(60, 240, 60, false, 290)).toEqual([60, 290]);
  });

  it("has a length when there is one value only", () => {
    expect(extent(60, 60, 60, false)).toEqual([60, 120]);
    expect(extent(60, 60, 60, true)).toEqual([60, 120]);
  });
});
