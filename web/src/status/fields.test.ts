import { expect, it } from "vitest";
import { field, flat, instant, words } from "./fields";

it.each([
  ["oldest_open_s", 12.5, "12.5 s"],
  ["spans_per_s", 1234, "1.2k /s"],
  ["queue_bytes", 120_000, "120 kB"],
  ["bytes", 0, "0 B"],
  ["rows", 34_567, "34,567"],
  ["codec", "lz4", "lz4"],
  ["broken", [], "none"],
  ["broken", ["a.parquet"], "a.parquet"],
  ["something_new", { depth: 1 }, "1 depth"],
  ["spans", { segments: 3, rows: 34_567, bytes: 9_880_000 }, "3 segments · 34,567 rows · 9.88 MB"],
  ["broken", [{ id: 7, why: "checksum differs" }], "id 7 · why checksum differs"],
  ["last_error", null, "—"],
  ["sealed", true, "yes"],
])("%s = %j reads %s", (name, value, text) => {
  expect(field(name, value)).toBe(text);
});

it.each([
  ["disk_free_bytes", "disk free"],
  ["uptime_s", "uptime"],
  ["spans_per_s", "spans per s"],
  ["open_rows", "open rows"],
])("%s is called %s", (name, text) => {
  expect(words(name)).toBe(text);
});

it("times are told from other fields by their names, in both spellings", () => {
  expect(instant("started_at", "2026-11-23T10:00:00Z")).toBe(Date.UTC(2026, 10, 23, 10));
  expect(instant("last_run", "1795428000000000000")).toBe(1_795_428_000_000);
  expect(instant("oldest_received_at", 1795428000000000000)).toBe(1_795_428_000_000);
  expect(instant("started_at", null)).toBeNull();
  expect(instant("files", 3)).toBeNull();
});

it("rooms inside rooms are shown as fields", () => {
  expect(flat({ rows: 1, by_signal: { spans: { rows: 1 }, logs: { rows: 2 } }, broken: [] })).toEqual([
    ["rows", 1],
    ["spans", { rows: 1 }],
    ["logs", { rows: 2 }],
    ["broken", []],
  ]);
});
