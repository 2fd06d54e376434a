import { expect, it } from "vitest";
import { filterOf } from "./filter";

it("says an attribute in the filter language", () => {
  expect(filterOf("http.route", "/api/*")).toBe('"http.route":"/api/\\*"');
  expect(filterOf("retries", 3)).toBe('"retries":"3"');
  expect(filterOf("say", 'a "b"\n\\')).toBe('"say":"a \\"b\\"\\n\\\\"');
  expect(filterOf("host.name", "h1", "resource")).toBe('resource.host.name:"h1"');
});

it("offers nothing for what cannot be looked for", () => {
  for (const value of [null, [1], { a: 1 }, "", "x".repeat(201)]) expect(filterOf("k", value)).toBeNull();
  expect(filterOf("odd key", "v", "resource")).toBeNull();
});
