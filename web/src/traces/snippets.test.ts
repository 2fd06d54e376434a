import { expect, it } from "vitest";
import { endpointOf, snippets } from "./snippets";

it.each([
  ["127.0.0.1:4318", "http://127.0.0.1:4318"],
  ["0.0.0.0:14318", "http://observatory.lan:14318"],
  ["[::]:4318", "http://observatory.lan:4318"],
  ["[::1]:4318", "http://[::1]:4318"],
  [null, "http://127.0.0.1:4318"],
])("a listener at %s is sent to at %s", (listener, endpoint) => {
  expect(endpointOf(listener, "observatory.lan")).toBe(endpoint);
});

it("every way in names the endpoint", () => {
  for (const { lines } of snippets("http://127.0.0.1:9999")) expect(lines).toContain("http://127.0.0.1:9999");
});
