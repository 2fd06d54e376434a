import { at, type Tree } from "./tree";

/** The stretches of a row that the whole had to wait for: [from, to] in ms from the origin. */
export type Critical = ReadonlyMap<number, [number, number][]>;

/**
 * The critical path: from the end of the trace backwards, always in the span that ended last. Shortening anything else would not have made the
 * trace shorter. Of several roots the one that ends last is followed.
 */
export function criticalPath(tree: Tree): Critical {
  const path = new Map<number, [number, number][]>();
  const end = (row: number) => at(tree.start, row) + at(tree.duration, row);
  let root = -1;
  for (let row = 0; row < tree.spans.length; row += at(tree.size, row)) if (root < 0 || end(row) > end(root)) root = row;
  if (root < 0) return path;
  const add = (row: number, from: number, to: number) => {
    if (to <= from) return;
    const known = path.get(row);
    if (known) known.push([from, to]);
    else path.set(row, [[from, to]]);
  };
  // without recursion: chains of thousands of spans exist; a span counts within its parent's time only, whatever its own clock says
  const open: [row: number, since: number, until: number][] = [[root, at(tree.start, root), end(root)]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [row, since, until] = next;
    const children: number[] = [];
    for (let child = row + 1; child < row + at(tree.size, row); child += at(tree.size, child)) children.push(child);
    children.sort((a, b) => end(b) - end(a));
    let now = until;
    for (const child of children) {
      const began = Math.max(since, at(tree.start, child));
      const ended = Math.min(now, end(child));
      if (ended <= began) continue;
      add(row, ended, now);
      open.push([child, began, ended]);
      now = began;
    }
    add(row, since, now);
  }
  return path;
}
