import { parseDuration } from "../format/duration";
import { type Range, readRange, textOf, windowParams } from "../frame/range";

/** The state of the trace list as the address bar holds it; what is absent is the default. */
export interface TraceSearch extends Range {
  service?: string;
  status?: "ok" | "error";
  min?: string; // as typed: `500ms`
  filter?: string; // the filter language
  sort?: string; // a key of SORTS, `-` in front for descending
  live?: "off";
}

export const DEFAULT_SORT = "-start";
export const SORTS = ["start", "duration", "span_count", "error_count"] as const;
export type Sort = (typeof SORTS)[number];

/** Reads the address bar; what is not understood is left out rather than sent to the server. */
export function readSearch(raw: Record<string, unknown>): TraceSearch {
  const search: TraceSearch = readRange(raw);
  const [service, status, min, sort, filter] = ["service", "status", "min", "sort", "filter"].map((key) => textOf(raw, key));
  if (service !== undefined) search.service = service;
  if (status === "ok" || status === "error") search.status = status;
  if (min !== undefined && parseDuration(min) !== null) search.min = min;
  if (sort !== undefined && sort !== DEFAULT_SORT && (SORTS as readonly string[]).includes(sort.replace(/^-/, ""))) search.sort = sort;
  if (filter !== undefined) search.filter = filter;
  if (textOf(raw, "live") === "off") search.live = "off";
  return search;
}

/** Query parameters for `GET /api/v1/traces`, but for limit and cursor. */
export function traceParams(search: TraceSearch, now: number): Record<string, string | null> {
  return {
    ...windowParams(search, now),
    service: search.service ?? null,
    status: search.status ?? null,
    min_duration_ms: search.min === undefined ? null : String(parseDuration(search.min)),
    filter: search.filter ?? null,
    sort: search.sort ?? DEFAULT_SORT,
  };
}

/** Whether anything narrows the list beyond its time range. */
export function isFiltered(search: TraceSearch): boolean {
  return search.service !== undefined || search.status !== undefined || search.min !== undefined || search.filter !== undefined;
}

/** Whether new traces can appear in the list by themselves. */
export function isLive(search: TraceSearch): boolean {
  return search.live !== "off" && search.to === undefined;
}
