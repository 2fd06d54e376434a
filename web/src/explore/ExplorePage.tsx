import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, useState } from "react";
import { NEWEST } from "../api/asked";
import { ApiError } from "../api/client";
import { useKeys } from "../frame/keys";
import { rangeLabel } from "../frame/range";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { count } from "../format/number";
import { Failed } from "../parts/Failed";
import { LiveIcon } from "../parts/icons";
import { Notice } from "../parts/Notice";
import { AnyTrace } from "../traces/AnyTrace";
import { useLastSearch } from "../traces/memory";
import { shownColumns } from "./columns";
import "./explore.css";
import { Facets } from "./Facets";
import { Columns, Views } from "./Menus";
import { keyOf, placeOf } from "./rows";
import { RowsTable } from "./RowsTable";
import { type ExploreSearch, isLive, KINDS, readExplore, type RowKind } from "./search";
import { SearchBar } from "./SearchBar";
import { useRows } from "./useRows";
import { When } from "./When";

/** Rows of every kind by one filter: traces, calls of models, spans, sessions. */
export function ExplorePage() {
  const search: ExploreSearch = useSearch({ from: "/explore" });
  const navigate = useNavigate();
  const [scrolled, setScrolled] = useState(false);
  const [cursor, setCursor] = useState<string | null>(null);
  const of: RowKind = search.of ?? "traces";
  const list = useRows(search, scrolled || cursor !== null || search.row !== undefined);
  const scroller = useRef<HTMLDivElement>(null);
  const filter = useRef<HTMLInputElement>(null);
  const lastRef = useLastSearch();
  useEffect(() => {
    lastRef.current = search;
  }, [lastRef, search]);

  const change = useCallback(
    (part: Partial<Record<keyof ExploreSearch, string | undefined>>, replace = false) => {
      void navigate({ to: "/explore", search: (old) => readExplore({ ...old, row: undefined, ...part }), replace });
      if (!("row" in part) && !("cols" in part)) {
        setCursor(null);
        setScrolled(false);
        scroller.current?.scrollTo({ top: 0 });
      }
    },
    [navigate],
  );
  const move = (step: number) => {
    const at = list.rows.findIndex((row) => keyOf(row) === cursor);
    const next = list.rows[Math.min(list.rows.length - 1, Math.max(0, at + step))];
    if (next) setCursor(keyOf(next));
  };
  const openRow = (key: string) => change({ row: search.row === key ? undefined : key }, true);
  useKeys({
    "/": () => filter.current?.focus(),
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    o: () => cursor !== null && openRow(cursor),
    " ": () => cursor !== null && openRow(cursor),
    Enter: () => {
      const row = list.rows.find((one) => keyOf(one) === cursor);
      const place = row && placeOf(row);
      if (place) void navigate({ to: "/traces/$traceId", params: { traceId: place.traceId }, search: place.span === undefined ? {} : { span: place.span } });
      else if (row?.of === "sessions") void navigate({ to: "/sessions/$sessionId", params: { sessionId: row.row.session_id }, search: { range: "all" } });
    },
    Escape: () => {
      if (search.row !== undefined) change({ row: undefined }, true);
      else setCursor(null);
    },
  });
  const toTop = () => {
    list.showNewest();
    setCursor(null);
    scroller.current?.scrollTo({ top: 0 });
  };

  const live = isLive(search);
  const settled = !list.loading && !list.stale; // what stands around the rows is asked for when they are there
  const wrong = list.error instanceof ApiError && list.error.where === "filter" ? list.error.message : null;
  const onSearch = (q: string | undefined) => change({ q });
  return (
    <>
      <TopBar title="Explore">
        {search.to === undefined && (
          <button
            type="button"
            className={`button live${live ? " is-on" : ""}`}
            aria-pressed={live}
            title={live ? "new rows appear by themselves; click to hold the list still" : "the list is held still; click to follow"}
            onClick={() => change({ live: live ? "off" : undefined })}
          >
            <LiveIcon /> live
          </button>
        )}
        <TimeRange search={search} onChange={({ range, from, to }) => change({ range, from, to })} />
      </TopBar>
      <AnyTrace>
        <div className="explore-bar">
          <SearchBar search={search} onSearch={onSearch} inputRef={filter} wrong={wrong} />
          <Columns search={search} onChange={(cols) => change({ cols })} />
          <Views search={search} />
        </div>
        <nav className="explore-kinds" aria-label="rows">
          {KINDS.map((kind) => (
            <Link key={kind} to="/explore" search={(old) => readExplore({ ...old, of: kind, sort: undefined, cols: undefined, row: undefined })} className={kind === of ? "is-here" : undefined} aria-current={kind === of ? "page" : undefined}>
              {kind}
            </Link>
          ))}
        </nav>
        <When search={search} due={settled} onBrush={(from, to) => change({ range: undefined, from: new Date(from).toISOString(), to: new Date(to).toISOString() })} />
        <div className="explore-body">
          <Facets search={search} due={settled} onSearch={onSearch} />
          <div className={`explore-rows${list.stale ? " is-old" : ""}`}>
            <Failed
              error={list.rows.length === 0 ? list.error : null}
              what={wrong === null ? "The rows could not be read" : "This filter is not understood"}
              actions={
                <Link to="/explore" search={(old) => readExplore({ ...old, q: undefined, sort: undefined })} className="button">
                  without the filter
                </Link>
              }
            >
              {list.waiting > 0 && (
                <button type="button" className="newer" onClick={toTop}>
                  {list.waiting >= 100 ? "many" : count(list.waiting)} new ↑
                </button>
              )}
              {list.loading ? (
                <Skeletons />
              ) : list.rows.length === 0 ? (
                <Nothing search={search} change={change} />
              ) : (
                <>
                  <RowsTable
                    label={of}
                    rows={list.rows}
                    columns={shownColumns(of, search.cols)}
                    more={list.more}
                    loadMore={list.loadMore}
                    sort={search.sort ?? NEWEST[of]}
                    onSort={(sort) => change({ sort: sort === NEWEST[of] ? undefined : sort })}
                    cursor={cursor}
                    open={search.row}
                    onOpen={openRow}
                    scroller={scroller}
                    onReading={setScrolled}
                  />
                  <p className="rows-foot faint">
                    {list.more ? `first ${count(list.rows.length)} ${of}` : `${count(list.rows.length)} ${list.rows.length === 1 ? of.slice(0, -1) : of}`} that{" "}
                    {of === "sessions" ? "had a call or a trace" : "started"} in {rangeLabel(search)}
                    {search.q !== undefined && ", filtered"}
                  </p>
                </>
              )}
            </Failed>
          </div>
        </div>
      </AnyTrace>
    </>
  );
}

function Nothing({ search, change }: { search: ExploreSearch; change: (part: Partial<Record<keyof ExploreSearch, string | undefined>>) => void }) {
  return (
    <Notice
      title={search.q === undefined ? `No ${search.of ?? "traces"} in this time range` : `No ${search.of ?? "traces"} match`}
      actions={
        <>
          {search.q !== undefined && (
            <button type="button" className="button" onClick={() => change({ q: undefined })}>
              clear the filter
            </button>
          )}
          {search.range !== "all" && (
            <button type="button" className="button" onClick={() => change({ range: "all", from: undefined, to: undefined })}>
              look in all time
            </button>
          )}
        </>
      }
    >
      <p>
        {search.of === "sessions" && search.q === undefined && (
          <>
            A session ties traces together, as the turns of one chat. Set <code>session.id</code> on a span (or <code>gen_ai.conversation.id</code>, or what your framework calls its
            thread), and <code>user.id</code> for whose it is.{" "}
          </>
        )}
        Looked at {rangeLabel(search)}.{isLive(search) && " This page is live: what arrives appears by itself."}
      </p>
    </Notice>
  );
}

function Skeletons() {
  return (
    <div className="rows" aria-busy="true" aria-label="loading">
      {Array.from({ length: 14 }, (_, index) => (
        <div key={index} className="skeleton-row">
          <span className="skeleton" style={{ width: `${20 + ((index * 37) % 30)}%` }} />
          <span className="skeleton" style={{ width: `${6 + ((index * 13) % 8)}%` }} />
          <span className="skeleton" style={{ width: "8%" }} />
        </div>
      ))}
    </div>
  );
}
