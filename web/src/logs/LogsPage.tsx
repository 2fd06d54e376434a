import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { get } from "../api/client";
import { useKeys } from "../frame/keys";
import { windowParams } from "../frame/range";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { Combobox } from "../parts/Combobox";
import { Failed } from "../parts/Failed";
import { LiveIcon, SearchIcon } from "../parts/icons";
import { Notice } from "../parts/Notice";
import { LogList } from "./LogList";
import { logPage } from "./queries";
import { LEAST, type LogSearch, logParams } from "./search";
import "../parts/page.css";
import "../trace/transcript.css";
import "./logs.css";

const PAGE = 200;

/** Log records, latest first; new ones come by themselves until they are read. */
export function LogsPage() {
  const search = useSearch({ from: "/logs" });
  const navigate = useNavigate();
  const change = (part: Partial<Record<keyof LogSearch, string | undefined>>) =>
    void navigate({ to: "/logs", search: (old) => Object.fromEntries(Object.entries({ ...old, ...part }).filter(([, value]) => value !== undefined)) });
  const [still, setStill] = useState(false); // the reader has scrolled down: what is read does not move
  const live = search.to === undefined && !still;
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage, isPlaceholderData } = useInfiniteQuery({
    queryKey: ["logs", "list", search],
    queryFn: ({ pageParam, signal }) => logPage({ ...logParams(search, Date.now()), limit: PAGE, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: (old) => old,
    refetchInterval: live ? 3000 : false,
  });
  const services = useQuery({
    queryKey: ["services", "logs"],
    queryFn: ({ signal }) => get<{ items: { name: string; count: number }[] }>("services", windowParams(search, Date.now()), signal),
    staleTime: 60_000,
  });
  const items = useMemo(() => (data?.pages ?? []).flatMap((page) => page.items), [data]);
  const text = useRef<HTMLInputElement>(null);
  const service = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useKeys({
    "/": () => text.current?.focus(),
    j: () => move(list.current, 1),
    k: () => move(list.current, -1),
  });
  const filtered = search.text !== undefined || search.service !== undefined || search.severity !== undefined;
  return (
    <>
      <TopBar title="Logs">
        <TimeRange search={search} onChange={({ range, from, to }) => change({ range, from, to })} />
        <span className={`live${live ? " is-on" : ""} faint`} title={live ? "new records appear by themselves" : "held still while you read; scroll to the top to go on"}>
          <LiveIcon /> {live ? "live" : search.to === undefined ? "held" : "past"}
        </span>
      </TopBar>
      <div className="filters">
        <form
          className="find logs-find"
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            change({ text: text.current?.value.trim() || undefined });
          }}
        >
          <SearchIcon />
          <input
            ref={text}
            key={search.text}
            className="field"
            defaultValue={search.text ?? ""}
            placeholder="text in the body, enter to look"
            aria-label="text in the body"
            onKeyDown={(event) => {
              if (event.key === "Escape") event.currentTarget.blur();
            }}
          />
        </form>
        <div className="segments" role="group" aria-label="least severity">
          <button type="button" aria-pressed={search.severity === undefined} onClick={() => change({ severity: undefined })}>
            all
          </button>
          {Object.keys(LEAST).map((word) => (
            <button key={word} type="button" aria-pressed={search.severity === word} onClick={() => change({ severity: word })}>
              {word}
            </button>
          ))}
        </div>
        <Combobox label="service" placeholder="any service" value={search.service ?? ""} choices={services.data?.items ?? []} onChoose={(name) => change({ service: name || undefined })} inputRef={service} />
      </div>
      {error && !data ? (
        <Failed error={error} what="The log could not be read" />
      ) : data && items.length === 0 ? (
        <Nothing filtered={filtered} onAll={() => change({ range: "all", from: undefined, to: undefined, text: undefined, service: undefined, severity: undefined })} />
      ) : (
        <div
          ref={list}
          className={`logs${isPlaceholderData ? " is-old" : ""}`}
          tabIndex={0}
          aria-label="log records"
          role="region"
          onScroll={(event) => setStill(event.currentTarget.scrollTop > 40)}
        >
          {!data && <Skeletons />}
          <LogList items={items} links />
          {hasNextPage && (
            <p className="table-more">
              <button type="button" className="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                older records
              </button>
            </p>
          )}
        </div>
      )}
    </>
  );
}

/** The next or previous line gets the focus: enter opens it. */
function move(list: HTMLElement | null, by: number): void {
  const lines = [...(list?.querySelectorAll<HTMLElement>(".log-line") ?? [])];
  const at = lines.indexOf(document.activeElement as HTMLElement);
  lines[Math.max(0, Math.min(lines.length - 1, at + by))]?.focus();
}

function Skeletons() {
  return Array.from({ length: 14 }, (_, index) => (
    <div key={index} className="skeleton-row">
      <span className="skeleton" style={{ width: `${30 + ((index * 29) % 50)}%` }} />
    </div>
  ));
}

function Nothing({ filtered, onAll }: { filtered: boolean; onAll: () => void }) {
  return (
    <Notice
      title={filtered ? "No log record matches" : "No log record in this window"}
      actions={
        <button type="button" className="button" onClick={onAll}>
          all records of all time
        </button>
      }
    >
      {!filtered && (
        <p>
          Logs are taken by OTLP like traces: an OpenTelemetry logging handler that exports to <code>http://127.0.0.1:4318</code> is enough. Records that name a
          trace are shown with it.
        </p>
      )}
    </Notice>
  );
}
