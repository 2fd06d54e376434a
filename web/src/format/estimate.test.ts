import { expect, it } from "vitest";
import { about, within } from "./estimate";

it("marks what is estimated and nothing else", () => {
  expect([undefined, 0, 3.2, null].map(about)).toEqual(["", "", "≈ ", "≈ "]);
});

it("says how good an estimate is", () => {
  expect(within(1234, undefined)).toBe("1,234");
  expect(within(1234, 0)).toBe("1,234");
  expect(within(1234, 56.4)).toBe("1,234 ± 56 (standard error), estimated from kept traces");
  expect(within(12, 3.46)).toBe("12 ± 3.5 (standard error), estimated from kept traces");
  expect(within(7, null)).toContain("at least 7");
});
