import { dollars, type Figures, type Group } from "../api/llm";

export interface Cell {
  usd: number | null; // null: nothing is known
  unpriced: number;
  calls: number;
}

export interface Line {
  name: string | null;
  cells: (Cell | undefined)[]; // by column; undefined where nothing was called
  rest: Cell | undefined; // of the columns that are not shown
  whole: Cell;
}

export interface Matrix {
  columns: (string | null)[];
  lines: Line[];
  more: number; // lines that are not shown
}

/** Money by two dimensions: the dearest `most` lines and `across` columns one by one. `by` are the groups of the first dimension alone. */
export function matrix(groups: readonly Group[], by: readonly Group[], one: string, two: string, most: number, across: number): Matrix {
  const sums = new Map<string | null, number>();
  for (const item of groups) {
    const name = item.group[two] ?? null;
    sums.set(name, (sums.get(name) ?? 0) + dollars(item.total_cost_usd));
  }
  const columns = [...sums].sort((a, b) => b[1] - a[1]).slice(0, across).map(([name]) => name);
  const found = new Map<string | null, Map<string | null, Cell>>();
  for (const item of groups) {
    const line = found.get(item.group[one] ?? null) ?? new Map<string | null, Cell>();
    found.set(item.group[one] ?? null, line.set(item.group[two] ?? null, cellOf(item)));
  }
  const lines = by.slice(0, most).map((item): Line => {
    const name = item.group[one] ?? null;
    const line = found.get(name);
    const cells = columns.map((column) => line?.get(column));
    const others = [...(line ?? [])].filter(([column]) => !columns.includes(column)).map(([, cell]) => cell);
    return { name, cells, rest: added(others), whole: cellOf(item) };
  });
  return { columns, lines, more: Math.max(0, by.length - most) };
}

function cellOf(item: Pick<Figures, "total_cost_usd" | "unpriced_calls" | "calls">): Cell {
  return { usd: item.total_cost_usd === null ? null : dollars(item.total_cost_usd), unpriced: item.unpriced_calls, calls: item.calls };
}

function added(cells: readonly Cell[]): Cell | undefined {
  if (cells.length === 0) return undefined;
  const known = cells.filter((cell) => cell.usd !== null);
  return {
    usd: known.length ? known.reduce((sum, cell) => sum + (cell.usd ?? 0), 0) : null,
    unpriced: cells.reduce((sum, cell) => sum + cell.unpriced, 0),
    calls: cells.reduce((sum, cell) => sum + cell.calls, 0),
  };
}
