import { queryOptions } from "@tanstack/react-query";
import { ask } from "../api/client";
import { type Range, windowParams } from "../frame/range";
import type { ExploreSearch, RowKind } from "./search";

/** What a filter of sessions is asked of: their calls. */
export function askedOf(of: RowKind | undefined): "traces" | "calls" | "spans" {
  return of === "sessions" ? "calls" : (of ?? "traces");
}

/** The fields whose values stand beside the table. */
export const FACETS: Record<"traces" | "calls" | "spans", string[]> = {
  traces: ["status", "service", "model", "name", "user", "state"],
  calls: ["status", "model_name", "application", "provider", "operation", "environment", "finish", "user", "error_type"],
  spans: ["status", "observation", "service", "name", "model", "tool", "provider", "error_type"],
};

const STALE_MS = 10_000;

function windowKey({ range, from, to }: Range) {
  return { range, from, to };
}

/** How the rows of a search lie in time. */
export function histogramQuery(search: ExploreSearch) {
  const of = askedOf(search.of);
  return queryOptions({
    queryKey: ["histogram", of, windowKey(search), search.q],
    queryFn: ({ signal }) => ask("/api/v1/histogram", { of, ...wholeMinutes(search), filter: search.q ?? null, slots: 90 }, signal),
    staleTime: STALE_MS,
    refetchInterval: search.to === undefined && search.live !== "off" ? STALE_MS : false,
    placeholderData: (old) => (old?.of === of ? old : undefined),
  });
}

/** The most frequent values of the fields beside the table. */
export function facetsQuery(search: ExploreSearch) {
  const of = askedOf(search.of);
  return queryOptions({
    queryKey: ["facets", of, windowKey(search), search.q],
    queryFn: ({ signal }) => ask("/api/v1/facets", { of, ...windowParams(search, Date.now()), filter: search.q ?? null, fields: FACETS[of].join(","), limit: 8 }, signal),
    staleTime: 3 * STALE_MS,
    placeholderData: (old) => (old?.of === of ? old : undefined),
  });
}

/** What a filter can ask of rows. */
export function fieldsQuery(of: RowKind | undefined) {
  const asked = askedOf(of);
  return queryOptions({ queryKey: ["fields", asked], queryFn: ({ signal }) => ask("/api/v1/fields", { of: asked }, signal), staleTime: Infinity });
}

/** Values of one field that have a text inside, the most frequent first. */
export function valuesQuery(search: ExploreSearch, field: string, prefix: string) {
  const of = askedOf(search.of);
  return queryOptions({
    queryKey: ["values", of, windowKey(search), field, prefix],
    queryFn: async ({ signal }) => {
      const said = await ask("/api/v1/facets", { of, ...windowParams(search, Date.now()), fields: field, prefix: prefix || null, limit: 12 }, signal);
      return { values: said.facets[0]?.values ?? [] };
    },
    staleTime: 3 * STALE_MS,
    retry: false,
  });
}

/** Sums of minutes answer at once where the window has whole ones. */
function wholeMinutes(search: Range) {
  const { from, to } = windowParams(search, Date.now());
  const minute = 60_000;
  return {
    from: from === null ? null : new Date(Math.floor(Date.parse(from) / minute) * minute).toISOString(),
    to: new Date(Math.ceil((to === null ? Date.now() : Date.parse(to)) / minute) * minute).toISOString(),
  };
}
