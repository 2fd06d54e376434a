import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { isUnreachable, spanQuery } from "../api/queries";
import type { FullSpan, SpanCall, SpanEvent, SpanLink, TreeSpan, Value } from "../api/types";
import { duration } from "../format/duration";
import { usd } from "../format/money";
import { count } from "../format/number";
import { absolute, milliseconds } from "../format/time";
import { LogList } from "../logs/LogList";
import { traceLogsQuery } from "../logs/queries";
import { Conversation } from "../messages/Conversation";
import { Json } from "../messages/Json";
import { messagesQuery } from "../messages/queries";
import { Copy } from "../parts/Copy";
import { CloseIcon, ErrorIcon } from "../parts/icons";
import { AttributeTable } from "./AttributeTable";
import { Cost } from "./Cost";
import { figuresOf, tokensInFull } from "./figures";
import type { Kind } from "./kinds";
import { TABS, type Tab } from "./view";

interface Props {
  traceId: string;
  span: TreeSpan;
  kind: Kind;
  offset: number; // ms from the start of the trace
  origin: bigint;
  tab: Tab | undefined;
  onTab: (tab: Tab) => void;
  onClose: () => void;
}

/** Everything about one span. What the tree already knew is there at once; the bodies are fetched when it is opened. */
export function SpanPanel({ traceId, span, kind, offset, origin, tab: chosen, onTab, onClose }: Props) {
  const { data, error, isPending } = useQuery(spanQuery(traceId, span.span_id));
  const tab = chosen ?? (kind === "other" || kind === "chain" ? "attributes" : "messages");
  const counts: Partial<Record<Tab, number>> = data
    ? { attributes: Object.keys(data.attributes).length, events: data.events.length, links: data.links.length }
    : { events: span.event_count ?? 0 };
  const tabs = TABS.filter((each) => each === tab || ((each !== "cost" || span.call !== undefined) && (each !== "links" || data === undefined || data.links.length > 0)));
  return (
    <section className="panel" aria-label={`span ${span.name}`}>
      <header>
        <span className={`span-dot is-${kind}`} />
        <h2 title={span.name}>{span.name || "(no name)"}</h2>
        <Facts span={data ?? span} offset={offset} />
        <span className="panel-tools">
          <code className="faint">{span.span_id}</code>
          <Copy text={span.span_id} label="copy span id" />
          <button type="button" className="quiet" aria-label="close details (esc)" title="close (esc)" onClick={onClose}>
            <CloseIcon />
          </button>
        </span>
      </header>
      {span.status.code === "error" && (
        <p className="panel-error" role="note">
          <ErrorIcon />
          <span>
            {span.error_type && <strong>{span.error_type} </strong>}
            {span.status.message ?? (span.error_type ? "" : "This span ended in an error and says no more about it.")}
          </span>
        </p>
      )}
      <div className="tabs" role="tablist" aria-label="span details">
        {tabs.map((each) => (
          <button key={each} type="button" role="tab" id={`tab-${each}`} aria-selected={each === tab} aria-controls="span-tab" onClick={() => onTab(each)}>
            {each}
            {counts[each] !== undefined && <span className="faint number"> {count(counts[each])}</span>}
          </button>
        ))}
      </div>
      <div className="panel-body" id="span-tab" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {tab === "messages" && <Messages traceId={traceId} spanId={span.span_id} />}
        {tab === "logs" && <SpanLogs traceId={traceId} spanId={span.span_id} origin={origin} />}
        {tab === "cost" && <Cost traceId={traceId} span={span} />}
        {data && <TabBody tab={tab} span={data} origin={origin} />}
        {isPending && !["messages", "logs", "cost"].includes(tab) && <Skeletons label="loading the span" />}
        {!data && error && <Unread what="details" error={error} />}
      </div>
    </section>
  );
}

function Skeletons({ label }: { label: string }) {
  return (
    <div aria-busy="true" aria-label={label} className="panel-wait">
      {[40, 62, 30, 55].map((width) => (
        <span key={width} className="skeleton" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

function Unread({ what, error }: { what: string; error: Error }) {
  return (
    <p className="muted">
      {isUnreachable(error) ? `The ${what} could not be fetched: the observatory does not answer. They come when it is back.` : `The ${what} could not be read: ${error.message}`}
    </p>
  );
}

function Messages({ traceId, spanId }: { traceId: string; spanId: string }) {
  const { data, error } = useQuery(messagesQuery(traceId, spanId));
  if (data) return <Conversation said={data} where={{ traceId, spanId }} />;
  return error ? <Unread what="messages" error={error} /> : <Skeletons label="loading messages" />;
}

function SpanLogs({ traceId, spanId, origin }: { traceId: string; spanId: string; origin: bigint }) {
  const [whole, setWhole] = useState(false);
  const { data, error } = useQuery(traceLogsQuery(traceId, whole ? null : spanId));
  return (
    <>
      <div className="segments panel-segments" role="group" aria-label="whose logs">
        <button type="button" aria-pressed={!whole} onClick={() => setWhole(false)}>
          this span
        </button>
        <button type="button" aria-pressed={whole} onClick={() => setWhole(true)}>
          whole trace
        </button>
      </div>
      {data && data.items.length === 0 && <p className="faint">No log record names this {whole ? "trace" : "span"}.</p>}
      {data && <LogList items={[...data.items].reverse()} origin={origin} links={false} />}
      {data?.next_cursor != null && <p className="faint">These are the latest 1,000; there are more.</p>}
      {!data && (error ? <Unread what="log records" error={error} /> : <Skeletons label="loading log records" />)}
    </>
  );
}

function Facts({ span, offset }: { span: TreeSpan & Partial<FullSpan>; offset: number }) {
  const model = [span.request_model, span.response_model].filter((name, index, all) => name && all.indexOf(name) === index).join(" → ");
  const figures = figuresOf(span, 0);
  const facts: [string, ReactNode][] = [
    ["duration", duration(Math.max(0, Number(span.duration_ns)) / 1e6)],
    ["starts at", `+${duration(offset)}`],
    ["service", span.service_name],
    ["operation", span.operation],
    ["provider", span.provider],
    ["model", model],
    ["tokens", figures?.repeats === undefined ? tokensInFull(span) : <s title={`not added: ${figures.repeats}`}>{tokensInFull(span)}</s>],
    ["cost", span.call?.counted ? costOf(span.call) : null],
    ["first token", span.time_to_first_token_s == null ? null : duration(span.time_to_first_token_s * 1e3)],
    ["finish", span.finish_reasons?.replace(/[[\]"]/g, "").replaceAll(",", ", ")],
    ["kind", span.kind === "internal" || span.kind === "unspecified" ? null : span.kind],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, said]) =>
        said ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{said}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

/** What a call cost, or that nobody knows its price; nothing where it used nothing. */
function costOf(call: SpanCall): ReactNode {
  if (call.total_cost_usd !== null) return usd(call.total_cost_usd);
  return call.unpriced_reason ? <span className="unpriced">unpriced</span> : null;
}

function TabBody({ tab, span, origin }: { tab: Tab; span: FullSpan; origin: bigint }) {
  switch (tab) {
    case "attributes":
      return (
        <AttributeTable
          attributes={span.attributes}
          types={span.attribute_types}
          dropped={span.dropped_attributes_count}
          label="attributes"
          of="span"
          feeds={feedsOf(span, "span")}
        />
      );
    case "events":
      return <Events events={span.events} dropped={span.dropped_events_count} origin={origin} />;
    case "links":
      return <Links links={span.links} dropped={span.dropped_links_count} />;
    case "resource":
      return <Resource span={span} />;
    case "raw":
      return (
        <div className="raw">
          <Copy text={JSON.stringify(span, null, 2)} label="copy the span as JSON" wide />
          <Json value={span as unknown as Value} open={1} />
        </div>
      );
    default:
      return null;
  }
}

/** By attribute key, the columns that were read from it. */
function feedsOf(span: FullSpan, where: "span" | "resource"): ReadonlyMap<string, string[]> {
  const feeds = new Map<string, string[]>();
  for (const [column, origin] of Object.entries(span.origins ?? {})) {
    if (origin.where === where) feeds.set(origin.key, [...(feeds.get(origin.key) ?? []), column.replaceAll("_", " ")]);
  }
  return feeds;
}

function Events({ events, dropped, origin }: { events: SpanEvent[]; dropped: number | undefined; origin: bigint }) {
  return (
    <>
      {events.length === 0 && <p className="faint">no events</p>}
      {events.map((event, index) => (
        <article key={index} className="event">
          <h3>
            {event.name === "exception" && (
              <span className="is-error">
                <ErrorIcon />
              </span>
            )}
            <span>{event.name || "(no name)"}</span>
            <time className="faint number" title={absolute(milliseconds(event.time_ns))}>
              +{duration(Number(BigInt(event.time_ns) - origin) / 1e6)}
            </time>
          </h3>
          <AttributeTable attributes={event.attributes} types={event.attribute_types} dropped={event.dropped_attributes_count} label="attributes" />
        </article>
      ))}
      {dropped ? <p className="faint">{count(dropped)} more events were dropped by the sender's own limits</p> : null}
    </>
  );
}

function Links({ links, dropped }: { links: SpanLink[]; dropped: number | undefined }) {
  return (
    <>
      {links.length === 0 && <p className="faint">no links</p>}
      {links.map((link, index) => (
        <article key={index} className="event">
          <h3>
            <Link to="/traces/$traceId" params={{ traceId: link.trace_id }} search={{ span: link.span_id }} className="mono">
              trace {link.trace_id}
            </Link>
            <span className="faint mono">span {link.span_id}</span>
          </h3>
          <AttributeTable attributes={link.attributes} types={link.attribute_types} dropped={link.dropped_attributes_count} label="attributes" />
        </article>
      ))}
      {dropped ? <p className="faint">{count(dropped)} more links were dropped by the sender's own limits</p> : null}
    </>
  );
}

function Resource({ span }: { span: FullSpan }) {
  const { name, version, attributes = {} } = span.scope;
  return (
    <>
      <h3>resource</h3>
      <AttributeTable attributes={span.resource} label="resource attributes" of="resource" feeds={feedsOf(span, "resource")} />
      <h3>instrumentation scope</h3>
      <AttributeTable attributes={{ ...(name && { name }), ...(version && { version }), ...attributes }} label="scope attributes" />
    </>
  );
}
