import { at, type Tree } from "./tree";
import type { Laid } from "./scale";

/** For each row the lane it is drawn in: below its parent, and nowhere over another span. Lanes in order of time, so that one can be searched. */
export interface Lanes {
  lane: Int32Array;
  rows: Int32Array[]; // of each lane, by start
}

/** Lays spans that run at the same time below each other. Siblings one after the other share a lane. */
export function lanesOf(tree: Tree, laid: Laid): Lanes {
  const n = tree.spans.length;
  const lane = new Int32Array(n);
  const order = Array.from({ length: n }, (_, row) => row).sort((a, b) => at(laid.left, a) - at(laid.left, b) || a - b);
  const ends: number[] = [];
  const rows: number[][] = [];
  for (const row of order) {
    const up = at(tree.parent, row);
    let free = up < 0 ? 0 : at(lane, up) + 1;
    while (free < ends.length && at(ends, free) > at(laid.left, row) + 1e-9) free++;
    lane[row] = free;
    ends[free] = at(laid.left, row) + at(laid.width, row);
    (rows[free] ??= []).push(row);
  }
  return { lane, rows: rows.map((each) => Int32Array.from(each)) };
}

/** The first index of a lane whose span ends after `from`; spans of one lane do not overlap. */
export function firstFrom(lane: Int32Array, laid: Laid, from: number): number {
  let [low, high] = [0, lane.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = at(lane, middle);
    if (at(laid.left, row) + at(laid.width, row) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
