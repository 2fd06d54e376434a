import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import type { TraceSummary } from "../api/types";
import { duration } from "../format/duration";
import { count } from "../format/number";
import { milliseconds } from "../format/time";
import { CheckIcon, ChevronIcon, ErrorIcon } from "../parts/icons";
import { Ago } from "../parts/now";
import { shift } from "./list";
import { DEFAULT_SORT, type Sort } from "./search";

export const ROW = 32;

const COLUMNS: { key: string; label: string; sort?: Sort; right?: boolean }[] = [
  { key: "status", label: "status" },
  { key: "name", label: "trace" },
  { key: "service", label: "service" },
  { key: "start", label: "started", sort: "start" },
  { key: "duration", label: "duration", sort: "duration", right: true },
  { key: "spans", label: "spans", sort: "span_count", right: true },
  { key: "errors", label: "errors", sort: "error_count", right: true },
  { key: "state", label: "state" },
];

interface Props {
  items: TraceSummary[];
  more: boolean;
  loadMore: () => void;
  sort: string | undefined;
  onSort: (sort: string) => void;
  cursor: string | null; // trace id of the row the keyboard is on
  scroller: RefObject<HTMLDivElement | null>;
  onReading: (reading: boolean) => void; // whether the list is scrolled away from its top
}

/** The trace list: only the rows on the screen exist. A row that is being read stays where it is when rows come in above it. */
export function TraceTable({ items, more, loadMore, sort = DEFAULT_SORT, onSort, cursor, scroller, onReading }: Props) {
  const virtual = useVirtualizer({
    count: items.length + (more ? 1 : 0),
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
    getItemKey: (index) => items[index]?.trace_id ?? "more",
  });
  const rows = virtual.getVirtualItems();
  const lastRow = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && lastRow >= items.length - 30) loadMore();
  }, [more, lastRow, items.length, loadMore]);

  const before = useRef(items);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && before.current !== items) {
      const moved = element.scrollTop > 0 ? shift(before.current, items, Math.floor(element.scrollTop / ROW)) : 0;
      if (moved !== 0) element.scrollTop += moved * ROW;
    }
    before.current = items;
  }, [items, scroller]);

  const at = cursor === null ? -1 : items.findIndex((item) => item.trace_id === cursor);
  useEffect(() => {
    // only when the keyboard moved, not when rows came in
    const index = cursor === null ? -1 : before.current.findIndex((item) => item.trace_id === cursor);
    if (index >= 0) virtual.scrollToIndex(index, { align: "auto" });
  }, [cursor, virtual]);

  const longest = useMemo(() => usualLongest(items), [items]);
  return (
    <div
      className="table"
      role="grid"
      aria-label="traces"
      aria-rowcount={more ? -1 : items.length + 1}
      aria-activedescendant={at >= 0 ? `trace-${cursor ?? ""}` : undefined}
      tabIndex={0}
      ref={scroller}
      onScroll={(event) => onReading(event.currentTarget.scrollTop > 0)}
    >
      <div className="table-head" role="row" aria-rowindex={1}>
        {COLUMNS.map((column) => (
          <Heading key={column.key} column={column} sort={sort} onSort={onSort} />
        ))}
      </div>
      <div className="table-body" style={{ height: virtual.getTotalSize() }}>
        {rows.map((row) => {
          const item = items[row.index];
          if (!item) {
            return (
              <div key="more" className="table-row is-waiting" role="row" style={{ transform: `translateY(${row.start}px)` }}>
                <span role="gridcell" className="skeleton" />
              </div>
            );
          }
          return <Row key={item.trace_id} item={item} index={row.index} top={row.start} here={row.index === at} longest={longest} />;
        })}
      </div>
    </div>
  );
}

/** What a full bar stands for: the 95th percentile, so that one odd trace does not flatten all others. */
function usualLongest(items: TraceSummary[]): number {
  const sorted = items.map((item) => item.duration_ms).sort((a, b) => a - b);
  return sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0;
}

function Heading({ column, sort, onSort }: { column: (typeof COLUMNS)[number]; sort: string; onSort: (sort: string) => void }) {
  const sorted = column.sort !== undefined && sort.replace(/^-/, "") === column.sort;
  const descending = sort.startsWith("-");
  return (
    <div
      role="columnheader"
      className={`cell-${column.key}${column.right ? " is-right" : ""}`}
      aria-sort={sorted ? (descending ? "descending" : "ascending") : undefined}
    >
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

interface RowProps {
  item: TraceSummary;
  index: number;
  top: number;
  here: boolean;
  longest: number;
}

function Row({ item, index, top, here, longest }: RowProps) {
  const failed = item.error_count > 0;
  const others = item.services.length - 1;
  return (
    <div
      id={`trace-${item.trace_id}`}
      className={`table-row${here ? " is-here" : ""}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={here}
      style={{ transform: `translateY(${top}px)` }}
    >
      <div role="gridcell" className={`cell-status ${failed ? "is-error" : "is-good"}`}>
        {failed ? <ErrorIcon /> : <CheckIcon />}
        <span className="unseen">{failed ? "with errors" : "ok"}</span>
      </div>
      <div role="gridcell" className="cell-name">
        <Link to="/traces/$traceId" params={{ traceId: item.trace_id }} className="row-link" tabIndex={-1}>
          {item.root_name || "(no name)"}
        </Link>
        <span className="mono faint row-id">{item.trace_id.slice(0, 8)}</span>
      </div>
      <div role="gridcell" className="cell-service" title={item.services.join(", ")}>
        {item.service_name ?? <span className="faint">—</span>}
        {others > 0 && <span className="faint"> +{others}</span>}
      </div>
      <div role="gridcell" className="cell-start muted">
        <Ago ms={milliseconds(item.start_ns)} />
      </div>
      <div role="gridcell" className="cell-duration is-right number">
        <span className="behind" style={{ width: `${longest > 0 ? Math.min(100, (100 * item.duration_ms) / longest) : 0}%` }} aria-hidden="true" />
        <span>{duration(item.duration_ms)}</span>
      </div>
      <div role="gridcell" className="cell-spans is-right number">
        {count(item.span_count)}
      </div>
      <div role="gridcell" className={`cell-errors is-right number ${failed ? "is-error" : "faint"}`}>
        {count(item.error_count)}
      </div>
      <div role="gridcell" className="cell-state">
        <State state={item.state} />
      </div>
    </div>
  );
}

/** `open`: spans may still come. `kept`: decided and stored. */
export function State({ state }: { state: TraceSummary["state"] }) {
  return (
    <span className={`tag is-${state}`} title={state === "open" ? "spans of this trace may still arrive" : "decided and stored"}>
      {state}
    </span>
  );
}
