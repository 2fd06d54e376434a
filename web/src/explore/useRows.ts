import { type InfiniteData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import { NEWEST } from "../api/asked";
import { keyOf, type Page, pageOf, type Row, rowsQuery, type Span } from "./rows";
import { type ExploreSearch, isLive } from "./search";

const AGAIN_MS = 700;
const DERIVED_MS = 5000;

type Pages = InfiniteData<Page, string | null>;

export interface Rows {
  rows: Row[];
  error: Error | null;
  loading: boolean;
  stale: boolean; // what is shown is of the search before
  more: boolean;
  loadMore: () => void;
  waiting: number; // rows that came in and are not shown, because the list is being read
  showNewest: () => void;
}

interface Heard {
  matched: number;
  items: Span[];
}

/** The rows of a search, page by page; live ones come in at the top, unless the list is being read. */
export function useRows(search: ExploreSearch, reading: boolean): Rows {
  const client = useQueryClient();
  const key = useMemo(() => rowsQuery(search).queryKey, [search]);
  const live = isLive(search);
  const newestFirst = (search.sort ?? NEWEST[search.of ?? "traces"]) === NEWEST[search.of ?? "traces"];
  const [waiting, setWaiting] = useState<{ key: unknown; count: number; fresh: Page | null }>({ key, count: 0, fresh: null });
  const pages = useInfiniteQuery({
    ...rowsQuery(search),
    staleTime: live ? 0 : 10_000,
    refetchOnMount: (query) => !query.state.data || query.state.data.pages.length === 1,
    refetchOnWindowFocus: false,
    placeholderData: (old) => (old?.pages[0]?.rows[0]?.of === (search.of ?? "traces") ? old : undefined),
    retry: false,
  });

  // a chain of timers may have begun before one scrolled down
  const isReading = useRef(reading);
  useEffect(() => {
    isReading.current = reading;
  }, [reading]);
  const take = (fresh: Page) => {
    const shown = client.getQueryData<Pages>(key);
    const known = new Set(shown?.pages[0]?.rows.map(keyOf));
    const news = fresh.rows.filter((row) => !known.has(keyOf(row))).length;
    if (!isReading.current || !shown) {
      client.setQueryData<Pages>(key, { pages: [fresh], pageParams: [null] });
      setWaiting({ key, count: 0, fresh: null });
    } else if (news > 0) setWaiting({ key, count: news, fresh });
  };
  // what is derived of spans is found later than they are: traces a quarter of a second, calls up to two seconds
  const due = useRef<ReturnType<typeof setTimeout>>(undefined);
  const until = useRef(0);
  const again = () => {
    until.current = Date.now() + DERIVED_MS;
    due.current ??= setTimeout(function ask() {
      void pageOf(search, null).then(take, () => undefined);
      due.current = Date.now() < until.current ? setTimeout(ask, AGAIN_MS) : undefined;
    }, AGAIN_MS);
  };
  const heard = (said: Heard) => {
    if (search.of !== "spans" || !newestFirst) {
      again();
      return;
    }
    const shown = client.getQueryData<Pages>(key);
    const first = shown?.pages[0];
    if (!first) return;
    const base = waiting.key === key && waiting.fresh ? waiting.fresh : first;
    const known = new Set(base.rows.map(keyOf));
    const news = said.items.map((row): Row => ({ of: "spans", row })).filter((row) => !known.has(keyOf(row)));
    const rows = [...news, ...base.rows].sort((a, b) => compare(b, a)).slice(0, 500);
    take({ rows, next: shown.pages.at(-1)?.next ?? null });
  };
  useTail(live && pages.isSuccess, search.of === "spans" && newestFirst ? (search.q ?? "") : null, heard, again);
  useEffect(
    () => () => {
      clearTimeout(due.current);
      due.current = undefined;
    },
    [key],
  );

  const { fetchNextPage, hasNextPage, isFetchingNextPage } = pages;
  const rows = useMemo(() => distinct((pages.data?.pages ?? []).flatMap((page) => page.rows)), [pages.data]);
  // an empty list is looked at until it is not: nothing in it could be disturbed
  const askAgain = useEffectEvent(again);
  const empty = live && pages.isSuccess && rows.length === 0;
  useEffect(() => {
    if (!empty) return;
    const timer = setInterval(() => askAgain(), DERIVED_MS);
    return () => clearInterval(timer);
  }, [empty]);
  const mine = waiting.key === key ? waiting : null;
  return {
    rows,
    error: pages.error,
    loading: pages.isPending,
    stale: pages.isPlaceholderData,
    more: hasNextPage,
    loadMore: useCallback(() => {
      if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
    }, [hasNextPage, isFetchingNextPage, fetchNextPage]),
    waiting: mine?.count ?? 0,
    showNewest: () => {
      if (!mine?.fresh) return;
      client.setQueryData<Pages>(key, { pages: [mine.fresh], pageParams: [null] });
      setWaiting({ key, count: 0, fresh: null });
    },
  };
}

/**
 * Listens to spans as they become durable. `filter` null: only that there are some is heard. `began` is called whenever listening begins, also
 * after a lost connection: what came in between was not heard.
 */
function useTail(on: boolean, filter: string | null, heard: (said: Heard) => void, began: () => void): void {
  const hear = useEffectEvent(heard);
  const begin = useEffectEvent(began);
  useEffect(() => {
    if (!on) return;
    const query = new URLSearchParams(filter === null ? { rows: "false" } : filter ? { filter } : {});
    const source = new EventSource(`/api/v1/tail?${query.toString()}`);
    source.addEventListener("open", () => begin());
    source.addEventListener("spans", (event: MessageEvent<string>) => {
      const said = JSON.parse(event.data) as Heard;
      if (said.matched > 0) hear(said);
    });
    return () => source.close();
  }, [on, filter]);
}

function compare(a: Row, b: Row): number {
  if (a.of !== "spans" || b.of !== "spans") return 0;
  const [left, right] = [BigInt(a.row.start_ns), BigInt(b.row.start_ns)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function distinct(rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const key = keyOf(row);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
