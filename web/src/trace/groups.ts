import { at, type Tree } from "./tree";

/** Small siblings one after the other with one name and kind: rows `first` to `end` (behind the last). */
export interface Group {
  first: number;
  end: number;
  count: number;
}

const LEAST = 5; // fewer are read sooner than unfolded
const LARGEST = 3; // spans of a member: a query and its transport are alike, the turns of an agent are not

/** Runs of similar siblings, in order. */
export function findGroups(tree: Tree): Group[] {
  const groups: Group[] = [];
  const scan = (from: number, to: number) => {
    for (let row = from; row < to; ) {
      let [end, count] = [row + at(tree.size, row), 1];
      while (end < to && alike(tree, row, end)) {
        end += at(tree.size, end);
        count += 1;
      }
      if (count >= LEAST) groups.push({ first: row, end, count });
      row = end;
    }
  };
  scan(0, tree.spans.length);
  for (let row = 0; row < tree.spans.length; row++) if (at(tree.size, row) > LEAST) scan(row + 1, row + at(tree.size, row));
  return groups.sort((a, b) => a.first - b.first);
}

function alike(tree: Tree, a: number, b: number): boolean {
  if (at(tree.size, a) > LARGEST || at(tree.size, b) > LARGEST) return false;
  return at(tree.spans, a).name === at(tree.spans, b).name && at(tree.kind, a) === at(tree.kind, b);
}

/** The rows of a group's members. */
export function members(tree: Tree, group: Group): number[] {
  const rows: number[] = [];
  for (let row = group.first; row < group.end; row += at(tree.size, row)) rows.push(row);
  return rows;
}
