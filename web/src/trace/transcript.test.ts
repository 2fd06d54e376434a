import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TreeSpan } from "../api/types";
import type { Message } from "../messages/types";
import { span } from "./spans.fixture";
import { type Item, itemOf, newsOf, transcriptItems } from "./transcript";
import { at, buildTree, type Tree } from "./tree";

const kind = (observation_kind: string, rest: Partial<TreeSpan> = {}) => ({ observation_kind, ...rest });
const counted = { call: { counted: true, total_cost_usd: null } };
const aside = { call: { counted: false, not_counted_reason: "wraps_call", total_cost_usd: null } };
const told = (tree: Tree, items: Item[]) =>
  items.map((item) => `${"  ".repeat(item.depth)}${item.type} ${at(tree.spans, item.row).span_id}${item.type === "agent" && item.card ? (item.open ? " open" : " closed") : ""}`);

const team = buildTree([
  span("http", null, 0),
  span("boss", "http", 1, kind("agent")),
  span("again", "boss", 2, kind("agent")), // the framework's own span of the same run
  span("wrapper", "again", 3, kind("llm", aside)),
  span("one", "wrapper", 4, kind("llm", counted)),
  span("search", "again", 5, kind("tool")),
  span("helper", "again", 6, kind("agent")),
  span("inner", "helper", 7, kind("llm", counted)),
  span("broken", "again", 8, { status: { code: "error" } }),
  span("two", "again", 9, kind("llm", counted)),
]);

describe("the transcript of a trace", () => {
  it("tells each call once, wrapped runs once, sub-agents as cards", () => {
    expect(told(team, transcriptItems(team, new Set()))).toEqual(["agent boss", "call one", "step search", "agent helper closed", "failure broken", "call two"]);
    expect(told(team, transcriptItems(team, new Set(["helper"])))).toContain("  call inner");
  });

  it("knows which call goes on from which, each within its agent", () => {
    const calls = transcriptItems(team, new Set(["helper"])).filter((item) => item.type === "call");
    const before = calls.map((item) => [at(team.spans, item.row).span_id, item.before === null ? null : at(team.spans, item.before).span_id, item.toolsBetween]);
    expect(before).toEqual([
      ["one", null, false],
      ["inner", null, false],
      ["two", "one", true],
    ]);
  });

  it("makes several agents beside each other cards", () => {
    const tree = buildTree([span("root", null), span("a", "root", 1, kind("agent")), span("b", "root", 2, kind("agent"))]);
    expect(told(tree, transcriptItems(tree, new Set()))).toEqual(["agent a open", "agent b open"]);
  });

  it("opens cards where there is no conversation around them, and closes them when asked", () => {
    const tree = buildTree([
      span("flow", null, 0, kind("agent")),
      span("triage", "flow", 1, kind("agent")),
      span("c1", "triage", 2, kind("llm", counted)),
      span("refund", "flow", 3, kind("agent")),
      span("c2", "refund", 4, kind("llm", counted)),
    ]);
    expect(told(tree, transcriptItems(tree, new Set()))).toEqual(["agent flow", "agent triage open", "  call c1", "agent refund open", "  call c2"]);
    expect(told(tree, transcriptItems(tree, new Set(["triage"])))).toEqual(["agent flow", "agent triage closed", "agent refund open", "  call c2"]);
  });

  it("tells the innermost where nothing is known of what counts", () => {
    const tree = buildTree([span("outer", null, 0, kind("llm")), span("inner", "outer", 1, kind("llm"))]);
    expect(told(tree, transcriptItems(tree, new Set()))).toEqual(["call inner"]);
  });

  it("has a place for every span that is in it, above it or around it", () => {
    const items = transcriptItems(team, new Set());
    const place = (id: string) => at(team.spans, at(items, itemOf(team, items, team.row.get(id) ?? -1)).row).span_id;
    expect(["one", "wrapper", "inner", "http", "again"].map(place)).toEqual(["one", "boss", "helper", "boss", "boss"]);
  });
});

const said = (role: string, content: string): Message => ({ role, parts: [{ type: "text", content }] });
const result: Message = { role: "tool", parts: [{ type: "tool_call_response", id: "1", response: "3 rows" }] };

describe("what a call's input adds", () => {
  const first = [said("system", "s"), said("user", "one")];

  it("is all of the first", () => {
    expect(newsOf(first, null, false)).toEqual({ fresh: first, repeated: 0 });
  });

  it("is not what was sent before, nor the echo of the answer, nor a result that is told as a step", () => {
    const next = [...first, said("assistant", "tool, please"), result, said("user", "two")];
    expect(newsOf(next, first, true)).toEqual({ fresh: [said("user", "two")], repeated: 4 });
    expect(newsOf(next, first, false).fresh).toEqual([result, said("user", "two")]);
  });

  it("is everything where the conversation is another one", () => {
    const other = [said("system", "other"), said("user", "x"), said("assistant", "few-shot")];
    expect(newsOf(other, first, true)).toEqual({ fresh: other, repeated: 0 });
    expect(newsOf([said("user", "one")], first, false).fresh).toEqual([said("user", "one")]);
  });

  it("adds up to the whole", () => {
    const anyMessages = fc.array(fc.constantFrom(said("user", "a"), said("assistant", "b"), result, said("system", "c")), { maxLength: 8 });
    fc.assert(
      fc.property(anyMessages, fc.option(anyMessages), fc.boolean(), (input, before, tools) => {
        const { fresh, repeated } = newsOf(input, before, tools);
        expect(fresh.length + repeated).toBe(input.length);
      }),
    );
  });
});
