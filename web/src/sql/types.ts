import type { Value } from "../api/types";

export interface Column {
  name: string;
  type: string; // DuckDB's name of it
}

/** The answer of `POST /api/v1/sql`. */
export interface SqlAnswer {
  columns: Column[];
  rows: Value[][];
  truncated: boolean;
  row_count: number;
  elapsed_ms: number;
}

/** What is saved of a query, as kind `query`. */
export interface SavedSql {
  query: string;
}
