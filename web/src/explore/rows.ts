import { infiniteQueryOptions } from "@tanstack/react-query";
import { moment } from "../api/ahead";
import { ROWS, rowsParams } from "../api/asked";
import { type Answer, ask, type Query } from "../api/client";
import type { ExploreSearch } from "./search";

export type Trace = Answer<"/api/v1/traces">["items"][number];
export type Call = Answer<"/api/v1/llm/calls">["items"][number];
export type Span = Answer<"/api/v1/spans">["items"][number];
export type Session = Answer<"/api/v1/sessions">["items"][number];

/** A row of any kind, told apart by `of`. */
export type Row = { of: "traces"; row: Trace } | { of: "calls"; row: Call } | { of: "spans"; row: Span } | { of: "sessions"; row: Session };

export interface Page {
  rows: Row[];
  next: string | null;
}

/** One page of the rows of a search. */
export async function pageOf(search: ExploreSearch, cursor: string | null, signal?: AbortSignal): Promise<Page> {
  const of = search.of ?? "traces";
  // every list takes the same parameters; which orders there are is the list's own, and a wrong one is refused in a sentence
  const path = `/api/v1/${ROWS[of]}` as const;
  const said = await ask(path, rowsParams(search, cursor, moment()) as Query<typeof path>, signal);
  return { rows: said.items.map((row) => ({ of, row }) as Row), next: said.next_cursor };
}

/** The rows of a search, page by page; neither which row is open nor which columns are shown makes them others. */
export function rowsQuery(search: ExploreSearch) {
  return infiniteQueryOptions({
    queryKey: ["rows", { ...search, live: undefined, row: undefined, cols: undefined }],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => pageOf(search, pageParam, signal),
    getNextPageParam: (last) => last.next,
  });
}

/** What tells a row from every other of its kind. */
export function keyOf({ of, row }: Row): string {
  if (of === "traces") return row.trace_id;
  return of === "sessions" ? row.session_id : `${row.trace_id}:${row.span_id}`;
}

/** Where a row is looked at whole: a trace, and a span in it. */
export function placeOf({ of, row }: Row): { traceId: string; span?: string } | null {
  if (of === "traces") return { traceId: row.trace_id };
  return of === "sessions" ? null : { traceId: row.trace_id, span: row.span_id };
}
