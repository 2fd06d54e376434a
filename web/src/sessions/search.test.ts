import { expect, it } from "vitest";
import { nextSort, readSessionSearch, sessionParams } from "./search";

it("keeps what it understands and no more", () => {
  expect(readSessionSearch({ user: "u1", sort: "cost", range: "7d", filter: "model:x", other: "y" })).toEqual({ user: "u1", sort: "cost", range: "7d", filter: "model:x" });
  expect(readSessionSearch({ sort: "colour", user: "", range: "24h" })).toEqual({});
});

it("sorts a column largest first, then smallest", () => {
  expect(nextSort(undefined, "cost")).toBe("-cost");
  expect(nextSort("-cost", "cost")).toBe("cost");
  expect(nextSort("cost", "last")).toBeUndefined();
  expect(nextSort(undefined, "last")).toBe("last");
});

it("asks the server for the latest first unless told otherwise", () => {
  expect(sessionParams({ range: "all" }, 0)).toEqual({ from: null, to: null, user: null, filter: null, sort: "-last" });
});
