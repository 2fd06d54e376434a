import type { TraceState } from "../api/types";

/** `open`: spans may still come. `kept`: decided and stored. */
export function State({ state }: { state: TraceState }) {
  return (
    <span className={`tag is-${state}`} title={state === "open" ? "spans of this trace may still arrive" : "decided and stored"}>
      {state}
    </span>
  );
}
