import type { ComponentType } from "react";
import { StatusIcon, TracesIcon } from "./parts/icons";
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
    load: async () => (await import("./traces/TracesPage")).TracesPage,
  },
  {
    path: "/status",
    title: "Status",
    Icon: StatusIcon,
    key: "s",
    readSearch: () => ({}),
    load: async () => (await import("./status/StatusPage")).StatusPage,
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
