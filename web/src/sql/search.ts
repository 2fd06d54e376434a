/** The address bar of the SQL page: the query that was run. */
export interface SqlSearch {
  q?: string;
}

/** Reads the address bar. */
export function readSqlSearch(raw: Record<string, unknown>): SqlSearch {
  return typeof raw.q === "string" && raw.q.trim() !== "" ? { q: raw.q } : {};
}
