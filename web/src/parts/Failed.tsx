import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { isUnreachable } from "../api/queries";
import { Notice } from "./Notice";

interface Says {
  /** What could not be had, as a sentence. */
  what: string;
  /** What else can be done about it. */
  actions?: ReactNode;
  /** Sentences under the server's own. */
  more?: ReactNode;
}

/** What is inside, or what the server said against it. A server that does not answer is told by the frame, and the page stays. */
export function Failed({ error, children, ...says }: Says & { error: Error | null; children?: ReactNode }) {
  return error === null || isUnreachable(error) ? children : <Failure error={error} {...says} />;
}

function Failure({ error, what, actions, more }: Says & { error: Error }) {
  const client = useQueryClient();
  const status = error instanceof ApiError ? error.status : 0;
  const again = () => void client.refetchQueries({ predicate: (query) => query.state.status === "error" });
  return (
    <Notice
      title={what}
      code={error instanceof ApiError ? `${error.status} ${error.code.replaceAll("_", " ")}` : undefined}
      actions={
        <>
          {(status >= 500 || status === 408) && (
            <button type="button" className="button" onClick={again}>
              try again
            </button>
          )}
          {actions}
        </>
      }
    >
      {error.message.includes("\n") ? <pre>{error.message}</pre> : <p>{error.message}</p>}
      {status === 408 && <p>What is stored is fine. A shorter time range, or a narrower filter, is answered sooner.</p>}
      {more}
    </Notice>
  );
}
