import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { isUnreachable } from "../api/queries";
import { Notice } from "./Notice";

/** What is inside, or what the server said against it. A server that does not answer is told by the frame, and the page stays. */
export function Failed({ error, what, actions, children }: { error: Error | null; what: string; actions?: ReactNode; children: ReactNode }) {
  if (error === null || isUnreachable(error)) return children;
  return (
    <Notice title={what} code={error instanceof ApiError ? error.code : undefined} actions={actions}>
      {error.message.includes("\n") ? <pre>{error.message}</pre> : <p>{error.message}</p>}
      {error instanceof ApiError && error.status === 408 && <p>What is stored is fine. A shorter time range, or a narrower filter, is answered sooner.</p>}
    </Notice>
  );
}
