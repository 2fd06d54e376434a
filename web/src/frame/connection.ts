import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { isUnreachable, statusQuery } from "../api/queries";

/** Since when nothing answers (ms since 1970), or null. When the server is back, everything shown is asked again. */
export function useLostSince(): number | null {
  const client = useQueryClient();
  const status = useQuery(statusQuery);
  const lost = status.isError && isUnreachable(status.error);
  const was = useRef(false);
  useEffect(() => {
    if (was.current && !lost) void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "status" });
    was.current = lost;
  }, [lost, client]);
  if (!lost) return null;
  return status.dataUpdatedAt || status.errorUpdatedAt;
}
