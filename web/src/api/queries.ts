import { QueryClient, queryOptions } from "@tanstack/react-query";
import { ApiError, get, Unreachable } from "./client";
import { asTree, type TraceColumns } from "./columns";
import type { FullSpan, Status, TracePage, TraceTree } from "./types";

/** What the page keeps of the server's answers. Networks the browser calls offline are used all the same: the server is often this machine. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always",
        retry: (failures, error) => error instanceof ApiError && error.status === 503 && failures < 3,
        staleTime: 1000,
      },
    },
  });
}

/** Asked every two seconds for as long as the page is looked at: it is also how a lost connection is noticed, and its return. */
export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => get<Status>("status", {}, signal),
  refetchInterval: 2000,
  retry: false,
});

/** A trace without bodies. While it is open it is asked again, the larger the rarer. */
export function traceQuery(traceId: string) {
  return queryOptions({
    queryKey: ["trace", traceId],
    queryFn: async ({ signal }) => asTree(await get<TraceColumns>(`traces/${traceId}`, { view: "columns" }, signal)),
    // not compared span by span: 30,000 of them would take longer to compare than to draw
    structuralSharing: (old, fresh) => (unchanged(old as TraceTree | undefined, fresh as TraceTree) ? old : fresh),
    refetchInterval: ({ state }) => (state.data?.state === "open" ? Math.max(2000, state.data.spans.length) : false),
    staleTime: 5000,
  });
}

/** Whether two answers say the same of a trace: spans are only ever added, and what they cost is known half a second after they came. */
function unchanged(old: TraceTree | undefined, fresh: TraceTree): boolean {
  return old !== undefined && TOLD.every((key) => old[key] === fresh[key]);
}

const TOLD = ["span_count", "error_count", "duration_ms", "state", "llm_calls", "total_cost_usd", "unpriced_calls", "decided_by", "adjusted_count"] as const;

/** One span in full. A finished span does not change; it is asked again after a minute at the earliest. */
export function spanQuery(traceId: string, spanId: string) {
  return queryOptions({
    queryKey: ["span", traceId, spanId],
    queryFn: ({ signal }) => get<FullSpan>(`traces/${traceId}/spans/${spanId}`, {}, signal),
    staleTime: 60_000,
  });
}

/** One page of the trace list. */
export function tracePage(params: Record<string, string | number | null | undefined>, signal?: AbortSignal): Promise<TracePage> {
  return get<TracePage>("traces", params, signal);
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof Unreachable;
}
