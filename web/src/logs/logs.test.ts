import { expect, it } from "vitest";
import { timeOf } from "./LogList";
import { logParams, readLogSearch } from "./search";
import { severity } from "./severity";

it("reads the address bar", () => {
  expect(readLogSearch({ severity: "warn", text: "no", service: "s", range: "all" })).toEqual({ severity: "warn", text: "no", service: "s", range: "all" });
  expect(readLogSearch({ severity: "loud" })).toEqual({});
  expect(logParams({ severity: "error", range: "all" }, 0)).toEqual({ from: null, to: null, service: null, severity_min: 17, text: null });
});

it("names severities", () => {
  expect([severity(0, "Notice").word, severity(10, "").word, severity(17, "ERR").tone, severity(24, "").word]).toEqual(["notice", "info", "error", "fatal"]);
});

it("dates a record by what it has", () => {
  const record = { time_ns: "0", observed_time_ns: "0", received_at_ns: "3" };
  expect([timeOf(record), timeOf({ ...record, observed_time_ns: "2" }), timeOf({ ...record, time_ns: "1", observed_time_ns: "2" })]).toEqual(["3", "2", "1"]);
});
