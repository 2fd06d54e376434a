import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { forget, pinsQuery, save } from "../api/saved";
import type { TraceTree } from "../api/types";
import { useKeys } from "../frame/keys";
import { PinIcon } from "../parts/icons";

/** Keeps a trace at hand, for everyone; also the way to be rid of the pin of a trace that is gone. It is deleted in its time all the same. */
export function Pin({ traceId, trace }: { traceId: string; trace: TraceTree | undefined }) {
  const client = useQueryClient();
  const pins = useQuery(pinsQuery).data;
  const pinned = pins?.some(({ name }) => name === traceId) ?? false;
  const turn = useMutation({
    mutationFn: () => (pinned ? forget("pin", traceId) : save("pin", traceId, { root_name: trace?.root_name ?? "", service_name: trace?.service_name ?? null, start_ns: trace?.start_ns ?? "0" })),
    onSettled: () => client.invalidateQueries({ queryKey: pinsQuery.queryKey }),
  });
  const may = pins !== undefined && (pinned || trace !== undefined) && !turn.isPending;
  useKeys({ p: () => may && turn.mutate() });
  if (!trace && !pinned) return null;
  const does = pinned ? "no longer pinned: take it from the list (p)" : "pin: keep it in Explore's views and in ⌘K, for everyone (p). It expires like any other trace.";
  return (
    <button type="button" className={`button${pinned ? " is-on" : ""}`} aria-pressed={pinned} aria-label="pin" disabled={!may} title={turn.error ? turn.error.message : does} onClick={() => turn.mutate()}>
      <PinIcon /> <span>{turn.error ? "not pinned" : pinned ? "pinned" : "pin"}</span>
    </button>
  );
}
