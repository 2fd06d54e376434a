import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { dollars } from "../api/llm";
import { duration } from "../format/duration";
import { count, short, tokens } from "../format/number";
import { milliseconds } from "../format/time";
import { Counted } from "../parts/Counted";
import { CheckIcon, ErrorIcon } from "../parts/icons";
import { Money } from "../parts/Money";
import { Ago } from "../parts/now";
import { State } from "../parts/State";
import type { Row } from "./rows";
import type { RowKind } from "./search";

export interface Column {
  key: string;
  label: string;
  width: string; // of the grid
  right?: boolean;
  sort?: string;
  shown?: boolean; // unless one chooses
  bar?: (row: Row) => number; // how long the faint bar behind it is
  render: (row: Row) => ReactNode;
}

const none = <span className="faint">—</span>;
const text = (value: string | null | undefined) => (value ? <span title={value}>{value}</span> : none);
const number = (value: number | string | null | undefined) => (value == null ? none : <span title={count(Number(value))}>{short(Number(value))}</span>);

function Status({ failed }: { failed: boolean }) {
  return (
    <span className={failed ? "is-error" : "is-good"}>
      {failed ? <ErrorIcon /> : <CheckIcon />}
      <span className="unseen">{failed ? "failed" : "ok"}</span>
    </span>
  );
}

/** The name of a row, which leads to the trace. */
function Name({ traceId, span, children }: { traceId: string; span?: string; children: ReactNode }) {
  return (
    <Link to="/traces/$traceId" params={{ traceId }} search={span === undefined ? {} : { span }} className="row-name" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
      {children}
    </Link>
  );
}

/** The name of a session, which leads to its page: the whole of it, whatever the window of the list. */
function SessionName({ id }: { id: string }) {
  return (
    <Link to="/sessions/$sessionId" params={{ sessionId: id }} search={{ range: "all" }} className="row-name" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
      {id}
    </Link>
  );
}

/** Columns of one kind of row; `of` narrows the row for `render`. */
function columnsOf<K extends RowKind>(of: K, columns: (Omit<Column, "render" | "bar"> & { render: (row: Extract<Row, { of: K }>["row"]) => ReactNode; bar?: (row: Extract<Row, { of: K }>["row"]) => number })[]): Column[] {
  return columns.map(({ render, bar, ...column }) => ({
    ...column,
    render: (row) => (row.of === of ? render(row.row as never) : null),
    ...(bar && { bar: (row: Row) => (row.of === of ? bar(row.row as never) : 0) }),
  }));
}

/** What each kind of row can show, in order. */
export const COLUMNS: Record<RowKind, Column[]> = {
  traces: columnsOf("traces", [
    { key: "status", label: "status", width: "24px", shown: true, render: (row) => <Status failed={row.error_count > 0} /> },
    { key: "name", label: "trace", width: "minmax(160px, 3fr)", shown: true, render: (row) => <Name traceId={row.trace_id}>{row.root_name || "(no name)"}</Name> },
    { key: "service", label: "service", width: "minmax(90px, 1fr)", shown: true, render: (row) => <span title={row.services.join(", ")}>{row.service_name ?? none}{row.services.length > 1 && <span className="faint"> +{row.services.length - 1}</span>}</span> },
    { key: "start", label: "started", width: "84px", shown: true, sort: "start", render: (row) => <span className="muted"><Ago ms={milliseconds(row.start_ns)} /></span> },
    { key: "duration", label: "duration", width: "88px", right: true, shown: true, sort: "duration", bar: (row) => row.duration_ms, render: (row) => duration(row.duration_ms) },
    { key: "spans", label: "spans", width: "56px", right: true, shown: true, sort: "span_count", render: (row) => count(row.span_count) },
    { key: "errors", label: "errors", width: "64px", right: true, sort: "error_count", render: (row) => <span className={row.error_count ? "is-error" : "faint"}>{count(row.error_count)}</span> },
    { key: "calls", label: "calls", width: "48px", right: true, shown: true, render: (row) => (row.llm_calls ? count(row.llm_calls) : none) },
    { key: "tokens", label: "tokens", width: "64px", right: true, shown: true, sort: "tokens", render: (row) => (row.llm_calls ? <span title={tokens(row.input_tokens, row.output_tokens) ?? undefined}>{short(row.input_tokens + row.output_tokens)}</span> : none) },
    { key: "cost", label: "cost", width: "96px", right: true, shown: true, sort: "cost", bar: (row) => dollars(row.total_cost_usd), render: (row) => (row.llm_calls ? <Money value={row.total_cost_usd} unpriced={row.unpriced_calls} said="sign" /> : none) },
    { key: "models", label: "models", width: "minmax(120px, 1fr)", render: (row) => text(row.models.join(", ")) },
    { key: "user", label: "user", width: "120px", render: (row) => text(row.user_id) },
    { key: "session", label: "session", width: "120px", render: (row) => text(row.session_id) },
    { key: "state", label: "state", width: "60px", render: (row) => <State state={row.state} /> },
  ]),
  calls: columnsOf("calls", [
    { key: "status", label: "status", width: "24px", shown: true, render: (row) => <Status failed={row.is_error} /> },
    { key: "model", label: "model", width: "minmax(140px, 2fr)", shown: true, render: (row) => <Name traceId={row.trace_id} span={row.span_id}>{row.model_name ?? "unknown"}</Name> },
    { key: "operation", label: "operation", width: "92px", render: (row) => text(row.operation) },
    { key: "application", label: "application", width: "minmax(90px, 1fr)", shown: true, render: (row) => text(row.application) },
    { key: "start", label: "started", width: "84px", shown: true, sort: "start", render: (row) => <span className="muted"><Ago ms={milliseconds(row.start_ns)} /></span> },
    { key: "duration", label: "duration", width: "88px", right: true, shown: true, sort: "duration", bar: (row) => row.duration_ms, render: (row) => duration(row.duration_ms) },
    { key: "ttft", label: "first token", width: "80px", right: true, shown: true, render: (row) => (row.ttft_ms === null ? none : duration(row.ttft_ms)) },
    { key: "input", label: "in", width: "56px", right: true, shown: true, render: (row) => number(row.input_tokens) },
    { key: "cached", label: "cached", width: "60px", right: true, render: (row) => number(row.cache_read_tokens) },
    { key: "output", label: "out", width: "56px", right: true, shown: true, render: (row) => number(row.output_tokens) },
    { key: "cost", label: "cost", width: "96px", right: true, shown: true, sort: "cost", bar: (row) => dollars(row.total_cost_usd), render: (row) => <Money value={row.total_cost_usd} unpriced={row.unpriced_reason === null ? 0 : 1} said="sign" /> },
    { key: "finish", label: "ended", width: "80px", render: (row) => text(row.finish_reason) },
    { key: "error", label: "error", width: "minmax(100px, 1fr)", render: (row) => (row.error_type ? <span className="is-error" title={row.error_type}>{row.error_type}</span> : none) },
    { key: "provider", label: "provider", width: "96px", render: (row) => text(row.provider) },
    { key: "environment", label: "environment", width: "96px", render: (row) => text(row.environment) },
    { key: "user", label: "user", width: "110px", render: (row) => text(row.user_id) },
    { key: "session", label: "session", width: "110px", render: (row) => text(row.session_id) },
    { key: "tags", label: "tags", width: "120px", render: (row) => text(row.tags.join(", ")) },
    { key: "prompt", label: "prompt", width: "120px", render: (row) => text(row.prompt_name) },
  ]),
  spans: columnsOf("spans", [
    { key: "status", label: "status", width: "24px", shown: true, render: (row) => <Status failed={row.status === "error"} /> },
    { key: "kind", label: "kind", width: "92px", shown: true, render: (row) => <span className="kind"><i style={{ background: `var(--kind-${hueOf(row.observation_kind)})` }} aria-hidden="true" />{row.observation_kind}</span> },
    { key: "name", label: "span", width: "minmax(120px, 3fr)", shown: true, render: (row) => <Name traceId={row.trace_id} span={row.span_id}>{row.name || "(no name)"}</Name> },
    { key: "service", label: "service", width: "minmax(82px, 1fr)", shown: true, render: (row) => text(row.service_name) },
    { key: "start", label: "started", width: "84px", shown: true, sort: "start", render: (row) => <span className="muted"><Ago ms={milliseconds(row.start_ns)} /></span> },
    { key: "duration", label: "duration", width: "88px", right: true, shown: true, sort: "duration", bar: (row) => row.duration_ms, render: (row) => duration(row.duration_ms) },
    { key: "model", label: "model", width: "minmax(82px, 1fr)", shown: true, render: (row) => text(row.model) },
    { key: "tokens", label: "tokens", width: "64px", right: true, shown: true, sort: "tokens", render: (row) => (row.input_tokens === null && row.output_tokens === null ? none : <span title={tokens(Number(row.input_tokens ?? 0), Number(row.output_tokens ?? 0)) ?? undefined}>{short(Number(row.input_tokens ?? 0) + Number(row.output_tokens ?? 0))}</span>) },
    { key: "error", label: "error", width: "minmax(76px, 1fr)", shown: true, render: (row) => (row.status === "error" ? <span className="is-error" title={row.status_message ?? undefined}>{row.error_type ?? row.status_message ?? "error"}</span> : none) },
    { key: "tool", label: "tool", width: "110px", render: (row) => text(row.tool_name) },
    { key: "agent", label: "agent", width: "110px", render: (row) => text(row.agent_name) },
    { key: "environment", label: "environment", width: "96px", render: (row) => text(row.environment) },
    { key: "user", label: "user", width: "110px", render: (row) => text(row.user_id) },
    { key: "session", label: "session", width: "110px", render: (row) => text(row.session_id) },
    { key: "trace", label: "trace", width: "80px", render: (row) => <span className="mono faint">{row.trace_id.slice(0, 8)}</span> },
  ]),
  sessions: columnsOf("sessions", [
    { key: "name", label: "session", width: "minmax(132px, 2fr)", shown: true, render: (row) => <SessionName id={row.session_id} /> },
    { key: "users", label: "users", width: "minmax(84px, 1fr)", shown: true, render: (row) => text(row.users.join(", ")) },
    { key: "first", label: "first", width: "84px", sort: "first", render: (row) => <span className="muted"><Ago ms={Date.parse(row.first)} /></span> },
    { key: "last", label: "last", width: "84px", shown: true, sort: "last", render: (row) => <span className="muted"><Ago ms={Date.parse(row.last)} /></span> },
    { key: "duration", label: "duration", width: "88px", right: true, shown: true, sort: "duration", render: (row) => duration(row.duration_ms) },
    { key: "traces", label: "traces", width: "56px", right: true, shown: true, sort: "traces", render: (row) => <Counted value={row.traces} error={row.standard_error?.traces} /> },
    { key: "calls", label: "calls", width: "56px", right: true, shown: true, sort: "calls", render: (row) => count(row.calls) },
    { key: "errors", label: "failed", width: "56px", right: true, shown: true, sort: "errors", render: (row) => <span className={row.errors ? "is-error" : "faint"}>{count(row.errors)}</span> },
    { key: "tokens", label: "tokens", width: "64px", right: true, shown: true, sort: "tokens", render: (row) => number(row.total_tokens) },
    { key: "cost", label: "cost", width: "96px", right: true, shown: true, sort: "cost", bar: (row) => dollars(row.total_cost_usd), render: (row) => <Money value={row.total_cost_usd} unpriced={row.unpriced_calls} said="sign" /> },
    { key: "models", label: "models", width: "minmax(120px, 1fr)", render: (row) => text(row.models.join(", ")) },
  ]),
};

const HUES = ["llm", "embedding", "tool", "agent", "retriever", "reranker", "guardrail"];

function hueOf(kind: string | null): string {
  if (kind === "evaluator") return "guardrail";
  return kind !== null && HUES.includes(kind) ? kind : "other";
}

/** The columns a search shows. */
export function shownColumns(of: RowKind, cols: string | undefined): Column[] {
  const chosen = cols?.split(",");
  const found = COLUMNS[of].filter(({ key, shown }) => (chosen ? chosen.includes(key) : shown));
  return found.length ? found : COLUMNS[of].filter(({ shown }) => shown);
}
