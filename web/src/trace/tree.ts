import type { TreeSpan } from "../api/types";
import type { Group } from "./groups";
import { KINDS, type Kind, kindOf } from "./kinds";

/** Why a span stands at the top level although it names a parent. */
export type Misplaced = "orphan" | "cycle";

/**
 * A trace in reading order: index i is the i-th row when nothing is folded, and the subtree of i is the `size[i]` rows from i on.
 * Times are milliseconds from `origin`, the start of the earliest span (epoch ns).
 */
export interface Tree {
  spans: TreeSpan[];
  depth: Int32Array;
  size: Int32Array;
  parent: Int32Array; // row of the parent, -1 at the top level
  kind: Kind[];
  start: Float64Array;
  duration: Float64Array;
  errors: Int32Array; // of the subtree
  misplaced: Map<number, Misplaced>;
  row: Map<string, number>; // by span id; the first of equal ids
  origin: bigint;
  total: number;
}

/** Linear in the number of spans but for one sort by start; orphans and cycles of bad data end up at the top level, marked. */
export function buildTree(spans: readonly TreeSpan[]): Tree {
  const n = spans.length;
  const startsNs = spans.map((span) => BigInt(span.start_ns));
  const origin = startsNs.reduce((least, start) => (start < least ? start : least), startsNs[0] ?? 0n);
  const starts = Float64Array.from(startsNs, (start) => Number(start - origin) / 1e6);
  const byStart = Array.from({ length: n }, (_, i) => i).sort((a, b) => at(starts, a) - at(starts, b) || a - b);

  const idOf = new Map<string, number>();
  spans.forEach((span, i) => {
    if (!idOf.has(span.span_id)) idOf.set(span.span_id, i);
  });
  const parents = Int32Array.from(spans, (span, i) => {
    const parent = span.parent_span_id ? (idOf.get(span.parent_span_id) ?? -1) : -1;
    return parent === i ? -1 : parent;
  });

  // children as linked lists in order of start: walking backwards and pushing to the front keeps that order
  const firstChild = new Int32Array(n).fill(-1);
  const nextSibling = new Int32Array(n).fill(-1);
  for (let k = n - 1; k >= 0; k--) {
    const i = at(byStart, k);
    const parent = at(parents, i);
    if (parent < 0) continue;
    nextSibling[i] = at(firstChild, parent);
    firstChild[parent] = i;
  }

  const order = new Int32Array(n);
  const rowOf = new Int32Array(n).fill(-1);
  const depth = new Int32Array(n);
  const parent = new Int32Array(n);
  const size = new Int32Array(n);
  const misplaced = new Map<number, Misplaced>();
  let rows = 0;

  const place = (i: number, under: number) => {
    rowOf[i] = rows;
    order[rows] = i;
    parent[rows] = under;
    depth[rows] = under < 0 ? 0 : at(depth, under) + 1;
    rows += 1;
  };
  // depth first without recursion: chains of thousands of spans exist
  const walk = (root: number) => {
    place(root, -1);
    const stack = [root];
    while (stack.length > 0) {
      const top = at(stack, stack.length - 1);
      const child = at(firstChild, top);
      if (child < 0) {
        const row = at(rowOf, top);
        size[row] = rows - row;
        stack.pop();
        continue;
      }
      firstChild[top] = at(nextSibling, child);
      if (at(rowOf, child) >= 0) continue; // only a cycle leads back to a placed span
      place(child, at(rowOf, top));
      stack.push(child);
    }
  };
  for (const i of byStart) {
    if (at(parents, i) >= 0) continue;
    if (at(spans, i).parent_span_id) misplaced.set(rows, at(spans, i).parent_span_id === at(spans, i).span_id ? "cycle" : "orphan");
    walk(i);
  }
  for (const i of byStart) {
    if (at(rowOf, i) >= 0) continue;
    misplaced.set(rows, "cycle");
    walk(i);
  }

  const errors = new Int32Array(n);
  const start = new Float64Array(n);
  const duration = new Float64Array(n);
  let total = 0;
  for (let row = n - 1; row >= 0; row--) {
    const span = at(spans, at(order, row));
    start[row] = at(starts, at(order, row));
    duration[row] = Math.max(0, Number(span.duration_ns) / 1e6);
    total = Math.max(total, at(start, row) + at(duration, row));
    errors[row] = at(errors, row) + (span.status.code === "error" ? 1 : 0);
    const up = at(parent, row);
    if (up >= 0) errors[up] = at(errors, up) + at(errors, row);
  }
  const sorted = Array.from(order, (i) => at(spans, i));
  const row = new Map<string, number>();
  sorted.forEach((span, i) => {
    if (!row.has(span.span_id)) row.set(span.span_id, i);
  });
  return { spans: sorted, depth, size, parent, kind: sorted.map(kindOf), start, duration, errors, misplaced, row, origin, total };
}

/**
 * Rows on the screen: those with no folded ancestor and, when `keep` is given, with something kept in their subtree. A group of similar siblings is
 * the row `~index` before its first member, and hides its members unless it is `opened`; a search looks into folded subtrees and groups too.
 */
export function visibleRows(
  tree: Tree,
  folded: ReadonlySet<string>,
  keep?: (row: number) => boolean,
  groups: readonly Group[] = [],
  opened: ReadonlySet<number> = new Set(),
): Int32Array {
  const shown = keep && keptOrAbove(tree, keep);
  const rows = new Int32Array(tree.spans.length + groups.length);
  let count = 0;
  let next = 0; // the first group that does not lie before `row`
  for (let row = 0; row < tree.spans.length; ) {
    if (shown) {
      if (at(shown, row)) rows[count++] = row++;
      else row += at(tree.size, row);
      continue;
    }
    while (next < groups.length && at(groups, next).first < row) next++;
    const group = groups[next];
    if (group?.first === row) {
      rows[count++] = ~next;
      if (!opened.has(group.first)) {
        row = group.end;
        continue;
      }
    }
    rows[count++] = row;
    row += folded.has(at(tree.spans, row).span_id) ? at(tree.size, row) : 1;
  }
  return rows.subarray(0, count);
}

function keptOrAbove(tree: Tree, keep: (row: number) => boolean): Uint8Array {
  const shown = new Uint8Array(tree.spans.length);
  for (let row = tree.spans.length - 1; row >= 0; row--) {
    if (keep(row)) shown[row] = 1;
    const up = at(tree.parent, row);
    if (at(shown, row) && up >= 0) shown[up] = 1;
  }
  return shown;
}

/** Kinds that occur, in legend order, with their numbers. */
export function kindCounts(tree: Tree): [Kind, number][] {
  const counts = new Map<Kind, number>();
  for (const kind of tree.kind) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return KINDS.flatMap((kind) => (counts.has(kind) ? [[kind, counts.get(kind) ?? 0] as [Kind, number]] : []));
}

/** The element at an index that is known to be inside; says so instead of a cast at each use. */
export function at<T>(list: ArrayLike<T>, index: number): T {
  return list[index] as T;
}
