import { Link } from "@tanstack/react-router";
import type { TraceTree } from "../api/types";
import { duration } from "../format/duration";
import { usd } from "../format/money";
import { count, short } from "../format/number";
import { milliseconds } from "../format/time";
import { Copy } from "../parts/Copy";
import { CheckIcon, ErrorIcon } from "../parts/icons";
import { Ago } from "../parts/now";
import { State } from "../parts/State";

/** The line of facts below the top bar. */
export function Summary({ trace }: { trace: TraceTree }) {
  const failed = trace.error_count > 0;
  const { services } = trace;
  return (
    <div className="summary">
      <span className={failed ? "is-error" : "is-good"}>
        {failed ? <ErrorIcon /> : <CheckIcon />} {failed ? `${count(trace.error_count)} ${trace.error_count === 1 ? "error" : "errors"}` : "ok"}
      </span>
      <span className="number">
        <strong>{duration(trace.duration_ms)}</strong>
      </span>
      {(trace.llm_calls ?? 0) > 0 && <Money trace={trace} />}
      <span className="number">
        {count(trace.span_count)} {trace.span_count === 1 ? "span" : "spans"}
      </span>
      {services.length > 0 && <span title={services.join(", ")}>{services.length > 2 ? `${services.slice(0, 2).join(", ")} +${services.length - 2}` : services.join(", ")}</span>}
      {trace.user_id && (
        <span className="clip">
          <span className="faint">user</span> <span className="clip">{trace.user_id}</span>
        </span>
      )}
      {trace.session_id && (
        <span className="clip">
          <span className="faint">session</span>{" "}
          <Link to="/sessions/$sessionId" params={{ sessionId: trace.session_id }} search={{ range: "all" }} className="clip">
            {trace.session_id}
          </Link>
        </span>
      )}
      <span className="muted">
        <Ago ms={milliseconds(trace.start_ns)} />
        <Copy text={trace.start} label="copy the start time (ISO)" />
      </span>
      {trace.state === "open" && <State state="open" />}
      {trace.decided_by && <Kept by={trace.decided_by} stands={trace.adjusted_count} />}
      <span className="summary-id">
        <code className="faint">{trace.trace_id.slice(0, 8)}</code>
        <Copy text={trace.trace_id} label="copy trace id" />
      </span>
    </div>
  );
}

/** Which sampling policies kept the trace, and how many received traces it stands for where that is more than itself. */
function Kept({ by, stands }: { by: string; stands: number | null | undefined }) {
  const said =
    stands == null ? "nobody knows for how many it stands" : stands > 1 ? `it stands for ${count(Math.round(stands))} that were received` : "it stands for itself";
  return (
    <span className="muted is-last" title={`the sampling policies that kept this trace; ${said}`}>
      <span className="faint">kept by</span> {by.replaceAll(",", ", ")}
      {stands != null && stands > 1 && <span className="number"> ≈ {short(stands)} traces like it</span>}
    </span>
  );
}

/** Of the calls that count. A sum without calls that have no price says how many there are. */
function Money({ trace }: { trace: TraceTree }) {
  const unpriced = trace.unpriced_calls ?? 0;
  const calls = trace.llm_calls ?? 0;
  return (
    <>
      <span className="number" title={`${trace.total_cost_usd == null ? "no price is known" : `$${trace.total_cost_usd}`}, of ${count(calls)} ${calls === 1 ? "call" : "calls"}`}>
        {usd(trace.total_cost_usd)}
        {unpriced > 0 && <span className="unpriced">{unpriced === calls ? "unpriced" : `${count(unpriced)} unpriced`}</span>}
      </span>
      <span className="number" title={`${count(Number(trace.input_tokens ?? 0))} tokens in, ${count(Number(trace.output_tokens ?? 0))} out`}>
        {short(Number(trace.total_tokens ?? 0))} tok
      </span>
    </>
  );
}
