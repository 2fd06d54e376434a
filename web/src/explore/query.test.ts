import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { all, condition, quoted } from "./condition";
import { has, parts, toggled, wordAt } from "./query";

describe("the parts of a filter", () => {
  it.each([
    ["model:gpt-4o cost>0.01", ["model:gpt-4o", "cost>0.01"]],
    ['user:"a b" "refund policy"', ['user:"a b"', '"refund policy"']],
    ["service:(api or worker) -state:open", ["service:(api or worker)", "-state:open"]],
    ['name:"say \\"hi\\" now" x', ['name:"say \\"hi\\" now"', "x"]],
    ["", []],
  ])("%s", (q, expected) => expect(parts(q)).toEqual(expected));

  it("any value stands as one part, and comes and goes", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        const one = condition("user", value);
        if (/[\n\r\t]/.test(quoted(value))) return;
        expect(parts(`status:error ${one}`)).toEqual(["status:error", one]);
        const on = toggled("status:error", one);
        expect(has(on, one)).toBe(true);
        expect(toggled(on, one)).toBe("status:error");
      }),
    );
  });

  it("what is joined by or is bracketed before more is asked", () => {
    expect(toggled("a:1 or b:2", "c:3")).toBe("(a:1 or b:2) c:3");
  });

  it("asking for a value takes back that it was left out", () => {
    expect(toggled("-model:x y:1", "model:x", "-model:x")).toBe("y:1 model:x");
  });
});

describe("conditions", () => {
  it.each([
    ["gpt-4o-mini", "user:gpt-4o-mini"],
    ["a b", 'user:"a b"'],
    ["50 *", 'user:"50 \\*"'],
    ['say "x"', 'user:"say \\"x\\""'],
    [null, "-user:*"],
  ])("%s", (value, expected) => expect(condition("user", value)).toBe(expected));

  it("nothing is asked of nothing", () => expect(all(undefined, undefined)).toBeUndefined());
});

describe("the word at the caret", () => {
  it.each([
    ["mod", 3, { start: 0, end: 3, field: null, typed: "mod", negated: false }],
    ["status:error mo", 15, { start: 13, end: 15, field: null, typed: "mo", negated: false }],
    ["model:gpt", 9, { start: 0, end: 9, field: "model", typed: "gpt", negated: false }],
    ["-model:gp", 9, { start: 1, end: 9, field: "model", typed: "gp", negated: true }],
    ['user:"a b', 9, { start: 0, end: 9, field: "user", typed: "a b", negated: false }],
    ["(a:1 or sta", 11, { start: 8, end: 11, field: null, typed: "sta", negated: false }],
  ])("of %s", (q, caret, expected) => expect(wordAt(q, caret)).toEqual(expected));
});
