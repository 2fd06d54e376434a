import { type InfiniteData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import { tracePage } from "../api/queries";
import type { TracePage, TraceSummary } from "../api/types";
import { windowOf } from "../frame/range";
import { flatten, mergeHead } from "./list";
import { isLive, traceParams, type TraceSearch } from "./search";

const PAGE = 100;
const LIVE_MS = 1000; // between an answer and the next question: a trace is on the page within two seconds, also when the server is busy
const LONGEST = 2000; // rows a list grows to by itself while nobody scrolls

type Pages = InfiniteData<TracePage, string | null>;

/** The part of a search that decides what the server is asked. */
export function listKey(search: TraceSearch) {
  const asked = { ...search };
  delete asked.live;
  return ["traces", asked] as const;
}

export interface TraceList {
  items: TraceSummary[];
  error: Error | null;
  loading: boolean;
  more: boolean;
  loadMore: () => void;
  behind: boolean; // so much is new that showing it means starting again at the top
  showNewest: () => void;
}

/** The trace list of a search: pages as one scrolls, and while it is live its first page again and again. `reading`: keep rows where they are. */
export function useTraceList(search: TraceSearch, reading: boolean): TraceList {
  const client = useQueryClient();
  const key = useMemo(() => listKey(search), [search]);
  const live = isLive(search);
  const pages = useInfiniteQuery({
    queryKey: key,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => tracePage({ ...traceParams(search, Date.now()), limit: PAGE, cursor: pageParam }, signal),
    getNextPageParam: (last) => last.next_cursor,
    staleTime: live ? 0 : 10_000,
    refetchOnMount: (query) => !query.state.data || query.state.data.pages.length === 1,
    refetchOnWindowFocus: false,
  });
  const head = useQuery({
    queryKey: ["traces-head", key[1]],
    queryFn: ({ signal }) => tracePage({ ...traceParams(search, Date.now()), limit: PAGE }, signal),
    refetchInterval: LIVE_MS,
    enabled: live && pages.isSuccess,
    gcTime: 0,
    retry: false,
  });
  const fresh = head.data;
  const start = useCallback((page: TracePage) => client.setQueryData<Pages>(key, { pages: [page], pageParams: [null] }), [client, key]);
  const apart = useMemo(
    () => fresh !== undefined && pages.data !== undefined && mergeHead(flatten(pages.data.pages.map((page) => page.items)), fresh, search.sort) === null,
    [fresh, pages.data, search.sort],
  );

  useEffect(() => {
    if (!fresh) return;
    const data = client.getQueryData<Pages>(key);
    if (!data) return;
    const loaded = flatten(data.pages.map((page) => page.items));
    const merged = mergeHead(loaded, fresh, search.sort);
    if (merged === null || merged.length > LONGEST) {
      if (!reading) start(fresh);
      if (!reading || merged === null) return;
    }
    // one page holds all rows now; the cursor of the last page still says where to go on
    const last = data.pages.at(-1) ?? fresh;
    const next = fresh.next_cursor === null ? null : loaded.length > fresh.items.length ? last.next_cursor : fresh.next_cursor;
    client.setQueryData<Pages>(key, { pages: [{ ...fresh, items: merged, next_cursor: next }], pageParams: [null] });
  }, [fresh, client, key, reading, search.sort, start]);

  const { fetchNextPage, hasNextPage, isFetchingNextPage } = pages;
  const items = useMemo(() => {
    const { from } = windowOf(search, pages.dataUpdatedAt);
    return flatten((pages.data?.pages ?? []).map((page) => page.items)).filter((item) => from === null || Number(item.start_ns) / 1e6 >= from);
  }, [pages.data, pages.dataUpdatedAt, search]);
  return {
    items,
    error: pages.error ?? head.error,
    loading: pages.isPending,
    more: hasNextPage,
    loadMore: useCallback(() => {
      if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
    }, [hasNextPage, isFetchingNextPage, fetchNextPage]),
    behind: reading && apart,
    showNewest: useCallback(() => {
      if (fresh) start(fresh);
    }, [fresh, start]),
  };
}
