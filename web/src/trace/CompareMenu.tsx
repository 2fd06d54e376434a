import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useRef, useState } from "react";
import { tracePage } from "../api/queries";
import type { TraceTree } from "../api/types";
import { quoted } from "../explore/condition";
import { duration } from "../format/duration";
import { usd } from "../format/money";
import { milliseconds } from "../format/time";
import { CompareIcon, ErrorIcon } from "../parts/icons";
import { Ago } from "../parts/now";
import { useAway } from "../parts/useAway";

/** Chooses a trace to compare with: a recent one that began in the same way, or any by its id. */
export function CompareMenu({ trace }: { trace: TraceTree }) {
  const [open, setOpen] = useState(false);
  const [wrong, setWrong] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const close = useCallback(() => setOpen(false), []);
  const navigate = useNavigate();
  const { data, error } = useQuery({
    queryKey: ["alike", trace.service_name, trace.root_name],
    queryFn: ({ signal }) => tracePage({ filter: trace.root_name ? `name=${quoted(trace.root_name)}` : null, service: trace.service_name, limit: 12 }, signal),
    enabled: open,
    staleTime: 10_000,
  });
  useAway(open, box, close);
  const choose = (other: string) => {
    setOpen(false);
    void navigate({ to: "/traces/$traceId", params: { traceId: trace.trace_id }, search: { with: other } });
  };
  const others = data?.items.filter((item) => item.trace_id !== trace.trace_id);
  return (
    <div className="menu" ref={box}>
      <button type="button" className="button" aria-haspopup="dialog" aria-expanded={open} aria-label="compare" onClick={() => setOpen(!open)}>
        <CompareIcon /> <span>compare</span>
      </button>
      {open && (
        <div className="popup menu-box" role="dialog" aria-label="compare with">
          {others && others.length > 0 && <p className="faint">Recent traces that begin with “{trace.root_name}”</p>}
          {others && others.length === 0 && <p className="faint">No other trace begins with “{trace.root_name}”.</p>}
          {error && <p className="wrong">{error.message}</p>}
          <ul>
            {others?.map((item) => (
              <li key={item.trace_id}>
                <button type="button" className="choice menu-trace" onClick={() => choose(item.trace_id)}>
                  {item.error_count > 0 && (
                    <span className="is-error">
                      <ErrorIcon size={12} />
                    </span>
                  )}
                  <Ago ms={milliseconds(item.start_ns)} />
                  <span className="number">{duration(item.duration_ms)}</span>
                  <span className="number">{item.total_cost_usd == null ? "" : usd(item.total_cost_usd)}</span>
                  <code className="faint">{item.trace_id.slice(0, 8)}</code>
                </button>
              </li>
            ))}
          </ul>
          <form
            className="menu-way"
            onSubmit={(event) => {
              event.preventDefault();
              const id = new FormData(event.currentTarget).get("other");
              const other = typeof id === "string" ? id.trim().toLowerCase() : "";
              if (/^[0-9a-f]{32}$/.test(other)) choose(other);
              else setWrong(true);
            }}
          >
            <input className="field mono" name="other" placeholder="or a trace id" aria-label="trace id to compare with" aria-invalid={wrong} onChange={() => setWrong(false)} />
            <button className="button">compare</button>
          </form>
          {wrong && (
            <p className="wrong" role="alert">
              A trace id is 32 hexadecimal digits.
            </p>
          )}
        </div>
      )}
    </div>
  );
}
