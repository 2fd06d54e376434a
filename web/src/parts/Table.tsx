import type { ReactNode } from "react";
import { ChevronIcon } from "./icons";
import "./table.css";

export interface Column<Row> {
  key: string;
  label: string;
  title?: string; // what it means, on hover
  right?: boolean;
  sort?: string; // what the order is called; absent: it cannot be ordered by this
  width?: string;
  render: (row: Row) => ReactNode;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[] | undefined; // undefined: not known yet
  rowKey: (row: Row) => string;
  sort?: string | undefined; // `-` in front: largest first
  onSort?: (sort: string) => void;
  here?: string | null; // key of the row that is chosen
  after?: (row: Row) => ReactNode; // what opens below a row
}

/** A table of a page: small enough to be there whole. The first column names the row. */
export function Table<Row>({ label, columns, rows, rowKey, sort, onSort, here, after }: Props<Row>) {
  return (
    <div className="datatable" tabIndex={0} role="region" aria-label={label} aria-busy={rows === undefined}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows?.map((row) => {
            const key = rowKey(row);
            const below = after?.(row);
            return [
              <tr key={key} className={here === key ? "is-here" : undefined}>
                {columns.map((column, index) =>
                  index === 0 ? (
                    <th key={column.key} scope="row">
                      {column.render(row)}
                    </th>
                  ) : (
                    <td key={column.key} className={column.right ? "is-right number" : undefined}>
                      {column.render(row)}
                    </td>
                  ),
                )}
              </tr>,
              below ? (
                <tr key={`${key} more`} className="datatable-more">
                  <td colSpan={columns.length}>{below}</td>
                </tr>
              ) : null,
            ];
          })}
          {rows === undefined &&
            [30, 24, 36, 20, 28].map((width) => (
              <tr key={width}>
                <td colSpan={columns.length}>
                  <span className="skeleton" style={{ width: `${width}%` }} />
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

function Heading<Row>({ column, sort, onSort }: { column: Column<Row>; sort: string | undefined; onSort: ((sort: string) => void) | undefined }) {
  const sorted = column.sort !== undefined && sort?.replace(/^-/, "") === column.sort;
  const descending = sort?.startsWith("-") ?? false;
  return (
    <th
      scope="col"
      className={column.right ? "is-right" : undefined}
      style={column.width === undefined ? undefined : { width: column.width }}
      title={column.title}
      aria-sort={sorted ? (descending ? "descending" : "ascending") : undefined}
    >
      {column.sort === undefined || !onSort ? (
        column.label
      ) : (
        <button type="button" onClick={() => onSort(sorted && descending ? (column.sort ?? "") : `-${column.sort ?? ""}`)}>
          {column.label}
          {sorted && <ChevronIcon turn={descending ? 90 : 270} />}
        </button>
      )}
    </th>
  );
}
