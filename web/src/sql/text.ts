import type { Value } from "../api/types";
import type { SqlAnswer } from "./types";

/** An answer as CSV (RFC 4180), with the names of its columns. */
export function csv({ columns, rows }: Pick<SqlAnswer, "columns" | "rows">): string {
  const cell = (value: Value) => {
    const text = value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns.map((column) => cell(column.name)), ...rows.map((row) => row.map(cell))].map((cells) => cells.join(",")).join("\r\n") + "\r\n";
}

/** A curl line that asks the same. */
export function curl(origin: string, query: string): string {
  return `curl -s ${origin}/api/v1/sql -H 'content-type: application/json' -d '${JSON.stringify({ query }).replaceAll("'", "'\\''")}'`;
}
