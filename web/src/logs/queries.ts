import { queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import type { LogPage } from "./types";

/** One page of records. */
export function logPage(params: Record<string, string | number | null | undefined>, signal?: AbortSignal): Promise<LogPage> {
  return get<LogPage>("logs", params, signal);
}

/** The records of a trace, or of one span of it: the latest thousand. */
export function traceLogsQuery(traceId: string, spanId: string | null) {
  return queryOptions({
    queryKey: ["logs", traceId, spanId],
    queryFn: ({ signal }) => logPage({ trace_id: traceId, span_id: spanId, limit: 1000 }, signal),
    staleTime: 5000,
  });
}
