import type { Query } from "../api/client";
import { type Range, readRange, textOf } from "../frame/range";

/** How groups are ordered. */
export type Order = NonNullable<Query<"/api/v1/errors">["order"]>;

/** The state of the errors page. */
export interface ErrorsSearch extends Range {
  sort?: Order; // absent: the most frequent first
}

/** Reads the address bar; what is not understood is left out. */
export function readErrors(raw: Record<string, unknown>): ErrorsSearch {
  const sort = textOf(raw, "sort");
  const known: readonly string[] = ["-last", "-first", "-traces"];
  return { ...readRange(raw), ...(sort !== undefined && known.includes(sort) && { sort: sort as Order }) };
}

/** What the page asks. */
export function errorsAsked(search: ErrorsSearch): { limit: number; order: Order } {
  return { limit: 200, order: search.sort ?? "-count" };
}
