import { expect, it } from "vitest";
import { csv, curl } from "./text";

it("writes CSV that any reader understands", () => {
  const columns = [{ name: "a,b", type: "VARCHAR" }, { name: "n", type: "INTEGER" }];
  expect(csv({ columns, rows: [['say "x"\n', 1], [null, 2.5], [["l", 1], null]] })).toBe('"a,b",n\r\n"say ""x""\n",1\r\n,2.5\r\n"[""l"",1]",\r\n');
});

it("survives a shell", () => {
  expect(curl("http://h", "SELECT 'x'")).toBe(`curl -s http://h/api/v1/sql -H 'content-type: application/json' -d '{"query":"SELECT '\\''x'\\''"}'`);
});
