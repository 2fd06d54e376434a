import { type Range, readRange, textOf, windowParams } from "../frame/range";

/** The state of the log page as the address bar holds it. */
export interface LogSearch extends Range {
  service?: string;
  severity?: string; // least severity, by its word
  text?: string; // anywhere in the body
}

export const LEAST: Record<string, number> = { debug: 5, info: 9, warn: 13, error: 17 };

/** Reads the address bar; what is not understood is left out. */
export function readLogSearch(raw: Record<string, unknown>): LogSearch {
  const search: LogSearch = readRange(raw);
  const [service, severity, text] = ["service", "severity", "text"].map((key) => textOf(raw, key));
  if (service !== undefined) search.service = service;
  if (severity !== undefined && Object.hasOwn(LEAST, severity)) search.severity = severity;
  if (text !== undefined) search.text = text.slice(0, 1024);
  return search;
}

/** Query parameters for `GET /api/v1/logs`, but for limit and cursor. */
export function logParams(search: LogSearch, now: number): Record<string, string | number | null> {
  return {
    ...windowParams(search, now),
    service: search.service ?? null,
    severity_min: search.severity === undefined ? null : (LEAST[search.severity] ?? null),
    text: search.text ?? null,
  };
}
