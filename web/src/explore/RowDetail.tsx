import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ask } from "../api/client";
import { exactUsd } from "../format/money";
import { count } from "../format/number";
import { absolute, milliseconds } from "../format/time";
import { messagesQuery } from "../messages/queries";
import { Copy } from "../parts/Copy";
import { condition } from "./condition";
import { RowsLink } from "./link";
import type { Call, Row } from "./rows";
import { said } from "./said";

/** A row opened where it is: what was asked and answered, tokens, cost, error. */
export function RowDetail({ row, label }: { row: Row; label: string }) {
  return <section className="row-detail" aria-label={label}>{row.of === "sessions" ? <SessionDetail id={row.row.session_id} /> : row.of === "traces" ? <TraceDetail id={row.row.trace_id} row={row} /> : <SpanDetail row={row} />}</section>;
}

function SessionDetail({ id }: { id: string }) {
  return (
    <p>
      <Link to="/sessions/$sessionId" params={{ sessionId: id }} search={{ range: "all" }}>
        read it as a conversation
      </Link>{" "}
      ·{" "}
      <RowsLink range={{ range: "all" }} q={condition("session", id)}>
        its traces
      </RowsLink>{" "}
      ·{" "}
      <RowsLink range={{ range: "all" }} of="calls" q={condition("session", id)}>
        its calls
      </RowsLink>{" "}
      <Copy text={id} label="copy the session's id" />
    </p>
  );
}

/** The first call of a trace says what it was about. */
function TraceDetail({ id, row }: { id: string; row: Extract<Row, { of: "traces" }> }) {
  const call = useQuery({
    queryKey: ["first-call-of", id],
    queryFn: async ({ signal }) => (await ask("/api/v1/llm/calls", { filter: condition("trace", id), sort: "start", limit: 1 }, signal)).items[0] ?? null,
    staleTime: 60_000,
    enabled: row.row.llm_calls > 0,
  });
  const { row: trace } = row;
  return (
    <>
      <Facts
        traceId={id}
        facts={[
          ["started", absolute(milliseconds(trace.start_ns))],
          ["services", trace.services.join(", ")],
          ["models", trace.models.join(", ")],
          ["cost", trace.llm_calls ? exactUsd(trace.total_cost_usd) : null],
          ["user", trace.user_id],
          ["session", trace.session_id],
        ]}
      />
      {call.data && <Conversation traceId={id} spanId={call.data.span_id} title="its first call" />}
      {trace.llm_calls === 0 && <p className="faint">No model was called.</p>}
    </>
  );
}

function SpanDetail({ row }: { row: Extract<Row, { of: "calls" | "spans" }> }) {
  const id = `${row.row.trace_id}:${row.row.span_id}`;
  const asked = useQuery({
    queryKey: ["call-of", id],
    queryFn: async ({ signal }) => (await ask("/api/v1/llm/calls", { filter: `${condition("trace", row.row.trace_id)} ${condition("span", row.row.span_id)}`, counted: "all", limit: 1 }, signal)).items[0] ?? null,
    staleTime: 60_000,
    enabled: row.of === "spans",
  });
  const call: Call | null = row.of === "calls" ? row.row : (asked.data ?? null);
  const failure = row.of === "spans" ? row.row.status_message : null;
  return (
    <>
      <Facts
        traceId={row.row.trace_id}
        span={row.row.span_id}
        facts={[
          ["started", absolute(milliseconds(row.row.start_ns))],
          ["error", [row.row.error_type, failure].filter(Boolean).join(": ") || null],
          ["tokens", call && tokensOf(call)],
          ["cost", call && costOf(call)],
          ["price", call?.price_source ?? null],
          ["user", row.row.user_id],
          ["session", row.row.session_id],
        ]}
      />
      <Conversation traceId={row.row.trace_id} spanId={row.row.span_id} />
    </>
  );
}

function tokensOf(call: Call): string {
  const parts: [string, number | string | null][] = [
    ["in", call.input_tokens],
    ["of them from a cache", call.cache_read_tokens],
    ["out", call.output_tokens],
    ["of them reasoning", call.reasoning_tokens],
  ];
  return parts.flatMap(([name, value]) => (value == null || Number(value) === 0 ? [] : [`${count(Number(value))} ${name}`])).join(", ");
}

function costOf(call: Call): string {
  if (call.total_cost_usd === null) return call.unpriced_reason ? `— (${call.unpriced_reason.replaceAll("_", " ")})` : "—";
  const parts = [
    ["input", call.input_cost_usd],
    ["cache", call.cache_read_cost_usd],
    ["output", call.output_cost_usd],
  ].flatMap(([name, value]) => (value && value !== "0" ? [`${name ?? ""} $${value}`] : []));
  return `$${call.total_cost_usd}${parts.length > 1 ? ` = ${parts.join(" + ")}` : ""}`;
}

function Facts({ traceId, span, facts }: { traceId: string; span?: string; facts: [string, ReactNode][] }) {
  return (
    <dl className="row-facts">
      {facts.map(([name, value]) =>
        value ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ) : null,
      )}
      <div>
        <dt>trace</dt>
        <dd>
          <Link to="/traces/$traceId" params={{ traceId }} search={span === undefined ? {} : { span }} className="mono">
            {traceId}
          </Link>{" "}
          <Copy text={traceId} label="copy the trace's id" />
        </dd>
      </div>
    </dl>
  );
}

/** What was asked last and what was answered, clipped; the whole of it is on the trace. */
function Conversation({ traceId, spanId, title }: { traceId: string; spanId: string; title?: string }) {
  const { data, error } = useQuery(messagesQuery(traceId, spanId));
  if (error) return <p className="wrong">{error.message}</p>;
  if (!data) return <p><span className="skeleton" style={{ width: "40%" }} /></p>;
  const { asked, answered } = said(data);
  if (asked === null && answered === null) return <p className="faint">What was said was not captured{title ? " in its first call" : ""}.</p>;
  return (
    <div className="row-said">
      {title && <p className="faint">{title}</p>}
      {asked !== null && <Said role={asked.role} text={asked.text} />}
      {answered !== null && <Said role={answered.role} text={answered.text} />}
    </div>
  );
}

function Said({ role, text }: { role: string; text: string }) {
  return (
    <div className="row-message">
      <span className="faint">{role}</span>
      <p>{text}</p>
    </div>
  );
}
