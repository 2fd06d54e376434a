import { at, type Tree } from "./tree";

/** A span of one trace beside the one that does the same in another; -1 where there is none. */
export interface Pair {
  depth: number;
  name: string;
  a: number;
  b: number;
}

/**
 * Two traces as one tree. Spans belong together when their parents do, they have the same name, and each is the n-th of that name there. What only the
 * second has stands behind what came before it.
 */
export function align(a: Tree, b: Tree): Pair[] {
  const pairs: Pair[] = [];
  const roots = (tree: Tree) => children(tree, 0, tree.spans.length);
  // a stack of what is still to be told, so that deep chains need no recursion
  const open: Pair[] = beside(a, b, roots(a), roots(b), 0).reverse();
  for (let pair = open.pop(); pair; pair = open.pop()) {
    pairs.push(pair);
    const below = beside(a, b, pair.a < 0 ? [] : inside(a, pair.a), pair.b < 0 ? [] : inside(b, pair.b), pair.depth + 1);
    for (let i = below.length - 1; i >= 0; i--) open.push(at(below, i));
  }
  return pairs;
}

function beside(a: Tree, b: Tree, left: number[], right: number[], depth: number): Pair[] {
  const keys = named(b, right);
  const found = new Map(right.map((row, index) => [at(keys, index), row]));
  const pairs = named(a, left).map((key, index): Pair => {
    const row = at(left, index);
    const other = found.get(key) ?? -1;
    found.delete(key);
    return { depth, name: at(a.spans, row).name, a: row, b: other };
  });
  let behind = 0;
  for (const [index, row] of right.entries()) {
    if (found.has(at(keys, index))) pairs.splice(behind++, 0, { depth, name: at(b.spans, row).name, a: -1, b: row });
    else behind = pairs.findIndex((pair) => pair.b === row) + 1;
  }
  return pairs;
}

/** Each row as its name and which of that name it is. */
function named(tree: Tree, rows: readonly number[]): string[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const { name } = at(tree.spans, row);
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    return `${nth} ${name}`;
  });
}

function inside(tree: Tree, row: number): number[] {
  return children(tree, row + 1, row + at(tree.size, row));
}

function children(tree: Tree, from: number, to: number): number[] {
  const rows: number[] = [];
  for (let row = from; row < to; row += at(tree.size, row)) rows.push(row);
  return rows;
}
