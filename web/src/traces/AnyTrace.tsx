import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { statusQuery } from "../api/queries";
import type { Status } from "../api/types";
import { FirstRun } from "./FirstRun";
import "./firstrun.css";

/** What is inside, or how to send a first trace where none ever was; the first span that comes turns the page by itself. */
export function AnyTrace({ children }: { children: ReactNode }) {
  const { data } = useQuery(statusQuery);
  return data && !anySpan(data) ? <FirstRun /> : children;
}

/** Whether a span was ever received that is not yet deleted, or came since the start. */
function anySpan({ ingest, storage, journal }: Status): boolean {
  const bySignal = storage?.by_signal as Record<string, { rows?: number }> | undefined;
  return Number(ingest?.spans ?? 0) > 0 || (bySignal?.spans?.rows ?? 0) > 0 || Number(journal?.open_rows ?? 0) > 0;
}
