import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Value } from "../api/types";
import { duration } from "../format/duration";
import { absolute, clock, milliseconds } from "../format/time";
import { Json, oneLine } from "../messages/Json";
import { Text } from "../messages/Part";
import { ChevronIcon, ErrorIcon } from "../parts/icons";
import { useNow } from "../parts/now";
import { AttributeTable } from "../trace/AttributeTable";
import { severity } from "./severity";
import type { LogRecord } from "./types";

interface Props {
  items: readonly LogRecord[];
  origin?: bigint; // times are told from here on, as in a trace
  links: boolean; // to the trace
}

/** Log records, one line each, whole when opened. */
export function LogList({ items, origin, links }: Props) {
  return (
    <ul className="logs-list">
      {items.map((item, index) => (
        <LogRow key={`${item.time_ns}-${item.received_at_ns}-${index}`} record={item} links={links} {...(origin !== undefined && { origin })} />
      ))}
    </ul>
  );
}

function LogRow({ record, origin, links }: { record: LogRecord; origin?: bigint; links: boolean }) {
  const [open, setOpen] = useState(false);
  const ns = timeOf(record);
  const ms = milliseconds(ns);
  const now = useNow();
  const { word, tone } = severity(record.severity_number, record.severity_text);
  return (
    <li className={open ? "log is-open" : "log"}>
      <button type="button" className="log-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronIcon turn={open ? 90 : 0} />
        <time className="faint number log-time" title={absolute(ms)}>
          {origin === undefined ? moment(ms, now) : `+${duration(Number(BigInt(ns) - origin) / 1e6)}`}
        </time>
        <span className={`log-severity is-${tone}`}>
          {tone === "error" && <ErrorIcon size={12} />}
          {word}
        </span>
        {links && <span className="faint log-service">{record.service_name}</span>}
        {record.event_name && <span className="log-event">{record.event_name}</span>}
        <span className="log-body">{line(record.body)}</span>
      </button>
      {open && (
        <div className="log-whole">
          <p className="faint">
            {absolute(ms)}
            {links && record.trace_id && (
              <>
                {" · "}
                <Link to="/traces/$traceId" params={{ traceId: record.trace_id }} search={record.span_id ? { span: record.span_id } : {}}>
                  its trace
                </Link>
              </>
            )}
          </p>
          {record.body !== null && (typeof record.body === "string" ? <Text value={record.body} /> : <Json value={record.body} open={2} />)}
          <AttributeTable attributes={record.attributes} types={record.attribute_types} dropped={record.dropped_attributes_count} label="attributes" />
          <AttributeTable attributes={{ ...(record.scope.name && { "scope.name": record.scope.name }), ...record.resource }} label="resource attributes" />
        </div>
      )}
    </li>
  );
}

/** `11:27:38.788`, with the day before it when that is not today. */
function moment(ms: number, now: number): string {
  const date = new Date(ms);
  const time = `${clock(date)}.${date.getMilliseconds().toString().padStart(3, "0")}`;
  return date.toDateString() === new Date(now).toDateString() ? time : `${date.toLocaleString("en-US", { month: "short", day: "numeric" })} ${time}`;
}

/** When it happened, else when it was seen, else when it came. */
export function timeOf(record: Pick<LogRecord, "time_ns" | "observed_time_ns" | "received_at_ns">): string {
  return [record.time_ns, record.observed_time_ns].find((ns) => ns !== "0") ?? record.received_at_ns;
}

/** A body in one line. */
function line(body: Value): string {
  if (body === null) return "";
  return (typeof body === "string" ? body : (oneLine(body) ?? JSON.stringify(body))).slice(0, 400);
}
