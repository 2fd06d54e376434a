import type { TraceTree } from "../api/types";
import { duration } from "../format/duration";
import { count } from "../format/number";
import { milliseconds } from "../format/time";
import { Copy } from "../parts/Copy";
import { CheckIcon, ErrorIcon } from "../parts/icons";
import { Ago } from "../parts/now";
import { State } from "../parts/State";

/** The line of facts below the top bar. */
export function Summary({ trace }: { trace: TraceTree }) {
  const failed = trace.error_count > 0;
  return (
    <div className="summary">
      <span className={failed ? "is-error" : "is-good"}>
        {failed ? <ErrorIcon /> : <CheckIcon />} {failed ? `${count(trace.error_count)} ${trace.error_count === 1 ? "error" : "errors"}` : "ok"}
      </span>
      <span className="number">
        <strong>{duration(trace.duration_ms)}</strong>
      </span>
      <span className="number">
        {count(trace.span_count)} {trace.span_count === 1 ? "span" : "spans"}
      </span>
      <span title={trace.services.join(", ")}>{trace.services.length > 3 ? `${trace.services.slice(0, 3).join(", ")} +${trace.services.length - 3}` : trace.services.join(", ")}</span>
      <span className="muted">
        <Ago ms={milliseconds(trace.start_ns)} />
        <Copy text={trace.start} label="copy the start time (ISO)" />
      </span>
      <State state={trace.state} />
      <span className="summary-id">
        <code className="faint">{trace.trace_id}</code>
        <Copy text={trace.trace_id} label="copy trace id" />
      </span>
    </div>
  );
}
