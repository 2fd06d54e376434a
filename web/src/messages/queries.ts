import { queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import type { Conversation } from "./types";

/** What was said in a span; fetched when it is looked at. A finished span does not change, but its log records may come later. */
export function messagesQuery(traceId: string, spanId: string) {
  return queryOptions({
    queryKey: ["messages", traceId, spanId],
    queryFn: ({ signal }) => get<Conversation>(`traces/${traceId}/spans/${spanId}/messages`, {}, signal),
    staleTime: 60_000,
  });
}
