import { queryOptions } from "@tanstack/react-query";
import { zone } from "../frame/buckets";
import { type Range, windowOf } from "../frame/range";
import { moment } from "./ahead";
import { SPEND_BY_MODEL, summaryParams, summaryWindow, type Window } from "./asked";
import { type Answer, ask, type Query } from "./client";

export type Summary = Answer<"/api/v1/llm/summary">;
export type Figures = Summary["totals"];
export type Group = Summary["items"][number];
export type Dimension = "provider" | "model" | "operation" | "service" | "application" | "environment" | "user" | "session" | "tag" | "error_type" | "finish_reason";

/** How often figures that reach to now are asked again. */
export const FRESH_MS = 10_000;

interface Asked {
  by?: readonly Dimension[];
  over?: boolean; // time, in buckets that suit the window
  filter?: string | undefined;
  order?: Query<"/api/v1/llm/summary">["order"];
  limit?: number;
  before?: boolean; // the window of the same length before
}

/** A summary with the window it is of. */
export interface Summed extends Summary {
  window: Window;
}

/** Figures of the calls of a time range. */
export function summaryQuery(range: Range, { by = [], over = false, filter, order, limit, before = false }: Asked) {
  const { range: name, from, to } = range;
  return queryOptions({
    queryKey: ["summary", { name, from, to }, { by, over, filter, order, limit, before }],
    queryFn: async ({ signal, client }): Promise<Summed> => {
      const now = moment();
      const first = windowOf(range, now).from === null ? await client.query({ ...firstCallQuery, staleTime: "static" }) : undefined;
      const window = summaryWindow(range, now, before, first);
      const said = await ask("/api/v1/llm/summary", { ...summaryParams(window, { by, over, limit: limit ?? null }), filter: filter || null, order: order ?? null }, signal);
      return { ...said, window };
    },
    staleTime: FRESH_MS / 2,
    refetchInterval: to === undefined ? FRESH_MS : false,
  });
}

/** The dearest models, applications or users, with few figures: quicker than a summary. */
export function topQuery(range: Range, by: Dimension, limit: number) {
  const { range: name, from, to } = range;
  return queryOptions({
    queryKey: ["top", { name, from, to }, by, limit],
    queryFn: ({ signal }) => {
      const { from: first, to: last } = windowOf(range, Date.now());
      const minute = 60_000; // sums of minutes answer windows of whole ones
      const window = { from: first === null ? null : iso(Math.floor(first / minute) * minute), to: last === null ? null : iso(Math.ceil(last / minute) * minute) };
      return ask("/api/v1/llm/top", { ...window, by, limit }, signal);
    },
    staleTime: FRESH_MS,
    refetchInterval: to === undefined ? 3 * FRESH_MS : false,
  });
}

/** What the dearest models cost over time. */
export function spendByModelQuery(range: Range) {
  return summaryQuery(range, SPEND_BY_MODEL);
}

/** When the first call was, to the month: where "all time" begins. */
const firstCallQuery = queryOptions({
  queryKey: ["first-call"],
  queryFn: async ({ signal }) => {
    const { items } = await ask("/api/v1/llm/summary", { group_by: "month", tz: zone() }, signal);
    const first = items.find((item) => item.calls > 0)?.group.time;
    return first ? Date.parse(first) : Date.now() - 24 * 3600e3;
  },
  staleTime: 60_000,
});

/** The month so far, its days, and what it will have cost. */
export const forecastQuery = queryOptions({
  queryKey: ["forecast"],
  queryFn: ({ signal }) => ask("/api/v1/llm/forecast", { tz: zone() }, signal),
  staleTime: FRESH_MS / 2,
  refetchInterval: FRESH_MS,
});

/** Failures of a time range, put together by what failed and how. */
export function errorsQuery(range: Range, asked: { filter?: string | undefined; limit: number; order?: Query<"/api/v1/errors">["order"] }) {
  const { range: name, from, to } = range;
  return queryOptions({
    queryKey: ["errors", { name, from, to }, asked],
    queryFn: ({ signal }) => {
      const window = windowOf(range, Date.now());
      const ends = { from: window.from === null ? null : iso(window.from), to: window.to === null ? null : iso(window.to) };
      return ask("/api/v1/errors", { ...ends, filter: asked.filter || null, limit: asked.limit, order: asked.order ?? null }, signal);
    },
    staleTime: FRESH_MS,
    refetchInterval: to === undefined ? 3 * FRESH_MS : false,
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** A sum of money as a number to draw or compare; 0 where nothing is known. Never to be said. */
export function dollars(usd: string | null | undefined): number {
  return usd == null ? 0 : Number(usd);
}
