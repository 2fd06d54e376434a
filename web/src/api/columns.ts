import type { CallSums, SpanCall, TraceTree, TreeSpan } from "./types";

/** Values by row, null where there is none; or texts and each row's place among them, -1 where there is none. */
export type Column = (string | number | boolean | null)[] | { of: string[]; at: number[] };
type Columns = Record<string, Column>;

interface Part {
  at: number[];
  columns: Columns;
}

export interface SpanBlock {
  rows: number;
  columns: Columns;
  calls: Part;
  subtrees: Part;
}

/** A trace as `view=columns` gives it: a third of the bytes of its spans as objects. */
export interface TraceColumns extends Omit<TraceTree, "spans"> {
  blocks: SpanBlock[];
}

/** The same with a span as an object. */
export function asTree({ blocks, ...trace }: TraceColumns): TraceTree {
  return { ...trace, spans: blocks.flatMap(spansOf) };
}

function spansOf(block: SpanBlock): TreeSpan[] {
  const rows = rowsOf(block.columns, block.rows);
  for (const row of rows) {
    row["status"] = row["message"] ? { code: row["status"], message: row["message"] } : { code: row["status"] };
    row["parent_span_id"] ??= null;
  }
  const spans = rows as unknown as TreeSpan[];
  place(block.calls, (at, said) => {
    const span = spans[at];
    if (span) span.call = { total_cost_usd: null, ...said } as unknown as SpanCall;
  });
  place(block.subtrees, (at, said) => {
    const span = spans[at];
    if (span) span.subtree = { total_cost_usd: null, ...said } as unknown as CallSums & { error_count: number };
  });
  return spans;
}

function place(part: Part, give: (at: number, said: Row) => void): void {
  rowsOf(part.columns, part.at.length).forEach((said, i) => {
    give(part.at[i] ?? -1, said);
  });
}

type Row = Record<string, unknown>;

/** Columns as objects, without what has no value. */
function rowsOf(columns: Columns, count: number): Row[] {
  const rows: Row[] = Array.from({ length: count }, () => ({}));
  for (const [name, column] of Object.entries(columns)) {
    if (Array.isArray(column))
      rows.forEach((row, i) => {
        if (column[i] !== null) row[name] = column[i];
      });
    else
      rows.forEach((row, i) => {
        const text = column.of[column.at[i] ?? -1];
        if (text !== undefined) row[name] = text;
      });
  }
  return rows;
}
