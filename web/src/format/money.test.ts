import { expect, it } from "vitest";
import { usd } from "./money";

it("says dollars with at most four significant digits", () => {
  const said = ["0", "0.0045", "0.006956", "0.0183421", "0.000001234567", "0.99999", "1", "12.3", "999.4", "1234.5", "45678", "1234567", "-0.5"].map(usd);
  expect(said).toEqual(["$0", "$0.0045", "$0.006956", "$0.01834", "$0.000001235", "$1.00", "$1.00", "$12.30", "$999.40", "$1.2k", "$46k", "$1.2M", "−$0.5"]);
});

it("is nothing where no dollar is known", () => {
  expect([usd(null), usd(undefined), usd("NaN")]).toEqual([null, null, null]);
});
