import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { isUnreachable } from "../api/queries";
import type { TreeSpan } from "../api/types";
import { duration } from "../format/duration";
import { usd } from "../format/money";
import { count, short } from "../format/number";
import { DocumentCards, Flags, MessageTurn, parts, Turn } from "../messages/Conversation";
import { Anything, Card, type Where } from "../messages/Part";
import { messagesQuery } from "../messages/queries";
import type { Conversation } from "../messages/types";
import { ChevronIcon, ErrorIcon } from "../parts/icons";
import { sumsOf } from "./figures";
import { type Item, itemOf, newsOf, transcriptItems } from "./transcript";
import { at, type Tree } from "./tree";

interface Props {
  traceId: string;
  tree: Tree;
  here: number | undefined; // the row that the tree is on
  onHere: (spanId: string) => void;
  onOpen: (spanId: string) => void;
}

/** The trace as what was said and done, in order. Bodies are fetched as they come into view. */
export function Transcript({ traceId, tree, here, onHere, onOpen }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const items = useMemo(() => transcriptItems(tree, turned), [tree, turned]);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => ({ call: 180, step: 44, agent: 44, failure: 44 })[at(items, index).type],
    getItemKey: (index) => at(tree.spans, at(items, index).row).span_id,
    overscan: 4,
  });
  const mine = here === undefined || here < 0 ? -1 : itemOf(tree, items, here);
  const asked = useRef(false); // the reader clicked here: what is seen already does not move
  useEffect(() => {
    if (mine >= 0 && !asked.current) virtual.scrollToIndex(mine, { align: "start" });
    asked.current = false;
  }, [mine, virtual]);
  const toggle = (spanId: string) =>
    setTurned((old) => {
      const next = new Set(old);
      if (!next.delete(spanId)) next.add(spanId);
      return next;
    });
  return (
    <div ref={scroller} className="transcript" role="feed" aria-label="transcript" tabIndex={0}>
      {items.length === 0 && <p className="faint transcript-none">Nothing in this trace called a model, a tool or an agent. The waterfall shows what it did.</p>}
      <div className="transcript-body" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((each) => {
          const item = at(items, each.index);
          const spanId = at(tree.spans, item.row).span_id;
          return (
            <article
              key={each.key}
              ref={virtual.measureElement}
              data-index={each.index}
              data-span={spanId}
              className={`entry is-${item.type}${each.index === mine ? " is-here" : ""}`}
              aria-posinset={each.index + 1}
              aria-setsize={items.length}
              style={{ transform: `translateY(${each.start}px)`, paddingLeft: 16 + 20 * item.depth }}
              onClick={() => {
                asked.current = each.index !== mine;
                onHere(spanId);
              }}
            >
              <Entry traceId={traceId} tree={tree} item={item} onToggle={() => toggle(spanId)} onOpen={() => onOpen(spanId)} />
            </article>
          );
        })}
      </div>
    </div>
  );
}

interface EntryProps {
  traceId: string;
  tree: Tree;
  item: Item;
  onToggle: () => void;
  onOpen: () => void;
}

function Entry({ traceId, tree, item, onToggle, onOpen }: EntryProps) {
  const span = at(tree.spans, item.row);
  const ms = at(tree.duration, item.row);
  switch (item.type) {
    case "agent":
      return <AgentEntry span={span} ms={ms} item={item} onToggle={onToggle} onOpen={onOpen} />;
    case "failure":
      return (
        <Turn role="error">
          <Head span={span} onOpen={onOpen} />
          <Failure span={span} />
        </Turn>
      );
    case "step":
      return <StepEntry traceId={traceId} span={span} kind={at(tree.kind, item.row)} ms={ms} onOpen={onOpen} />;
    case "call": {
      const before = item.before === null ? null : at(tree.spans, item.before).span_id;
      return <CallEntry traceId={traceId} span={span} ms={ms} before={before} toolsTold={item.toolsBetween} onOpen={onOpen} />;
    }
  }
}

function AgentEntry({ span, ms, item, onToggle, onOpen }: { span: TreeSpan; ms: number; item: Item & { type: "agent" }; onToggle: () => void; onOpen: () => void }) {
  const name = span.agent_name ?? span.name;
  const sums = sumsOf(span);
  const figures = (
    <Figures>
      {item.calls > 0 && <span>{item.calls === 1 ? "1 call" : `${count(item.calls)} calls`}</span>}
      {sums && <span title={`$${sums.total_cost_usd ?? "—"}`}>Σ {usd(sums.total_cost_usd)}</span>}
      <span>{duration(ms)}</span>
    </Figures>
  );
  if (!item.card) {
    return (
      <Turn role="agent">
        <div className="entry-head">
          <strong className="entry-agent">{name}</strong>
          {figures}
          <Details onOpen={onOpen} />
        </div>
      </Turn>
    );
  }
  return (
    <Turn role="agent">
      <div className="part-card is-agent">
        <button type="button" className="part-head" aria-expanded={item.open} onClick={onToggle}>
          <ChevronIcon turn={item.open ? 90 : 0} />
          <strong>{name}</strong>
          {(span.subtree ? span.subtree.error_count > 0 : span.status.code === "error") && (
            <span className="is-error">
              <ErrorIcon size={12} />
            </span>
          )}
          {figures}
        </button>
      </div>
    </Turn>
  );
}

function CallEntry({ traceId, span, ms, before, toolsTold, onOpen }: { traceId: string; span: TreeSpan; ms: number; before: string | null; toolsTold: boolean; onOpen: () => void }) {
  const where = { traceId, spanId: span.span_id };
  const own = useQuery(messagesQuery(traceId, span.span_id));
  const last = useQuery({ ...messagesQuery(traceId, before ?? ""), enabled: before !== null });
  const said = own.data;
  const ready = said !== undefined && (before === null || !last.isPending);
  return (
    <>
      {ready ? <Said said={said} before={last.data ?? null} toolsTold={toolsTold} where={where} /> : <Waiting error={own.error} />}
      <Turn role="">
        <div className="entry-head">
          <Head span={span} onOpen={onOpen} />
          <CallFigures span={span} ms={ms} />
        </div>
        <Failure span={span} />
      </Turn>
    </>
  );
}

const EARLIER = 2; // messages of a first input that are shown; the rest is history that came along

/** What a call adds to the transcript: new input, then its answer. */
function Said({ said, before, toolsTold, where }: { said: Conversation; before: Conversation | null; toolsTold: boolean; where: Where }) {
  const [earlier, setEarlier] = useState(false);
  const { fresh } = newsOf(said.input, before?.input ?? null, toolsTold);
  const hidden = earlier ? 0 : Math.max(0, fresh.length - EARLIER - (fresh[0]?.role === "system" ? 1 : 0));
  const shown = hidden === 0 ? fresh : [...(fresh[0]?.role === "system" ? [fresh[0]] : []), ...fresh.slice(-EARLIER)];
  const sameSystem = before !== null && JSON.stringify(before.system_instructions) === JSON.stringify(said.system_instructions);
  return (
    <>
      {!sameSystem && said.system_instructions.length > 0 && <Turn role="system">{parts(said.system_instructions, where)}</Turn>}
      {hidden > 0 && (
        <Turn role="">
          <button type="button" className="link" onClick={() => setEarlier(true)}>
            {count(hidden)} earlier {hidden === 1 ? "message" : "messages"}
          </button>
        </Turn>
      )}
      {shown.map((message, index) => (
        <MessageTurn key={index} message={message} where={where} />
      ))}
      {said.output.map((message, index) => (
        <MessageTurn key={`out${index}`} message={message} where={where} choice={said.output.length > 1 ? index + 1 : undefined} answer />
      ))}
      {said.flags.length > 0 && (
        <Turn role="">
          <Flags flags={said.flags} />
        </Turn>
      )}
    </>
  );
}

function StepEntry({ traceId, span, kind, ms, onOpen }: { traceId: string; span: TreeSpan; kind: string; ms: number; onOpen: () => void }) {
  const where = { traceId, spanId: span.span_id };
  const { data, error } = useQuery(messagesQuery(traceId, span.span_id));
  const tool = data?.tool;
  const name = tool?.name ?? span.tool_name ?? span.name;
  const figures = (
    <Figures>
      <span>{duration(ms)}</span>
    </Figures>
  );
  return (
    <Turn role={kind}>
      {tool ? (
        <Card kind="result" name={name} preview={tool.result ?? (span.status.code === "error" ? undefined : null)} side={figures}>
          <p className="faint">asked</p>
          <Anything value={tool.arguments ?? null} where={where} />
          <p className="faint">result</p>
          {tool.result === undefined ? <p className="faint">none was captured</p> : <Anything value={tool.result} where={where} />}
          <Details onOpen={onOpen} />
        </Card>
      ) : (
        <div className="entry-head">
          <Head span={span} onOpen={onOpen} />
          {figures}
        </div>
      )}
      {data && data.query !== null && <Anything value={data.query} where={where} clip={400} />}
      {data?.documents && <DocumentCards documents={data.documents} where={where} />}
      {!data && error && <Waiting error={error} />}
      <Failure span={span} />
    </Turn>
  );
}

function Head({ span, onOpen }: { span: TreeSpan; onOpen: () => void }) {
  return (
    <button type="button" className="link entry-name" title={`details of ${span.name}`} onClick={onOpen}>
      {span.response_model ?? span.request_model ?? (span.name || "(no name)")}
    </button>
  );
}

function Details({ onOpen }: { onOpen: () => void }) {
  return (
    <button type="button" className="link" onClick={onOpen}>
      details
    </button>
  );
}

function Failure({ span }: { span: TreeSpan }) {
  if (span.status.code !== "error") return null;
  return (
    <p className="entry-error is-error">
      <ErrorIcon size={12} /> {span.error_type && <strong>{span.error_type} </strong>}
      {span.status.message ?? (span.error_type ? "" : "failed")}
    </p>
  );
}

/** `410 ms TTFT · 62 tok/s · 1.2k in · 340 out · $0.0045 · 2.1 s`. */
function CallFigures({ span, ms }: { span: TreeSpan; ms: number }) {
  const { call } = span;
  const first = span.time_to_first_token_s == null ? null : span.time_to_first_token_s * 1e3;
  const output = call?.output_tokens ?? span.output_tokens;
  const input = call?.input_tokens ?? span.input_tokens;
  const answering = first !== null && first > 0 && first < ms ? ms - first : ms;
  const cached = Number(call?.cache_read_tokens ?? span.cache_read_tokens ?? 0);
  const cost = call?.total_cost_usd == null ? null : usd(call.total_cost_usd);
  return (
    <Figures>
      {first !== null && <span title="time to first token">{duration(first)} TTFT</span>}
      {output != null && Number(output) > 1 && answering > 0 && <span title="output tokens over the time of the answer">{short((Number(output) / answering) * 1e3)} tok/s</span>}
      {input != null && <span title={cached > 0 ? `of them ${count(cached)} read from cache` : undefined}>{short(Number(input))} in</span>}
      {output != null && <span>{short(Number(output))} out</span>}
      {call && (cost !== null ? <span title={`$${call.total_cost_usd ?? ""}`}>{cost}</span> : call.unpriced_reason !== undefined && <span className="unpriced">unpriced</span>)}
      <span>{duration(ms)}</span>
    </Figures>
  );
}

function Figures({ children }: { children: ReactNode }) {
  return <span className="entry-figures number">{children}</span>;
}

function Waiting({ error }: { error: Error | null }) {
  return (
    <Turn role="">
      {error && !isUnreachable(error) ? (
        <p className="muted">The messages could not be read: {error.message}</p>
      ) : (
        <div className="panel-wait" aria-busy="true" aria-label="loading messages">
          <span className="skeleton" style={{ width: "62%" }} />
          <span className="skeleton" style={{ width: "40%" }} />
        </div>
      )}
    </Turn>
  );
}
