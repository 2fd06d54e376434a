import { label } from "../format/time";

/** The time range of a page as the address bar holds it; what is absent is the default. It goes along from page to page. */
export interface Range {
  range?: string; // a key of RANGES; `from` and `to` win
  from?: string; // RFC 3339
  to?: string;
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

/** Text of the address bar; undefined when it is absent or empty. */
export function textOf(raw: Record<string, unknown>, key: string): string | undefined {
  const value = raw[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Reads the range from the address bar; what is not understood is left out. */
export function readRange(raw: Record<string, unknown>): Range {
  const read: Range = {};
  const [range, from, to] = ["range", "from", "to"].map((key) => textOf(raw, key));
  if (from !== undefined && !Number.isNaN(Date.parse(from))) read.from = from;
  if (to !== undefined && !Number.isNaN(Date.parse(to))) read.to = to;
  if (range !== undefined && Object.hasOwn(RANGES, range) && range !== DEFAULT_RANGE && read.from === undefined) read.range = range;
  return read;
}

/** The window in milliseconds at `now`; null where it is open. */
export function windowOf(search: Range, now: number): { from: number | null; to: number | null } {
  const to = search.to === undefined ? null : Date.parse(search.to);
  if (search.from !== undefined) return { from: Date.parse(search.from), to };
  const from = (to ?? now) - (RANGES[search.range ?? DEFAULT_RANGE]?.ms ?? 0);
  return { from: Number.isFinite(from) ? from : null, to };
}

/** `from` and `to` as the API takes them. */
export function windowParams(search: Range, now: number): { from: string | null; to: string | null } {
  const { from, to } = windowOf(search, now);
  return { from: iso(from), to: iso(to) };
}

/** What the time range button says. */
export function rangeLabel(search: Range): string {
  if (search.from === undefined && search.to === undefined) return RANGES[search.range ?? DEFAULT_RANGE]?.label ?? "";
  const { from, to } = windowOf(search, Date.now());
  return `${from === null ? "ever" : label(from)} – ${to === null ? "now" : label(to)}`;
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
