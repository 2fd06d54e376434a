import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef, useState } from "react";
import { ApiError, get } from "../api/client";
import { isUnreachable } from "../api/queries";
import { duration } from "../format/duration";
import { usd } from "../format/money";
import { count, short } from "../format/number";
import { useKeys } from "../frame/keys";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { windowParams } from "../frame/range";
import { MessageTurn, Turn } from "../messages/Conversation";
import { messagesQuery } from "../messages/queries";
import { Counted } from "../parts/Counted";
import { Failed } from "../parts/Failed";
import { ErrorIcon } from "../parts/icons";
import { Ago } from "../parts/now";
import { spoken } from "./conversation";
import type { SessionDetail, SessionTrace } from "./types";
import { condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import type { ExploreSearch } from "../explore/search";
import { useLastSearch } from "../traces/memory";
import "../parts/page.css";
import "../trace/transcript.css";
import "./sessions.css";

/** One session as a conversation: of each trace what was asked first and what was answered last; the trace itself is a click away. */
export function SessionPage() {
  const { sessionId } = useParams({ from: "/sessions/$sessionId" });
  const search = useSearch({ from: "/sessions/$sessionId" });
  const navigate = useNavigate();
  const { data, error } = useQuery({
    queryKey: ["session", sessionId, search],
    queryFn: ({ signal }) => get<SessionDetail>(`sessions/${encodeURIComponent(sessionId)}`, windowParams(search, Date.now()), signal),
    refetchInterval: search.to === undefined ? 10_000 : false,
    placeholderData: (old) => old,
  });
  const lastRef = useLastSearch();
  const list = (): ExploreSearch => (lastRef.current.of === "sessions" ? lastRef.current : { ...search, of: "sessions" });
  const back = () => void navigate({ to: "/explore", search: list() });
  const all = () => void navigate({ to: "/sessions/$sessionId", params: { sessionId }, search: { range: "all" } });
  useKeys({ Escape: back });
  return (
    <>
      <TopBar
        title={
          <>
            <Link to="/explore" search={list} className="crumb">
              Sessions
            </Link>
            <span className="faint">/</span>
            <span className="clip">{sessionId}</span>
          </>
        }
      >
        <TimeRange search={search} onChange={(range) => void navigate({ to: "/sessions/$sessionId", params: { sessionId }, search: range })} />
      </TopBar>
      {data ? (
        <>
          <Facts session={data} />
          <Conversation key={sessionId} session={data} />
        </>
      ) : error && !isUnreachable(error) ? (
        <Failed
          error={error}
          what={error instanceof ApiError && error.status === 404 ? "No such session in this window" : "The session could not be read"}
          actions={
            <button type="button" className="button" onClick={all}>
              look in all time
            </button>
          }
        />
      ) : (
        <div className="panel-wait session-wait" aria-busy="true" aria-label="loading the session">
          {[30, 62, 48, 70, 40].map((width) => (
            <span key={width} className="skeleton" style={{ width: `${width}%` }} />
          ))}
        </div>
      )}
    </>
  );
}

function Facts({ session }: { session: SessionDetail }) {
  return (
    <div className="summary">
      {session.users.length > 0 && (
        <span className="clip">
          <span className="faint">user</span>{" "}
          <RowsLink range={{ range: "all" }} of="sessions" q={condition("user", session.users[0] ?? null)} className="clip">
            {session.users.slice(0, 3).join(", ")}
            {session.users.length > 3 && ` +${session.users.length - 3}`}
          </RowsLink>
        </span>
      )}
      <span className="number"><Counted value={session.traces} error={session.standard_error?.traces} /> {session.traces === 1 ? "trace" : "traces"}</span>
      <span className="number">{plural(session.calls, "call")}</span>
      {(session.errors > 0 || session.error_spans > 0) && (
        <span className="is-error">
          <ErrorIcon /> {session.errors > 0 ? plural(session.errors, "failed call") : <><Counted value={session.error_spans} error={session.standard_error?.error_spans} /> {session.error_spans === 1 ? "failed span" : "failed spans"}</>}
        </span>
      )}
      <Money of={session} />
      <span className="muted" title="from the first to the last">
        {duration(session.duration_ms)}
      </span>
      <span className="muted">
        last <Ago ms={Date.parse(session.last)} />
      </span>
      <span className="faint clip is-last">{session.models.join(", ")}</span>
    </div>
  );
}

function Money({ of }: { of: { total_cost_usd: string | null; unpriced_calls: number; calls: number; total_tokens: number | string } }) {
  if (of.calls === 0) return null;
  return (
    <>
      <span className="number" title={of.total_cost_usd === null ? undefined : `$${of.total_cost_usd}`}>
        {usd(of.total_cost_usd)}
        {of.unpriced_calls > 0 && <span className="unpriced">{of.unpriced_calls === of.calls ? "unpriced" : `${count(of.unpriced_calls)} unpriced`}</span>}
      </span>
      <span className="number">{short(Number(of.total_tokens))} tok</span>
    </>
  );
}

function Conversation({ session }: { session: SessionDetail }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [here, setHere] = useState(-1);
  const navigate = useNavigate();
  const items = session.trace_items;
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 180,
    getItemKey: (index) => items[index]?.trace_id ?? index,
    overscan: 4,
  });
  const step = (by: number) => {
    const next = Math.max(0, Math.min(items.length - 1, here + by));
    setHere(next);
    virtual.scrollToIndex(next, { align: "auto" });
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Enter: () => {
      const item = items[here];
      if (item) void navigate({ to: "/traces/$traceId", params: { traceId: item.trace_id } });
    },
  });
  return (
    <div ref={scroller} className="transcript session" role="feed" aria-label="the session's traces" tabIndex={0}>
      {session.more_traces && <p className="faint transcript-none">Only the first 1,000 traces are shown; narrow the time range for others.</p>}
      <div className="transcript-body" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((each) => {
          const item = items[each.index];
          if (!item) return null;
          return (
            <article
              key={each.key}
              ref={virtual.measureElement}
              data-index={each.index}
              className={`entry is-trace${each.index === here ? " is-here" : ""}`}
              aria-posinset={each.index + 1}
              aria-setsize={items.length}
              style={{ transform: `translateY(${each.start}px)` }}
            >
              <TraceHead item={item} />
              <TraceTurns item={item} />
            </article>
          );
        })}
      </div>
    </div>
  );
}

function TraceHead({ item }: { item: SessionTrace }) {
  return (
    <div className="session-trace">
      <Link to="/traces/$traceId" params={{ traceId: item.trace_id }} className="clip">
        {item.root_name ?? "(no name)"}
      </Link>
      {(item.error_spans ?? 0) > 0 && (
        <span className="is-error">
          <ErrorIcon size={12} /> {plural(item.error_spans ?? 0, "error")}
        </span>
      )}
      <span className="entry-figures number">
        {item.calls > 0 && <span>{plural(item.calls, "call")}</span>}
        <Money of={item} />
        <span>{duration(item.duration_ms)}</span>
        <span className="muted">
          <Ago ms={Date.parse(item.start)} />
        </span>
      </span>
    </div>
  );
}

/** What was asked in the trace's first call, and what came of its last. */
function TraceTurns({ item }: { item: SessionTrace }) {
  const first = useQuery({ ...messagesQuery(item.trace_id, item.first_call_span_id ?? ""), enabled: item.first_call_span_id !== null });
  const last = useQuery({ ...messagesQuery(item.trace_id, item.last_call_span_id ?? ""), enabled: item.last_call_span_id !== null });
  if (item.first_call_span_id === null) return <Aside>no call of a model in it</Aside>;
  if (first.error ?? last.error) return <Aside>its messages could not be read</Aside>;
  if (!first.data || !last.data) return <Aside busy>loading</Aside>;
  const { asked, answered } = spoken(first.data, last.data);
  if (asked.length + answered.length === 0) return <Aside>its messages were not captured</Aside>;
  return (
    <>
      {asked.map((message, index) => (
        <MessageTurn key={index} message={message} where={{ traceId: item.trace_id, spanId: item.first_call_span_id ?? "" }} />
      ))}
      {answered.map((message, index) => (
        <MessageTurn key={`a${index}`} message={message} where={{ traceId: item.trace_id, spanId: item.last_call_span_id ?? "" }} answer />
      ))}
    </>
  );
}

function Aside({ children, busy = false }: { children: ReactNode; busy?: boolean }) {
  return (
    <Turn role="">
      {busy ? <span className="skeleton" style={{ width: "50%" }} aria-busy="true" /> : <p className="faint">{children}</p>}
    </Turn>
  );
}

function plural(number: number, of: string): string {
  return `${count(number)} ${of}${number === 1 ? "" : "s"}`;
}
