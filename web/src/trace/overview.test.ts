import { expect, it } from "vitest";
import { overviewPixels } from "./overview";
import { lay, plainScale } from "./scale";
import { span } from "./spans.fixture";
import { buildTree } from "./tree";

const [WIDTH, HEIGHT, ERROR] = [200, 48, 99];

it("every span leaves a mark, at its own time and height", () => {
  const tree = buildTree([
    span("root", null, 0, { duration_ns: "100000000" }),
    span("first half", "root", 0, { duration_ns: "50000000" }),
    span("instant at the end", "root", 100, { duration_ns: "0" }),
  ]);
  const pixels = overviewPixels(tree, lay(tree, plainScale(tree.total)), (row) => row + 1, ERROR, WIDTH, HEIGHT);
  const columns = (colour: number) => [...pixels.keys()].filter((i) => pixels[i] === colour).map((i) => i % WIDTH);
  expect([Math.min(...columns(1)), Math.max(...columns(1))]).toEqual([0, 199]);
  expect([Math.min(...columns(2)), Math.max(...columns(2))]).toEqual([0, 99]);
  expect(new Set(columns(3))).toEqual(new Set([199]));
});

it("one error among 30,000 spans is seen", () => {
  const many = Array.from({ length: 30_000 }, (_, i) => span(`s${i}`, i ? "s0" : null, i, i === 12_345 ? { status: { code: "error" } } : {}));
  const before = performance.now();
  const tree = buildTree(many);
  const pixels = overviewPixels(tree, lay(tree, plainScale(tree.total)), () => 1, ERROR, 1600, 96);
  expect(performance.now() - before).toBeLessThan(1000);
  expect(pixels.filter((pixel) => pixel === ERROR).length).toBeGreaterThan(0);
});
