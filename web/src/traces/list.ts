import type { TracePage, TraceSummary } from "../api/types";
import { DEFAULT_SORT, type Sort } from "./search";

/** Orders summaries as the server does for a `sort` parameter: by its value, then by trace id, both in its direction. */
export function comparator(sort: string = DEFAULT_SORT): (a: TraceSummary, b: TraceSummary) => number {
  const sign = sort.startsWith("-") ? -1 : 1;
  const key = sort.replace(/^-/, "") as Sort;
  return (a, b) => sign * (compareBy(key, a, b) || (a.trace_id < b.trace_id ? -1 : a.trace_id > b.trace_id ? 1 : 0));
}

function compareBy(key: Sort, a: TraceSummary, b: TraceSummary): number {
  switch (key) {
    case "start": {
      const [left, right] = [BigInt(a.start_ns), BigInt(b.start_ns)];
      return left < right ? -1 : left > right ? 1 : 0;
    }
    case "duration":
      return a.duration_ms - b.duration_ms;
    default:
      return a[key] - b[key];
  }
}

/**
 * The loaded rows brought up to date by the freshest first page. Within its reach the fresh page is the truth: what it lacks is gone, what
 * changed is replaced. Beyond it the loaded rows stay. Null when the two do not meet: so much is new that the rows in between are unknown.
 */
export function mergeHead(loaded: readonly TraceSummary[], head: TracePage, sort?: string): TraceSummary[] | null {
  if (head.next_cursor === null) return head.items;
  const last = head.items.at(-1);
  if (!last) return [];
  const compare = comparator(sort);
  const fresh = new Set(head.items.map((item) => item.trace_id));
  if (loaded.length > 0 && !loaded.some((item) => fresh.has(item.trace_id))) return null;
  return [...head.items, ...loaded.filter((item) => !fresh.has(item.trace_id) && compare(item, last) > 0)];
}

/** Pages in order as one list; a trace that moved while paging is shown once, where it stands first. */
export function flatten(pages: readonly (readonly TraceSummary[])[]): TraceSummary[] {
  const seen = new Set<string>();
  return pages.flat().filter((item) => !seen.has(item.trace_id) && seen.add(item.trace_id));
}

/** How far a list that is being read has to be scrolled so that the row on top stays where it is: rows before it now, less before. */
export function shift(before: readonly TraceSummary[], after: readonly TraceSummary[], top: number): number {
  const where = new Map(after.map((item, index) => [item.trace_id, index]));
  for (let index = top; index < before.length; index++) {
    const now = where.get(before[index]?.trace_id ?? "");
    if (now !== undefined) return now - index;
  }
  return 0;
}
