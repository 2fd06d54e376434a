import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { isUnreachable, tracePage } from "../api/queries";
import { useKeys } from "../frame/keys";
import { rangeLabel } from "../frame/range";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { count } from "../format/number";
import { LiveIcon } from "../parts/icons";
import { Notice } from "../parts/Notice";
import { Filters } from "./Filters";
import { FirstRun } from "./FirstRun";
import { useLastSearch } from "./memory";
import { isFiltered, isLive, readSearch, type TraceSearch } from "./search";
import { TraceTable } from "./TraceTable";
import { useTraceList } from "./useTraceList";
import "./traces.css";

/** Every trace of a time range, newest first, live. */
export function TracesPage() {
  const search = useSearch({ from: "/traces" });
  const navigate = useNavigate();
  const [scrolled, setScrolled] = useState(false);
  const [cursor, setCursor] = useState<string | null>(null);
  const [newest, setNewest] = useState<string | undefined>(undefined);
  const list = useTraceList(search, scrolled || cursor !== null);
  const scroller = useRef<HTMLDivElement>(null);
  const filter = useRef<HTMLInputElement>(null);
  const lastRef = useLastSearch();
  useEffect(() => {
    lastRef.current = search;
  }, [lastRef, search]);

  const change = useCallback(
    (part: Partial<Record<keyof TraceSearch, string | undefined>>) => {
      void navigate({ to: "/traces", search: (old) => readSearch({ ...old, ...part }) });
      setCursor(null);
      setScrolled(false);
      scroller.current?.scrollTo({ top: 0 });
    },
    [navigate],
  );

  // rows that came in above what is being read, counted from the newest row seen at the top
  const top = list.items[0]?.trace_id;
  if (!scrolled && newest !== top) setNewest(top);
  const above = scrolled ? Math.max(0, list.items.findIndex((item) => item.trace_id === newest)) : 0;
  const toTop = () => {
    if (list.behind) list.showNewest();
    setCursor(null);
    scroller.current?.scrollTo({ top: 0 });
  };

  const move = (step: number) => {
    const at = list.items.findIndex((item) => item.trace_id === cursor);
    const next = list.items[Math.min(list.items.length - 1, Math.max(0, at + step))];
    if (next) setCursor(next.trace_id);
  };
  useKeys({
    "/": () => filter.current?.focus(),
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => {
      if (cursor !== null) void navigate({ to: "/traces/$traceId", params: { traceId: cursor } });
    },
    Escape: () => setCursor(null),
  });

  const live = isLive(search);
  return (
    <>
      <TopBar title="Traces">
        {search.to === undefined && (
          <button
            type="button"
            className={`button live${live ? " is-on" : ""}`}
            aria-pressed={live}
            title={live ? "new traces appear by themselves; click to hold the list still" : "the list is held still; click to follow"}
            onClick={() => change({ live: live ? "off" : undefined })}
          >
            <LiveIcon /> live
          </button>
        )}
        <TimeRange search={search} onChange={({ range, from, to }) => change({ range, from, to })} />
      </TopBar>
      <Filters search={search} change={change} inputRef={filter} />
      <Body search={search} list={list} widen={() => change({ range: "all", from: undefined, to: undefined })}>
        <div className="table-frame">
          {(above > 0 || list.behind) && (
            <button type="button" className="newer" onClick={toTop}>
              {list.behind ? "many new traces" : `${count(above)} new ${above === 1 ? "trace" : "traces"}`} ↑
            </button>
          )}
          <TraceTable
            items={list.items}
            more={list.more}
            loadMore={list.loadMore}
            sort={search.sort}
            onSort={(sort) => change({ sort })}
            cursor={cursor}
            scroller={scroller}
            onReading={setScrolled}
          />
          <p className="table-foot faint">
            {list.more ? `first ${count(list.items.length)} traces` : `${count(list.items.length)} ${list.items.length === 1 ? "trace" : "traces"}`} that
            started in {search.from === undefined && search.to === undefined ? `the ${rangeLabel(search)}` : rangeLabel(search)}
            {isFiltered(search) && ", filtered"}
          </p>
        </div>
      </Body>
    </>
  );
}

interface BodyProps {
  search: TraceSearch;
  list: ReturnType<typeof useTraceList>;
  widen: () => void;
  children: ReactNode;
}

/** The table, or what stands in its place. */
function Body({ search, list, widen, children }: BodyProps) {
  const empty = !list.loading && list.items.length === 0;
  const ever = useQuery({
    queryKey: ["any-trace"],
    queryFn: async ({ signal }) => (await tracePage({ limit: 1 }, signal)).items.length > 0,
    enabled: empty && list.error === null,
    refetchInterval: ({ state }) => (state.data === true ? false : 1500),
  });
  if (list.items.length > 0) return children;
  if (list.error && !isUnreachable(list.error)) {
    return (
      <Notice title="The list could not be read" actions={<Link to="/traces" className="button">reset filters and time range</Link>}>
        <p>{list.error.message}</p>
      </Notice>
    );
  }
  if (list.loading || ever.data === undefined) return <Skeletons />;
  if (!ever.data) return <FirstRun />;
  return (
    <Notice
      title={isFiltered(search) ? "No trace matches" : "No trace started in this time range"}
      actions={
        <>
          {isFiltered(search) && (
            <Link to="/traces" search={(old) => readSearch({ range: old.range, from: old.from, to: old.to, sort: old.sort })} className="button">
              clear filters
            </Link>
          )}
          {search.range !== "all" && (
            <button type="button" className="button" onClick={widen}>
              look in all time
            </button>
          )}
        </>
      }
    >
      <p>
        Looked at {rangeLabel(search)}.{isLive(search) && " This page is live: what arrives appears by itself."}
      </p>
    </Notice>
  );
}

function Skeletons() {
  return (
    <div className="table-frame" aria-busy="true" aria-label="loading traces">
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
