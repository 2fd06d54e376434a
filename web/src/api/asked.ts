import { type Bucket, parted, zone } from "../frame/buckets";
import { type Range, readRange, windowOf, windowParams } from "../frame/range";
import { type ExploreSearch, readExplore, type RowKind } from "../explore/search";

/** What pages ask first, as addresses and parameters: known before anything of the page is there. */

export type Params = Record<string, string | number | null | undefined>;

/** `/api/v1/…` with its parameters; null, undefined and empty ones are left out. */
export function urlOf(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) if (value != null && value !== "") query.set(key, String(value));
  return `/api/v1/${path}${query.size ? `?${query.toString()}` : ""}`;
}

export interface Window {
  from: number; // ms since 1970
  to: number;
  bucket: Bucket;
}

/** The window of a summary in whole buckets; `first` is where an open one begins. */
export function summaryWindow(range: Range, now: number, before = false, first?: number): Window {
  const window = parted(range, now, first);
  return before ? { ...window, from: 2 * window.from - window.to, to: window.from } : window;
}

/** The parameters of a summary by some dimensions and, with `over`, by time. */
export function summaryParams(window: Window, { by = [], over = false, limit = null }: { by?: readonly string[]; over?: boolean; limit?: number | null }) {
  return {
    from: new Date(window.from).toISOString(),
    to: new Date(window.to).toISOString(),
    tz: zone(),
    group_by: [...(over ? [window.bucket] : []), ...by].join(",") || null,
    limit,
  };
}

/** The dearest models over time, as the overview draws them. */
export const SPEND_BY_MODEL = { by: ["model"], over: true, limit: 6 } as const;

export const ROWS: Record<RowKind, "traces" | "llm/calls" | "spans" | "sessions"> = { traces: "traces", calls: "llm/calls", spans: "spans", sessions: "sessions" };
/** The order of a list when none is chosen: the newest first. */
export const NEWEST: Record<RowKind, string> = { traces: "-start", calls: "-start", spans: "-start", sessions: "-last" };
export const PAGE = 100;

/** The parameters of one page of rows. */
export function rowsParams(search: ExploreSearch, cursor: string | null, now: number): Params {
  return { ...windowParams(search, now), filter: search.q ?? null, sort: search.sort ?? NEWEST[search.of ?? "traces"], limit: PAGE, cursor };
}

/** The addresses that a page asks first, by its own address. */
export function firstAsked(pathname: string, search: string, now: number): string[] {
  const raw = Object.fromEntries(new URLSearchParams(search));
  const traceId = /^\/traces\/([0-9a-f]{32})$/.exec(pathname)?.[1];
  if (traceId !== undefined) return [urlOf(`traces/${traceId}`, { view: "columns" })];
  if (pathname === "/explore") {
    const asked = readExplore(raw);
    return [urlOf(ROWS[asked.of ?? "traces"], rowsParams(asked, null, now))];
  }
  const range = readRange(raw);
  if (pathname !== "/" || windowOf(range, now).from === null) return [];
  const window = summaryWindow(range, now);
  return [urlOf("llm/summary", summaryParams(window, { over: true })), urlOf("llm/summary", summaryParams(window, SPEND_BY_MODEL)), urlOf("llm/forecast", { tz: zone() })];
}
