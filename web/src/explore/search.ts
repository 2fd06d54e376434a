import { all, condition } from "./condition";
import { type Range, readRange, textOf } from "../frame/range";

/** What one row of the table is. */
export const KINDS = ["traces", "calls", "spans", "sessions"] as const;
export type RowKind = (typeof KINDS)[number];

/** The state of the explorer as the address bar holds it; what is absent is the default. */
export interface ExploreSearch extends Range {
  of?: RowKind; // absent: traces
  q?: string; // the filter, as typed
  sort?: string; // as the API takes it
  cols?: string; // names of columns, parted by commas
  live?: "off";
  row?: string; // the row that is open
}

/** Reads the address bar; what is not understood is left out. */
export function readExplore(raw: Record<string, unknown>): ExploreSearch {
  const search: ExploreSearch = readRange(raw);
  const of = textOf(raw, "of");
  if (of !== undefined && of !== "traces" && (KINDS as readonly string[]).includes(of)) search.of = of as RowKind;
  for (const key of ["q", "sort", "cols", "row"] as const) {
    const text = textOf(raw, key);
    if (text !== undefined) search[key] = text;
  }
  if (textOf(raw, "live") === "off") search.live = "off";
  return search;
}

/** Whether new rows can appear by themselves. */
export function isLive(search: ExploreSearch): boolean {
  return search.live !== "off" && search.to === undefined;
}

/** The search of the list of traces as it was before there was a filter language, in the explorer's words. */
export function fromTraces(raw: Record<string, unknown>): ExploreSearch {
  const [service, status, min] = ["service", "status", "min"].map((key) => textOf(raw, key));
  const q = all(
    service === undefined ? undefined : condition("service", service),
    status === undefined ? undefined : condition("status", status),
    min === undefined ? undefined : `duration>=${min.replaceAll(" ", "")}`,
  );
  return { ...readExplore({ ...raw, of: undefined }), ...(q !== undefined && { q }) };
}

/** The search of the list of sessions as it was when it was a page of its own. */
export function fromSessions(raw: Record<string, unknown>): ExploreSearch {
  const [user, filter] = ["user", "filter"].map((key) => textOf(raw, key));
  const q = all(user === undefined ? undefined : condition("user", user), filter);
  return { ...readExplore({ ...raw, of: "sessions" }), ...(q !== undefined && { q }) };
}
