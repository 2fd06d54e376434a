import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import type { Value } from "../api/types";
import { isNumber } from "./chart";
import type { Column, SqlAnswer } from "./types";

const ROW = 28;
const LONGEST = 300; // characters of a cell; the whole is in its hover and in the copy

/** The rows as a table. Only those in view exist. Ids of traces and spans lead there. */
export function Result({ answer }: { answer: SqlAnswer }) {
  const scroller = useRef<HTMLDivElement>(null);
  const { columns, rows } = answer;
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 20 });
  const shown = virtual.getVirtualItems();
  const before = shown[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (shown.at(-1)?.end ?? 0);
  const traceColumn = columns.findIndex((column) => column.name === "trace_id");
  return (
    <div ref={scroller} className="datatable is-filling" tabIndex={0} role="region" aria-label="result">
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={index} scope="col" className={isNumber(column) ? "is-right" : undefined} title={column.type}>
                {column.name} <span className="faint">{column.type.toLowerCase().split("(")[0]}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && (
            <tr aria-hidden="true">
              <td style={{ height: before }} colSpan={columns.length} />
            </tr>
          )}
          {shown.map((item) => (
            <tr key={item.key} aria-rowindex={item.index + 2}>
              {(rows[item.index] ?? []).map((value, index) => (
                <Cell key={index} value={value} column={columns[index]} trace={traceColumn < 0 ? null : (rows[item.index]?.[traceColumn] ?? null)} />
              ))}
            </tr>
          ))}
          {after > 0 && (
            <tr aria-hidden="true">
              <td style={{ height: after }} colSpan={columns.length} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ value, column, trace }: { value: Value; column: Column | undefined; trace: Value }) {
  const name = column?.name ?? "";
  if (value === null) return <td className={column && isNumber(column) ? "number faint" : "faint"}>null</td>;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (name === "trace_id" && /^[0-9a-f]{32}$/.test(text)) {
    return (
      <td className="mono">
        <Link to="/traces/$traceId" params={{ traceId: text }}>
          {text}
        </Link>
      </td>
    );
  }
  if (name === "span_id" && typeof trace === "string" && /^[0-9a-f]{16}$/.test(text)) {
    return (
      <td className="mono">
        <Link to="/traces/$traceId" params={{ traceId: trace }} search={{ span: text }}>
          {text}
        </Link>
      </td>
    );
  }
  const long = text.length > LONGEST;
  return (
    <td className={column && isNumber(column) ? "number" : typeof value === "object" ? "mono" : undefined} title={text.length > 40 ? text.slice(0, 2000) : undefined}>
      {long ? `${text.slice(0, LONGEST)}…` : text}
    </td>
  );
}
