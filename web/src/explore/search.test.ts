import { describe, expect, it } from "vitest";
import { fromSessions, fromTraces, isLive, readExplore } from "./search";

describe("the address bar", () => {
  it("holds what the explorer shows, and nothing it does not understand", () => {
    const search = { of: "calls", q: "status:error", sort: "-cost", cols: "model,cost", range: "7d", live: "off" };
    expect(readExplore({ ...search, of: "calls", nonsense: "1" })).toEqual(search);
    expect(readExplore({ of: "things", range: "ever", q: "" })).toEqual({});
  });

  it("of the old list of traces leads to the same rows", () => {
    expect(fromTraces({ service: "my shop", status: "error", min: "1.5 s", range: "7d", sort: "-duration" })).toEqual({
      q: 'service:"my shop" status:error duration>=1.5s',
      range: "7d",
      sort: "-duration",
    });
    expect(fromTraces({})).toEqual({});
  });

  it("of the old page of sessions leads to the same rows", () => {
    expect(fromSessions({ user: "u 1", filter: "model:x", sort: "-cost" })).toEqual({ of: "sessions", q: 'user:"u 1" model:x', sort: "-cost" });
    expect(fromSessions({ range: "7d" })).toEqual({ of: "sessions", range: "7d" });
  });

  it("a window that has ended has no live rows", () => {
    expect(isLive({})).toBe(true);
    expect(isLive({ to: "2026-01-01T00:00:00Z" })).toBe(false);
    expect(isLive({ live: "off" })).toBe(false);
  });
});
