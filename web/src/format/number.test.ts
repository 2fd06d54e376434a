import { expect, it } from "vitest";
import { bytes, count, short, tokens } from "./number";

it.each([
  [0, "0"],
  [340, "340"],
  [999, "999"],
  [1000, "1k"],
  [1234, "1.2k"],
  [12_345, "12k"],
  [999_999, "1M"],
  [3_400_000, "3.4M"],
  [0.5, "0.5"],
])("short(%d) is %s", (value, text) => {
  expect(short(value)).toBe(text);
});

it.each([
  [0, "0 B"],
  [812, "812 B"],
  [12_400, "12.4 kB"],
  [999_900, "1.00 MB"],
  [3_100_000_000, "3.10 GB"],
])("bytes(%d) is %s", (value, text) => {
  expect(bytes(value)).toBe(text);
});

it("counts with separators", () => {
  expect(count(30000)).toBe("30,000");
});

it("tokens name what is known and nothing else", () => {
  expect(tokens(1200, 340, 900)).toBe("1.2k in · 340 out · 900 cached");
  expect(tokens(1200, null, 0)).toBe("1.2k in");
  expect(tokens(null, undefined)).toBeNull();
});
