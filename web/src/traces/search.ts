import { parseDuration } from "../format/duration";
import { label } from "../format/time";

/** The state of the trace list as the address bar holds it; what is absent is the default. */
export interface TraceSearch {
  range?: string; // a key of RANGES; `from` and `to` win
  from?: string; // RFC 3339
  to?: string;
  service?: string;
  status?: "ok" | "error";
  min?: string; // as typed: `500ms`
  sort?: string; // a key of SORTS, `-` in front for descending
  live?: "off";
}

export const RANGES: Record<string, { label: string; ms: number }> = {
  "15m": { label: "last 15 min", ms: 15 * 60e3 },
  "1h": { label: "last 1 h", ms: 3600e3 },
  "6h": { label: "last 6 h", ms: 6 * 3600e3 },
  "24h": { label: "last 24 h", ms: 24 * 3600e3 },
  "7d": { label: "last 7 d", ms: 7 * 86_400e3 },
  "30d": { label: "last 30 d", ms: 30 * 86_400e3 },
  // no bound at all: a span that its sender dated wrongly is found too
  all: { label: "all time", ms: Infinity },
};
export const DEFAULT_RANGE = "24h";
export const DEFAULT_SORT = "-start";
export const SORTS = ["start", "duration", "span_count", "error_count"] as const;
export type Sort = (typeof SORTS)[number];

/** Reads the address bar; what is not understood is left out rather than sent to the server. */
export function readSearch(raw: Record<string, unknown>): TraceSearch {
  const search: TraceSearch = {};
  const text = (key: string) => (typeof raw[key] === "string" && raw[key] !== "" ? raw[key] : undefined);
  const [range, from, to, service, status, min, sort] = ["range", "from", "to", "service", "status", "min", "sort"].map(text);
  if (from !== undefined && !Number.isNaN(Date.parse(from))) search.from = from;
  if (to !== undefined && !Number.isNaN(Date.parse(to))) search.to = to;
  if (range !== undefined && Object.hasOwn(RANGES, range) && range !== DEFAULT_RANGE && search.from === undefined) search.range = range;
  if (service !== undefined) search.service = service;
  if (status === "ok" || status === "error") search.status = status;
  if (min !== undefined && parseDuration(min) !== null) search.min = min;
  if (sort !== undefined && sort !== DEFAULT_SORT && (SORTS as readonly string[]).includes(sort.replace(/^-/, ""))) search.sort = sort;
  if (text("live") === "off") search.live = "off";
  return search;
}

/** The window in milliseconds at `now`; null where it is open. */
export function windowOf(search: TraceSearch, now: number): { from: number | null; to: number | null } {
  const to = search.to === undefined ? null : Date.parse(search.to);
  if (search.from !== undefined) return { from: Date.parse(search.from), to };
  const from = (to ?? now) - (RANGES[search.range ?? DEFAULT_RANGE]?.ms ?? 0);
  return { from: Number.isFinite(from) ? from : null, to };
}

/** What the time range button says. */
export function rangeLabel(search: TraceSearch): string {
  if (search.from === undefined && search.to === undefined) return RANGES[search.range ?? DEFAULT_RANGE]?.label ?? "";
  const { from, to } = windowOf(search, Date.now());
  return `${from === null ? "ever" : label(from)} – ${to === null ? "now" : label(to)}`;
}

/** Query parameters for `GET /api/v1/traces`, but for limit and cursor. */
export function traceParams(search: TraceSearch, now: number): Record<string, string | null> {
  const { from, to } = windowOf(search, now);
  return {
    from: iso(from),
    to: iso(to),
    service: search.service ?? null,
    status: search.status ?? null,
    min_duration_ms: search.min === undefined ? null : String(parseDuration(search.min)),
    sort: search.sort ?? DEFAULT_SORT,
  };
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** Whether anything narrows the list beyond its time range. */
export function isFiltered(search: TraceSearch): boolean {
  return search.service !== undefined || search.status !== undefined || search.min !== undefined;
}

/** Whether new traces can appear in the list by themselves. */
export function isLive(search: TraceSearch): boolean {
  return search.live !== "off" && search.to === undefined;
}
