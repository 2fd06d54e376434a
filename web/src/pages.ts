import type { QueryClient } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { errorsQuery, forecastQuery, spendByModelQuery, summaryQuery } from "./api/llm";
import { attributionOf, readCost } from "./cost/search";
import { errorsAsked, readErrors } from "./errors/search";
import { rowsQuery } from "./explore/rows";
import { readExplore } from "./explore/search";
import { readRange } from "./frame/range";
import { readLogSearch } from "./logs/search";
import { MODELS, readModels } from "./models/search";
import { CostIcon, ErrorsIcon, ExploreIcon, LogsIcon, ModelsIcon, OverviewIcon, SessionsIcon, SettingsIcon, SqlIcon, StatusIcon, UsersIcon } from "./parts/icons";
import { readSettingsSearch } from "./settings/settings";
import { readSqlSearch } from "./sql/search";
import { readUsers } from "./users/search";

/**
 * The pages of the rail, in its order. A page is added by one row: its address, its name, its icon, the key that follows `g`, what it
 * reads of the address bar, and its component, which is loaded when it is first looked at (its style sheet is imported by the component; the
 * type of `load` is written out, because a component's own links are checked by this table). `ask` begins what the page asks first, so that
 * a page that is opened by its address waits for its answers and its component at the same time.
 * The router makes routes of these rows.
 */
export const PAGES = [
  {
    path: "/",
    title: "Overview",
    Icon: OverviewIcon,
    key: "o",
    readSearch: readRange,
    load: async (): Promise<ComponentType> => (await import("./overview/OverviewPage")).OverviewPage,
    ask: (client, raw) => {
      const range = readRange(raw);
      return [client.query(summaryQuery(range, { over: true })), client.query(spendByModelQuery(range)), client.query(forecastQuery)];
    },
  },
  {
    path: "/explore",
    title: "Explore",
    Icon: ExploreIcon,
    key: "e",
    readSearch: readExplore,
    load: async (): Promise<ComponentType> => (await import("./explore/ExplorePage")).ExplorePage,
    ask: (client, raw) => [client.infiniteQuery(rowsQuery(readExplore(raw)))],
  },
  {
    path: "/users",
    title: "Users",
    Icon: UsersIcon,
    key: "u",
    readSearch: readUsers,
    load: async (): Promise<ComponentType> => (await import("./users/UsersPage")).UsersPage,
  },
  {
    path: "/models",
    title: "Models",
    Icon: ModelsIcon,
    key: "m",
    readSearch: readModels,
    load: async (): Promise<ComponentType> => (await import("./models/ModelsPage")).ModelsPage,
    ask: (client, raw) => [client.query(summaryQuery(readModels(raw), MODELS))],
  },
  {
    path: "/cost",
    title: "Cost",
    Icon: CostIcon,
    key: "c",
    readSearch: readCost,
    load: async (): Promise<ComponentType> => (await import("./cost/CostPage")).CostPage,
    ask: (client, raw) => {
      const search = readCost(raw);
      return [client.query(summaryQuery(search, {})), client.query(forecastQuery), ...attributionOf(search).map((asked) => client.query(summaryQuery(search, asked)))];
    },
  },
  {
    path: "/errors",
    title: "Errors",
    Icon: ErrorsIcon,
    key: "x",
    readSearch: readErrors,
    load: async (): Promise<ComponentType> => (await import("./errors/ErrorsPage")).ErrorsPage,
    ask: (client, raw) => [client.query(errorsQuery(readErrors(raw), errorsAsked(readErrors(raw))))],
  },
  {
    path: "/logs",
    title: "Logs",
    Icon: LogsIcon,
    key: "l",
    readSearch: readLogSearch,
    load: async (): Promise<ComponentType> => (await import("./logs/LogsPage")).LogsPage,
  },
  {
    path: "/sql",
    title: "SQL",
    Icon: SqlIcon,
    key: "q",
    readSearch: readSqlSearch,
    load: async (): Promise<ComponentType> => (await import("./sql/SqlPage")).SqlPage,
  },
  {
    path: "/status",
    title: "Status",
    Icon: StatusIcon,
    key: "s",
    readSearch: () => ({}),
    load: async (): Promise<ComponentType> => (await import("./status/StatusPage")).StatusPage,
  },
  {
    path: "/settings",
    title: "Settings",
    Icon: SettingsIcon,
    key: ",",
    readSearch: readSettingsSearch,
    load: async (): Promise<ComponentType> => (await import("./settings/SettingsPage")).SettingsPage,
  },
] as const satisfies readonly Page[];

/** What the rail, the palette and the help list: the pages, and sessions, which are a kind of rows of the explorer. */
export const PLACES = [...PAGES.slice(0, 2), { path: "/sessions", title: "Sessions", Icon: SessionsIcon, key: "n" } as const, ...PAGES.slice(2)];

export interface Page {
  path: `/${string}`;
  title: string;
  Icon: ComponentType;
  key: string;
  readSearch: (raw: Record<string, unknown>) => object;
  load: () => Promise<ComponentType>;
  ask?: (client: QueryClient, raw: Record<string, unknown>) => Promise<unknown>[];
}
