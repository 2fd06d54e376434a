import { describe, expect, it } from "vitest";
import { isFiltered, isLive, readSearch, traceParams } from "./search";

describe("the address bar", () => {
  it("is read", () => {
    expect(readSearch({ range: "1h", service: "shop", status: "error", min: "1.5s", sort: "-duration", live: "off" })).toEqual({
      range: "1h",
      service: "shop",
      status: "error",
      min: "1.5s",
      sort: "-duration",
      live: "off",
    });
  });

  it("is read past what makes no sense, and defaults leave no mark", () => {
    expect(readSearch({ range: "constructor", status: "maybe", min: "soon", sort: "colour", from: "yesterdayish", service: "", page: 3 })).toEqual({});
    expect(readSearch({ range: "24h", sort: "-start" })).toEqual({});
  });

  it("absolute times win over a range", () => {
    expect(readSearch({ range: "1h", from: "2026-11-23T10:00:00Z" })).toEqual({ from: "2026-11-23T10:00:00Z" });
  });
});

const now = Date.UTC(2026, 10, 23, 10);

it("becomes the parameters of the API", () => {
  expect(traceParams({}, now)).toEqual({
    from: "2026-11-22T10:00:00.000Z",
    to: null,
    service: null,
    status: null,
    min_duration_ms: null,
    filter: null,
    sort: "-start",
  });
  expect(traceParams({ from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z", min: "2 s", sort: "duration" }, now)).toMatchObject({
    from: "2026-11-20T00:00:00.000Z",
    to: "2026-11-21T00:00:00.000Z",
    min_duration_ms: "2000",
    sort: "duration",
  });
});

it("an ended range is not live, a filter is a filter", () => {
  expect(isLive({})).toBe(true);
  expect(isLive({ to: "2026-11-21T00:00:00Z" })).toBe(false);
  expect(isLive({ live: "off" })).toBe(false);
  expect(isFiltered({ range: "1h", sort: "duration" })).toBe(false);
  expect(isFiltered({ status: "ok" })).toBe(true);
});
