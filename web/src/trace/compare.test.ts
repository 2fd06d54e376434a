import { expect, it } from "vitest";
import { align } from "./compare";
import { span } from "./spans.fixture";
import { at, buildTree } from "./tree";

const tree = (...spans: [id: string, parent: string | null, name: string][]) => buildTree(spans.map(([id, parent, name], i) => span(id, parent, i, { name })));

it("lays two traces over each other", () => {
  const a = tree(["r", null, "ask"], ["c1", "r", "chat"], ["t", "c1", "tool"], ["c2", "r", "chat"]);
  const b = tree(["R", null, "ask"], ["x", "R", "cache"], ["C1", "R", "chat"], ["C2", "R", "chat"], ["C3", "R", "chat"], ["T", "C2", "tool"]);
  const said = align(a, b).map((pair) => [pair.depth, pair.name, pair.a < 0 ? "" : at(a.spans, pair.a).span_id, pair.b < 0 ? "" : at(b.spans, pair.b).span_id]);
  expect(said).toEqual([
    [0, "ask", "r", "R"],
    [1, "cache", "", "x"],
    [1, "chat", "c1", "C1"],
    [2, "tool", "t", ""],
    [1, "chat", "c2", "C2"],
    [2, "tool", "", "T"],
    [1, "chat", "", "C3"],
  ]);
});

it("tells every span of both once", () => {
  const a = tree(["a", null, "x"], ["b", null, "y"], ["c", "b", "x"]);
  const b = tree(["d", null, "y"], ["e", null, "x"], ["f", "d", "z"]);
  const pairs = align(a, b);
  expect(pairs.map((pair) => pair.a).filter((row) => row >= 0).sort()).toEqual([0, 1, 2]);
  expect(pairs.map((pair) => pair.b).filter((row) => row >= 0).sort()).toEqual([0, 1, 2]);
});
