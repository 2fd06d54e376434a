import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { get } from "../api/client";
import { isUnreachable } from "../api/queries";
import { duration } from "../format/duration";
import { usd } from "../format/money";
import { count, short } from "../format/number";
import { useKeys } from "../frame/keys";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { Counted } from "../parts/Counted";
import { CloseIcon, ErrorIcon } from "../parts/icons";
import { Notice } from "../parts/Notice";
import { Ago } from "../parts/now";
import { DEFAULT_SORT, nextSort, type SessionSearch, sessionParams, type Sort } from "./search";
import type { Session, SessionPage } from "./types";
import "../parts/page.css";
import "../parts/grid.css";
import "./sessions.css";

const PAGE = 100;
const COLUMNS: { label: string; sort?: Sort; right?: boolean }[] = [
  { label: "session" },
  { label: "user" },
  { label: "last", sort: "last" },
  { label: "lasted", sort: "duration", right: true },
  { label: "traces", sort: "traces", right: true },
  { label: "calls", sort: "calls", right: true },
  { label: "failed calls", sort: "errors", right: true },
  { label: "tokens", sort: "tokens", right: true },
  { label: "cost", sort: "cost", right: true },
  { label: "models" },
];

/** Sessions with a call or a trace in the window, and what they took. */
export function SessionsPage() {
  const search = useSearch({ from: "/sessions" });
  const navigate = useNavigate();
  const change = (part: Partial<Record<keyof SessionSearch, string | undefined>>) => void navigate({ to: "/sessions", search: (old) => merged(old, part) });
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage, isPlaceholderData } = useInfiniteQuery({
    queryKey: ["sessions", search],
    queryFn: ({ pageParam, signal }) => get<SessionPage>("sessions", { ...sessionParams(search, Date.now()), limit: PAGE, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: (old) => old,
    refetchInterval: search.to === undefined ? 10_000 : false,
  });
  const items = useMemo(() => (data?.pages ?? []).flatMap((page) => page.items), [data]);
  const [here, setHere] = useState(-1);
  const open = (session: Session | undefined) => {
    if (session) void navigate({ to: "/sessions/$sessionId", params: { sessionId: session.session_id }, search: rangeOf(search) });
  };
  const step = (by: number) => {
    const next = Math.max(0, Math.min(items.length - 1, here + by));
    setHere(next);
    document.querySelector(`[data-row="${next}"]`)?.scrollIntoView({ block: "nearest" });
  };
  useKeys({ j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), Enter: () => open(items[here]) });

  return (
    <>
      <TopBar title="Sessions">
        {search.user !== undefined && <Chip label={`user ${search.user}`} onClear={() => change({ user: undefined })} />}
        {search.filter !== undefined && <Chip label={search.filter} onClear={() => change({ filter: undefined })} />}
        <TimeRange search={search} onChange={({ range, from, to }) => change({ range, from, to })} />
      </TopBar>
      {error && !data ? (
        !isUnreachable(error) && (
          <Notice title="The sessions could not be read" code="error">
            <p>{error.message}</p>
          </Notice>
        )
      ) : data && items.length === 0 ? (
        <Nothing onAll={() => change({ range: "all", from: undefined, to: undefined, user: undefined, filter: undefined })} />
      ) : (
        <div className={`grid-scroll${isPlaceholderData ? " is-old" : ""}`} tabIndex={0}>
          <table className="grid" aria-busy={!data}>
            <thead>
              <tr>
                {COLUMNS.map(({ label, sort, right }) => (
                  <th key={label} scope="col" className={right ? "is-right" : undefined} aria-sort={sort && sorted(search.sort, sort)}>
                    {sort ? (
                      <button type="button" onClick={() => change({ sort: nextSort(search.sort, sort) })}>
                        {label} {mark(search.sort, sort)}
                      </button>
                    ) : (
                      label
                    )}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {!data && <Skeletons />}
              {items.map((session, index) => (
                <Row key={session.session_id} session={session} search={search} index={index} here={index === here} onOpen={() => open(session)} onUser={(user) => change({ user })} />
              ))}
            </tbody>
          </table>
          {hasNextPage && (
            <p className="grid-more">
              <button type="button" className="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                more sessions
              </button>
            </p>
          )}
        </div>
      )}
    </>
  );
}

interface RowProps {
  session: Session;
  search: SessionSearch;
  index: number;
  here: boolean;
  onOpen: () => void;
  onUser: (user: string) => void;
}

function Row({ session, search, index, here, onOpen, onUser }: RowProps) {
  const [user, ...others] = session.users;
  return (
    <tr data-row={index} className={here ? "is-here" : undefined} onClick={onOpen}>
      <th scope="row">
        <Link to="/sessions/$sessionId" params={{ sessionId: session.session_id }} search={rangeOf(search)} onClick={(event) => event.stopPropagation()}>
          {session.session_id}
        </Link>
      </th>
      <td>
        {user !== undefined && (
          <button
            type="button"
            className="link"
            title={`only sessions of ${user}`}
            onClick={(event) => {
              event.stopPropagation();
              onUser(user);
            }}
          >
            {user}
          </button>
        )}
        {others.length > 0 && <span className="faint"> +{others.length}</span>}
      </td>
      <td className="muted">
        <Ago ms={Date.parse(session.last)} />
      </td>
      <td className="number">{duration(session.duration_ms)}</td>
      <td className="number"><Counted value={session.traces} error={session.standard_error?.traces} /></td>
      <td className="number">{count(session.calls)}</td>
      <td className="number">
        {session.errors > 0 ? (
          <span className="is-error">
            <ErrorIcon size={12} /> {count(session.errors)}
          </span>
        ) : (
          <span className="faint">0</span>
        )}
      </td>
      <td className="number" title={`${count(Number(session.input_tokens))} in, ${count(Number(session.output_tokens))} out`}>
        {short(Number(session.total_tokens))}
      </td>
      <td className="number" title={session.total_cost_usd === null ? undefined : `$${session.total_cost_usd}`}>
        {session.unpriced_calls > 0 && <span className="unpriced">{session.unpriced_calls === session.calls ? "unpriced" : `${count(session.unpriced_calls)} unpriced`}</span>}
        {usd(session.total_cost_usd)}
      </td>
      <td className="muted" title={session.models.join(", ")}>
        {session.models[0]}
        {session.models.length > 1 && <span className="faint"> +{session.models.length - 1}</span>}
      </td>
    </tr>
  );
}

function Skeletons() {
  return Array.from({ length: 12 }, (_, index) => (
    <tr key={index}>
      {COLUMNS.map(({ label }, column) => (
        <td key={label}>
          <span className="skeleton" style={{ width: `${40 + ((index * 17 + column * 31) % 50)}%` }} />
        </td>
      ))}
    </tr>
  ));
}

function Nothing({ onAll }: { onAll: () => void }) {
  return (
    <Notice
      title="No session in this window"
      actions={
        <button type="button" className="button" onClick={onAll}>
          look in all time
        </button>
      }
    >
      <p>
        A session ties traces together, as the turns of one chat. Set <code>session.id</code> on a span (or <code>gen_ai.conversation.id</code>, or what your
        framework calls its thread), and <code>user.id</code> for whose it is.
      </p>
    </Notice>
  );
}

/** A condition that holds, and a way out of it. */
function Chip({ label, onClear }: { label: string; onClear: () => void }) {
  return (
    <span className="chip">
      <span className="clip">{label}</span>
      <button type="button" className="quiet" aria-label={`without ${label}`} onClick={onClear}>
        <CloseIcon />
      </button>
    </span>
  );
}

function merged(old: SessionSearch, part: Partial<Record<keyof SessionSearch, string | undefined>>): SessionSearch {
  return Object.fromEntries(Object.entries({ ...old, ...part }).filter(([, value]) => value !== undefined));
}

/** What goes along to a session: its window. */
function rangeOf({ range, from, to }: SessionSearch): SessionSearch {
  return { ...(range !== undefined && { range }), ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function sorted(now: string | undefined, column: Sort): "ascending" | "descending" | "none" {
  const sort = now ?? DEFAULT_SORT;
  return sort === column ? "ascending" : sort === `-${column}` ? "descending" : "none";
}

function mark(now: string | undefined, column: Sort): string {
  return { ascending: "↑", descending: "↓", none: "" }[sorted(now, column)];
}
