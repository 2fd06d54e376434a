import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useMemo } from "react";
import { ChevronIcon } from "../parts/icons";
import type { Column } from "./columns";
import { RowDetail } from "./RowDetail";
import { keyOf, type Row } from "./rows";

const ROW = 32;
const GAP = 12; // as explore.css has it
const PADDING = 16;

interface Props {
  label: string;
  rows: readonly Row[];
  columns: readonly Column[];
  more: boolean;
  loadMore: () => void;
  sort: string;
  onSort: (sort: string) => void;
  cursor: string | null; // key of the row the keyboard is on
  open: string | undefined; // key of the row that is open
  onOpen: (key: string) => void;
  scroller: RefObject<HTMLDivElement | null>;
  onReading: (reading: boolean) => void;
}

/** The table: only rows on the screen exist. A row opens where it is; its name leads to the trace. */
export function RowsTable({ label, rows, columns, more, loadMore, sort, onSort, cursor, open, onOpen, scroller, onReading }: Props) {
  const virtual = useVirtualizer({
    count: rows.length + (more ? 1 : 0),
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (rows[index] && keyOf(rows[index]) === open ? 280 : ROW),
    overscan: 10,
    getItemKey: (index) => (rows[index] ? keyOf(rows[index]) : "more"),
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= rows.length - 30) loadMore();
  }, [more, last, rows.length, loadMore]);
  useEffect(() => virtual.measure(), [open, virtual]);
  const at = cursor === null ? -1 : rows.findIndex((row) => keyOf(row) === cursor);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
    // only when the keyboard moved, not when rows came in
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [cursor]);
  const most = useMemo(() => columns.map(({ bar }) => (bar ? usual(rows.map(bar)) : 0)), [rows, columns]);
  // no narrower than its columns: a row is one strip also where it is scrolled sideways
  const least = columns.reduce((sum, { width }) => sum + Number(/(\d+)px/.exec(width)?.[1] ?? 0) + GAP, 2 * PADDING - GAP);
  const template = { gridTemplateColumns: columns.map(({ width }) => width).join(" "), minWidth: least };
  return (
    <div
      className="rows"
      role="grid"
      aria-label={label}
      aria-rowcount={more ? -1 : rows.length + 1}
      aria-activedescendant={at >= 0 ? `row-${at}` : undefined}
      tabIndex={0}
      ref={scroller}
      onScroll={(event) => onReading(event.currentTarget.scrollTop > 0)}
    >
      <div className="rows-head" role="row" aria-rowindex={1} style={template}>
        {columns.map((column) => (
          <Heading key={column.key} column={column} sort={sort} onSort={onSort} />
        ))}
      </div>
      <div className="rows-body" role="rowgroup" style={{ height: virtual.getTotalSize(), minWidth: least }}>
        {shown.map((item) => {
          const row = rows[item.index];
          const place = { transform: `translateY(${item.start}px)` };
          if (!row) {
            return (
              <div key="more" className="row is-waiting" role="row" style={place}>
                <span role="gridcell">
                  <span className="skeleton" style={{ width: 200 }} />
                </span>
              </div>
            );
          }
          const key = keyOf(row);
          return (
            <div key={key} data-index={item.index} ref={virtual.measureElement} className="row-place" role="presentation" style={place}>
              <div
                id={`row-${item.index}`}
                className={`row${item.index === at ? " is-here" : ""}`}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={item.index === at}
                style={template}
                onClick={() => onOpen(key)}
              >
                {columns.map((column, nth) => (
                  <div key={column.key} role="gridcell" className={`cell-${column.key}${column.right ? " is-right number" : ""}`}>
                    {column.bar && <i className="behind" style={{ width: `${(most[nth] ?? 0) > 0 ? Math.min(100, (100 * column.bar(row)) / (most[nth] ?? 1)) : 0}%` }} aria-hidden="true" />}
                    {column.render(row)}
                  </div>
                ))}
              </div>
              {key === open && <RowDetail row={row} label={`details of row ${item.index + 1}`} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** What a full bar stands for: the 95th percentile, so that one odd row does not flatten all others. */
function usual(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(0.95 * (sorted.length - 1))] || (sorted.at(-1) ?? 0);
}

function Heading({ column, sort, onSort }: { column: Column; sort: string; onSort: (sort: string) => void }) {
  const sorted = column.sort !== undefined && sort.replace(/^-/, "") === column.sort;
  const descending = sort.startsWith("-");
  return (
    <div role="columnheader" className={column.right ? "is-right" : undefined} aria-sort={sorted ? (descending ? "descending" : "ascending") : undefined}>
      {column.sort === undefined ? (
        <span className={column.key === "status" ? "unseen" : undefined}>{column.label}</span>
      ) : (
        <button type="button" onClick={() => onSort(sorted && descending ? (column.sort ?? "") : `-${column.sort ?? ""}`)}>
          {column.label}
          {sorted && <ChevronIcon turn={descending ? 90 : 270} />}
        </button>
      )}
    </div>
  );
}
