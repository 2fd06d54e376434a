import { describe, expect, it } from "vitest";
import { percent, usd } from "./money";

describe("dollars", () => {
  it.each([
    [null, "—"],
    ["0", "$0"],
    ["0.0000001", "<$0.000001"],
    ["0.000123456", "$0.000123"],
    ["0.0045", "$0.0045"],
    ["0.0123456", "$0.0123"],
    ["0.5", "$0.50"],
    ["0.1234", "$0.123"],
    ["0.9999", "$1.00"],
    ["12.3", "$12.30"],
    ["99.999", "$100"],
    ["412.49", "$412"],
    ["1234", "$1.2k"],
    ["2830967.5", "$2.8M"],
    ["-3.5", "−$3.50"],
  ])("%s is %s", (text, said) => expect(usd(text)).toBe(said));

  it("nothing known is never nothing spent", () => {
    expect(usd(null)).not.toContain("0");
    expect(usd(undefined)).not.toContain("0");
  });
});

it.each([
  [0, "0 %"],
  [0.0004, "<0.1 %"],
  [0.008, "0.8 %"],
  [0.12, "12 %"],
  [1, "100 %"],
  [null, "—"],
])("a share of %s is %s", (share, said) => expect(percent(share)).toBe(said));
