import { expect, it } from "vitest";
import { matching, readSettingsSearch, type Setting, toml } from "./settings";

const setting = (key: string, says: string, set_by: string | null = null): Setting => ({
  key, says, set_by, value: 1, default: 1, environment: `OBSERVATORY_X__${key.toUpperCase()}`, takes: "a number", secret: false,
});

it("finds keys by name, meaning and variable", () => {
  const sections = [
    { name: "api", says: "", keys: [setting("threads", "how many"), setting("rows", "most rows", "--rows")] },
    { name: "log", says: "", keys: [setting("level", "least severity")] },
  ];
  const found = (text: string, set = false) => matching(sections, text, set).flatMap(({ name, keys }) => keys.map(({ key }) => `${name}.${key}`));
  expect(found("api.")).toEqual(["api.threads", "api.rows"]);
  expect(found("SEVERITY")).toEqual(["log.level"]);
  expect(found("x__level")).toEqual(["log.level"]);
  expect(found("", true)).toEqual(["api.rows"]);
  expect(found("none of these")).toEqual([]);
});

it("writes TOML", () => {
  expect([10_000, 1.5, "a", true, ["x", 2], { a: 1 }].map((value) => toml(value))).toEqual(["10_000", "1.5", '"a"', "true", '["x", 2]', "{ a = 1 }"]);
  expect(readSettingsSearch({ find: "x", changed: "no" })).toEqual({ find: "x" });
});
