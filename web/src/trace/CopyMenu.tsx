import { useCallback, useRef, useState } from "react";
import { Copy } from "../parts/Copy";
import { ShareIcon } from "../parts/icons";
import { useAway } from "../parts/useAway";

const LONGEST_COPY = 2000; // spans whose OTLP fits a clipboard; larger traces are saved as a file

/** Ways to take the trace elsewhere: a link, a curl line, OTLP as JSON. */
export function CopyMenu({ traceId, spans }: { traceId: string; spans: number }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const close = useCallback(() => setOpen(false), []);
  useAway(open, box, close);
  const api = `${location.origin}/api/v1/traces/${traceId}`;
  return (
    <div className="menu" ref={box}>
      <button type="button" className="button" aria-haspopup="dialog" aria-expanded={open} aria-label="copy as" onClick={() => setOpen(!open)}>
        <ShareIcon /> <span>copy as</span>
      </button>
      {open && (
        <div className="popup menu-box" role="dialog" aria-label="copy as">
          <Way name="link" says="this view of this trace" text={() => location.href} />
          <Way name="curl" says="the trace from this server's API, as JSON" text={() => `curl -s '${api}'`} />
          <Way name="curl to send it again" says="to another collector: set its address" text={() => `curl -s '${api}/otlp' | curl -s http://localhost:4318/v1/traces -H 'content-type: application/json' -d @-`} />
          {spans <= LONGEST_COPY && <Way name="OTLP JSON" says="as an exporter would send it" text={async () => (await fetch(`${api}/otlp`)).text()} />}
          <div className="menu-way">
            <span>
              <strong>OTLP JSON file</strong>
              <span className="faint"> saved by the browser</span>
            </span>
            <a className="button" href={`${api}/otlp`} download={`trace-${traceId}.json`}>
              save
            </a>
          </div>
        </div>
      )}
    </div>
  );
}

function Way({ name, says, text }: { name: string; says: string; text: () => string | Promise<string> }) {
  return (
    <div className="menu-way">
      <span>
        <strong>{name}</strong>
        <span className="faint"> {says}</span>
      </span>
      <Copy text={text} label={`copy ${name}`} wide />
    </div>
  );
}
