import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ApiError } from "../api/client";
import { isUnreachable, traceQuery } from "../api/queries";
import type { TraceTree } from "../api/types";
import { useKeys } from "../frame/keys";
import { TopBar } from "../frame/TopBar";
import { Failed } from "../parts/Failed";
import { ChevronIcon } from "../parts/icons";
import { useLastSearch } from "../traces/memory";
import { useNeighbours } from "./neighbours";
import { Compare } from "./Compare";
import { CompareMenu } from "./CompareMenu";
import { CopyMenu } from "./CopyMenu";
import { Pin } from "./Pin";
import { TraceBody } from "./TraceBody";
import "../logs/logs.css";
import "../parts/page.css";
import "./trace.css";
import "./transcript.css";

/** One trace: its tree and waterfall, and any span of it in full. */
export function TracePage() {
  const { traceId } = useParams({ from: "/traces/$traceId" });
  const view = useSearch({ from: "/traces/$traceId" });
  const { data, error } = useQuery(traceQuery(traceId));
  const neighbours = useNeighbours(traceId, data);
  const navigate = useNavigate();
  const lastRef = useLastSearch();
  useKeys({
    "[": () => neighbours.go(-1),
    "]": () => neighbours.go(1),
    ...(!data && { Escape: () => void navigate({ to: "/explore", search: lastRef.current }) }),
  });
  return (
    <>
      <TopBar title={<Title trace={data} />}>
        {neighbours.said !== null && (
          <span className="faint" role="status">
            {neighbours.said}
          </span>
        )}
        <Pin traceId={traceId} trace={data} />
        {data && <CompareMenu trace={data} />}
        {data && <CopyMenu traceId={traceId} spans={data.spans.length} />}
        <button type="button" className="button" onClick={() => neighbours.go(-1)} title="previous trace in the list ([)" aria-label="previous trace">
          <ChevronIcon turn={270} />
        </button>
        <button type="button" className="button" onClick={() => neighbours.go(1)} title="next trace in the list (])" aria-label="next trace">
          <ChevronIcon turn={90} />
        </button>
      </TopBar>
      {data && view.with !== undefined ? (
        <Compare trace={data} other={view.with} />
      ) : data ? <TraceBody key={traceId} traceId={traceId} trace={data} view={view} /> : error ? <Missing error={error} traceId={traceId} /> : <Wait />}
    </>
  );
}

function Title({ trace }: { trace: TraceTree | undefined }) {
  const lastRef = useLastSearch();
  return (
    <>
      <Link to="/explore" search={() => lastRef.current} className="crumb">
        Traces
      </Link>
      <span className="faint">/</span>
      <span className="clip">{trace ? trace.root_name || "(no name)" : "…"}</span>
    </>
  );
}

const REASONS: Record<number, { title: string; hint: string }> = {
  404: { title: "No such trace", hint: "Nothing with this id was received here. If it was sent just now, it may still be on its way: reload in a moment." },
  410: { title: "This trace is gone", hint: "It was stored here once." },
  400: { title: "That is not a trace id", hint: "A trace id is 32 hexadecimal digits." },
};

function Missing({ error, traceId }: { error: Error; traceId: string }) {
  if (isUnreachable(error)) return <Wait />;
  const status = error instanceof ApiError ? error.status : 0;
  const known = REASONS[status];
  return (
    <Failed
      error={error}
      what={known?.title ?? "The trace could not be read"}
      actions={
        <Link to="/explore" className="button">
          all traces
        </Link>
      }
      more={
        <>
          {known && <p>{known.hint}</p>}
          <p>
            <code>{traceId}</code>
          </p>
        </>
      }
    />
  );
}

function Wait() {
  return (
    <div aria-busy="true" aria-label="loading the trace">
      {Array.from({ length: 16 }, (_, index) => (
        <div key={index} className="skeleton-row">
          <span className="skeleton" style={{ width: `${14 + ((index * 29) % 16)}%`, marginLeft: `${(index % 5) * 16}px` }} />
          <span className="skeleton" style={{ width: `${8 + ((index * 17) % 30)}%`, marginLeft: `${10 + ((index * 7) % 20)}%` }} />
        </div>
      ))}
    </div>
  );
}
