import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { tracePage } from "../api/queries";
import type { TraceSummary } from "../api/types";
import { useLastSearch } from "../traces/memory";
import type { Page } from "../explore/rows";

/**
 * Going to the previous (-1) or next (1) trace: of the list the reader came from as far as it is loaded, else by start, newest first, within the
 * same filters (which needs the trace itself to be loaded). `said` is what to tell when there is none.
 */
export function useNeighbours(traceId: string, trace: Pick<TraceSummary, "start_ns"> | undefined): { go: (step: -1 | 1) => void; said: string | null } {
  const client = useQueryClient();
  const navigate = useNavigate();
  const lastRef = useLastSearch();
  const [said, setSaid] = useState<string | null>(null);

  const find = async (step: -1 | 1): Promise<string | null> => {
    const pages = client.getQueriesData<InfiniteData<Page>>({ queryKey: ["rows"], type: "all" }).map(([, data]) => data);
    const list = pages.flatMap((data) => data?.pages.flatMap(({ rows }) => rows) ?? []).flatMap((row) => (row.of === "traces" ? [row.row.trace_id] : []));
    const at = list.indexOf(traceId);
    const listed = at < 0 ? undefined : list[at + step];
    if (listed !== undefined) return listed;
    if (!trace) return null;
    const filter = (lastRef.current.of ?? "traces") === "traces" ? lastRef.current.q : undefined;
    const start = BigInt(trace.start_ns);
    const where = step > 0 ? { to: String(start), sort: "-start" } : { from: String(start + 1n), sort: "start" };
    return (await tracePage({ filter, ...where, limit: 1 })).items[0]?.trace_id ?? null;
  };
  const go = (step: -1 | 1) => {
    void find(step).then(
      (traceId) => {
        setSaid(traceId === null ? (step > 0 ? "no older trace" : "no newer trace") : null);
        if (traceId !== null) void navigate({ to: "/traces/$traceId", params: { traceId }, replace: true });
      },
      (error: unknown) => setSaid(error instanceof Error ? error.message : String(error)),
    );
  };
  return { go, said };
}
