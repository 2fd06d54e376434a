import { expect, it } from "vitest";
import { field, words } from "./fields";

it.each([
  ["oldest_open_s", 12.5, "12.5 s"],
  ["spans_per_s", 1234, "1.2k /s"],
  ["queue_bytes", 120_000, "120 kB"],
  ["bytes", 0, "0 B"],
  ["rows", 34_567, "34,567"],
  ["codec", "lz4", "lz4"],
  ["broken", [], "none"],
  ["broken", ["a.parquet"], "a.parquet"],
  ["something_new", { a: 1 }, '{"a":1}'],
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
