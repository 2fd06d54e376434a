import { type Range, readRange, textOf, windowParams } from "../frame/range";

/** The state of the list of sessions as the address bar holds it. */
export interface SessionSearch extends Range {
  user?: string;
  filter?: string; // the filter language, of calls
  sort?: string;
}

export const SORTS = ["last", "first", "cost", "tokens", "calls", "traces", "errors", "duration"] as const;
export type Sort = (typeof SORTS)[number];
export const DEFAULT_SORT = "-last";

/** Reads the address bar; what is not understood is left out. */
export function readSessionSearch(raw: Record<string, unknown>): SessionSearch {
  const search: SessionSearch = readRange(raw);
  const [user, filter, sort] = ["user", "filter", "sort"].map((key) => textOf(raw, key));
  if (user !== undefined) search.user = user;
  if (filter !== undefined) search.filter = filter;
  if (sort !== undefined && sort !== DEFAULT_SORT && (SORTS as readonly string[]).includes(sort.replace(/^-/, ""))) search.sort = sort;
  return search;
}

/** Query parameters for `GET /api/v1/sessions`, but for limit and cursor. */
export function sessionParams(search: SessionSearch, now: number): Record<string, string | null> {
  return { ...windowParams(search, now), user: search.user ?? null, filter: search.filter ?? null, sort: search.sort ?? DEFAULT_SORT };
}

/** A sort after a click on a column: largest first, then the other way round. */
export function nextSort(now: string | undefined, column: Sort): string | undefined {
  const next = (now ?? DEFAULT_SORT) === `-${column}` ? column : `-${column}`;
  return next === DEFAULT_SORT ? undefined : next;
}
