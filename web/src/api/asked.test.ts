import { describe, expect, it } from "vitest";
import { firstAsked } from "./asked";

const NOW = Date.parse("2026-11-26T10:00:30Z");

describe("what a page asks first", () => {
  it("is decided by its address", () => {
    expect(firstAsked("/explore", "?of=calls&q=status:error&live=off", NOW)).toEqual([
      "/api/v1/llm/calls?from=2026-11-25T10%3A00%3A30.000Z&filter=status%3Aerror&sort=-start&limit=100",
    ]);
    expect(firstAsked(`/traces/${"a1".repeat(16)}`, "?view=flame", NOW)).toEqual([`/api/v1/traces/${"a1".repeat(16)}?view=columns`]);
    const overview = firstAsked("/", "", NOW);
    expect(overview.map((url) => url.replace(/\?.*/, ""))).toEqual(["/api/v1/llm/summary", "/api/v1/llm/summary", "/api/v1/llm/forecast"]);
    expect(overview[0]).toContain("&to=2026-11-26T10%3A01%3A00.000Z&");
  });

  it("is nothing where it takes another answer to know it, or where the address is none", () => {
    expect(firstAsked("/", "?range=all", NOW)).toEqual([]);
    expect(firstAsked("/traces/nonsense", "", NOW)).toEqual([]);
    expect(firstAsked("/status", "", NOW)).toEqual([]);
  });
});
