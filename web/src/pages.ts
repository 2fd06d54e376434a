import type { ComponentType } from "react";
import { readLogSearch } from "./logs/search";
import { LogsIcon, SessionsIcon, SettingsIcon, SqlIcon, StatusIcon, TracesIcon } from "./parts/icons";
import { readSessionSearch } from "./sessions/search";
import { readSettingsSearch } from "./settings/settings";
import { readSqlSearch } from "./sql/search";
import { readSearch } from "./traces/search";

/**
 * The pages of the rail, in its order. A page is added by one row: its address, its name, its icon, the key that follows `g`, what it
 * reads of the address bar, and its component, which is loaded when it is first looked at (its style sheet is imported by the component).
 * The router makes routes of these rows, the rail and the palette links, the help a line each.
 */
export const PAGES = [
  {
    path: "/traces",
    title: "Traces",
    Icon: TracesIcon,
    key: "t",
    readSearch,
    load: async (): Promise<ComponentType> => (await import("./traces/TracesPage")).TracesPage,
  },
  {
    path: "/sessions",
    title: "Sessions",
    Icon: SessionsIcon,
    key: "n",
    readSearch: readSessionSearch,
    load: async (): Promise<ComponentType> => (await import("./sessions/SessionsPage")).SessionsPage,
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

export interface Page {
  path: `/${string}`;
  title: string;
  Icon: ComponentType;
  key: string;
  readSearch: (raw: Record<string, unknown>) => object;
  load: () => Promise<ComponentType>;
}
