import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { isUnreachable, spanQuery } from "../api/queries";
import type { FullSpan, SpanEvent, SpanLink, TreeSpan, Value } from "../api/types";
import { duration } from "../format/duration";
import { count, tokens } from "../format/number";
import { absolute, milliseconds } from "../format/time";
import { Copy } from "../parts/Copy";
import { CloseIcon, ErrorIcon } from "../parts/icons";
import { ValueText } from "../parts/ValueText";
import { AttributeTable } from "./AttributeTable";
import { kindOf } from "./kinds";
import { TABS, type Tab } from "./view";

interface Props {
  traceId: string;
  span: TreeSpan;
  offset: number; // ms from the start of the trace
  origin: bigint;
  tab: Tab;
  onTab: (tab: Tab) => void;
  onClose: () => void;
}

/** Everything about one span. What the tree already knew is there at once; the bodies are fetched when it is opened. */
export function SpanPanel({ traceId, span, offset, origin, tab, onTab, onClose }: Props) {
  const { data, error, isPending } = useQuery(spanQuery(traceId, span.span_id));
  const counts: Partial<Record<Tab, number>> = data
    ? { attributes: Object.keys(data.attributes).length, events: data.events.length, links: data.links.length }
    : { events: span.event_count ?? 0 };
  return (
    <section className="panel" aria-label={`span ${span.name}`}>
      <header>
        <span className={`span-dot is-${kindOf(span)}`} />
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
        {TABS.map((each) => (
          <button key={each} type="button" role="tab" id={`tab-${each}`} aria-selected={each === tab} aria-controls="span-tab" onClick={() => onTab(each)}>
            {each}
            {counts[each] !== undefined && <span className="faint number"> {count(counts[each])}</span>}
          </button>
        ))}
      </div>
      <div className="panel-body" id="span-tab" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {data && <TabBody tab={tab} span={data} origin={origin} />}
        {isPending && (
          <div aria-busy="true" aria-label="loading the span" className="panel-wait">
            {[40, 62, 30, 55].map((width) => (
              <span key={width} className="skeleton" style={{ width: `${width}%` }} />
            ))}
          </div>
        )}
        {!data && error && (
          <p className="muted">
            {isUnreachable(error) ? "The details could not be fetched: the observatory does not answer. They come when it is back." : `The details could not be read: ${error.message}`}
          </p>
        )}
      </div>
    </section>
  );
}

function Facts({ span, offset }: { span: TreeSpan & Partial<FullSpan>; offset: number }) {
  const model = [span.request_model, span.response_model].filter((name, index, all) => name && all.indexOf(name) === index).join(" → ");
  const facts: [string, string | null | undefined][] = [
    ["duration", duration(Math.max(0, Number(span.duration_ns)) / 1e6)],
    ["starts at", `+${duration(offset)}`],
    ["service", span.service_name],
    ["operation", span.operation],
    ["provider", span.provider],
    ["model", model],
    ["tokens", tokens(span.input_tokens, span.output_tokens, span.cache_read_tokens)],
    ["first token", span.time_to_first_token_s == null ? null : duration(span.time_to_first_token_s * 1e3)],
    ["finish", span.finish_reasons?.replace(/[[\]"]/g, "").replaceAll(",", ", ")],
    ["kind", span.kind === "internal" || span.kind === "unspecified" ? null : span.kind],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, text]) =>
        text ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

function TabBody({ tab, span, origin }: { tab: Tab; span: FullSpan; origin: bigint }) {
  switch (tab) {
    case "attributes":
      return <AttributeTable attributes={span.attributes} types={span.attribute_types} dropped={span.dropped_attributes_count} label="attributes" />;
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
          <ValueText value={span as unknown as Value} />
        </div>
      );
  }
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
      <AttributeTable attributes={span.resource} label="resource attributes" />
      <h3>instrumentation scope</h3>
      <AttributeTable attributes={{ ...(name && { name }), ...(version && { version }), ...attributes }} label="scope attributes" />
    </>
  );
}
