import { expect, it } from "vitest";
import { findGroups, members } from "./groups";
import { span } from "./spans.fixture";
import { buildTree, visibleRows } from "./tree";

const many = (name: string, parent: string, count: number, from: number) =>
  Array.from({ length: count }, (_, i) => span(`${name}${from + i}`, parent, from + i, { name }));

it("folds runs of similar siblings, not scattered ones", () => {
  const tree = buildTree([span("root", null), ...many("sql", "root", 6, 1), span("chat", "root", 10), ...many("sql", "root", 3, 11), ...many("get", "chat", 7, 20)]);
  const groups = findGroups(tree);
  expect(groups.map(({ first, count }) => [first, count])).toEqual([
    [1, 6],
    [8, 7],
  ]);
  expect(members(tree, groups[1] ?? { first: 0, end: 0, count: 0 })).toHaveLength(7);
  const rows = [...visibleRows(tree, new Set(), undefined, groups)];
  expect(rows).toEqual([0, ~0, 7, ~1, 15, 16, 17]);
  expect([...visibleRows(tree, new Set(), undefined, groups, new Set([1]))].slice(0, 4)).toEqual([0, ~0, 1, 2]);
  expect([...visibleRows(tree, new Set(["chat"]), undefined, groups)]).toEqual([0, ~0, 7, 15, 16, 17]);
  expect([...visibleRows(tree, new Set(), (row) => row === 9, groups)]).toEqual([0, 7, 9]);
});

it("takes members with all that is below them", () => {
  const steps = Array.from({ length: 5 }, (_, i) => [span(`step${i}`, "root", i * 10, { name: "step" }), span(`in${i}`, `step${i}`, i * 10 + 1)]).flat();
  const tree = buildTree([span("root", null), ...steps]);
  expect(findGroups(tree)).toEqual([{ first: 1, end: 11, count: 5 }]);
});

it("leaves turns of an agent unfolded, however many there are", () => {
  const turns = Array.from({ length: 6 }, (_, i) => [span(`turn${i}`, "root", i * 10, { name: "turn" }), ...many(`in${i}`, `turn${i}`, 3, i * 10 + 1)]).flat();
  expect(findGroups(buildTree([span("root", null), ...turns]))).toEqual([]);
});
