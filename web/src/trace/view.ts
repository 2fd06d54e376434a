/** What the address bar of a trace holds: which span is looked at and how. */
export interface TraceView {
  span?: string; // selected span id
  tab?: Tab;
  find?: string; // text in span names
  only?: "errors";
  view?: View; // absent: what suits the trace
  gaps?: "full"; // idle time at its full length
  with?: string; // trace id to compare with
}

export const VIEWS = ["waterfall", "flame", "transcript"] as const;
export type View = (typeof VIEWS)[number];

export const TABS = ["messages", "attributes", "events", "logs", "cost", "links", "resource", "raw"] as const;
export type Tab = (typeof TABS)[number];

/** Reads the address bar; what is not understood is left out. */
export function readTraceView(raw: Record<string, unknown>): TraceView {
  const view: TraceView = {};
  const text = (key: string) => (typeof raw[key] === "string" && raw[key] !== "" ? raw[key] : undefined);
  const [span, tab, find, only, shown, gaps, other] = ["span", "tab", "find", "only", "view", "gaps", "with"].map(text);
  if (span !== undefined && /^[0-9a-f]{16}$/.test(span)) view.span = span;
  if (tab !== undefined && (TABS as readonly string[]).includes(tab)) view.tab = tab as Tab;
  if (find !== undefined) view.find = find;
  if (only === "errors") view.only = only;
  if (shown !== undefined && (VIEWS as readonly string[]).includes(shown)) view.view = shown as View;
  if (gaps === "full") view.gaps = gaps;
  if (other !== undefined && /^[0-9a-f]{32}$/.test(other)) view.with = other;
  return view;
}
