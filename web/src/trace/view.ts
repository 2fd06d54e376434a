/** What the address bar of a trace holds: which span is looked at and how. */
export interface TraceView {
  span?: string; // selected span id
  tab?: Tab;
  find?: string; // text in span names
  only?: "errors";
}

export const TABS = ["attributes", "events", "links", "resource", "raw"] as const;
export type Tab = (typeof TABS)[number];

/** Reads the address bar; what is not understood is left out. */
export function readTraceView(raw: Record<string, unknown>): TraceView {
  const view: TraceView = {};
  const text = (key: string) => (typeof raw[key] === "string" && raw[key] !== "" ? raw[key] : undefined);
  const [span, tab, find, only] = ["span", "tab", "find", "only"].map(text);
  if (span !== undefined && /^[0-9a-f]{16}$/.test(span)) view.span = span;
  if (tab !== undefined && tab !== "attributes" && (TABS as readonly string[]).includes(tab)) view.tab = tab as Tab;
  if (find !== undefined) view.find = find;
  if (only === "errors") view.only = only;
  return view;
}
