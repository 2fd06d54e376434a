import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { isUnreachable, traceQuery } from "../api/queries";
import type { TraceTree } from "../api/types";
import { duration } from "../format/duration";
import { usd } from "../format/money";
import { count, short } from "../format/number";
import { milliseconds } from "../format/time";
import { useKeys } from "../frame/keys";
import { Flags, MessageTurn } from "../messages/Conversation";
import { messagesQuery } from "../messages/queries";
import { Failed } from "../parts/Failed";
import { ErrorIcon } from "../parts/icons";
import { Ago } from "../parts/now";
import { align, type Pair } from "./compare";
import { figuresOf } from "./figures";
import { at, buildTree, type Tree } from "./tree";
import "../parts/table.css";
import "./compare.css";

const STEP = 500; // rows at once; a table of more is not read but searched

/** Two traces side by side: their figures, their spans as one tree, their last answers. */
export function Compare({ trace, other }: { trace: TraceTree; other: string }) {
  const { data, error } = useQuery(traceQuery(other));
  const navigate = useNavigate();
  const close = () => void navigate({ to: "/traces/$traceId", params: { traceId: trace.trace_id }, search: {} });
  useKeys({ Escape: close });
  if (data) return <Both a={trace} b={data} onClose={close} />;
  if (!error || isUnreachable(error)) return <p className="faint compare-wait" aria-busy="true">loading the other trace</p>;
  return (
    <Failed
      error={error}
      what="The other trace could not be read"
      actions={
        <button type="button" className="button" onClick={close}>
          back to the trace
        </button>
      }
    />
  );
}

function Both({ a, b, onClose }: { a: TraceTree; b: TraceTree; onClose: () => void }) {
  const [left, right] = useMemo(() => [buildTree(a.spans), buildTree(b.spans)], [a.spans, b.spans]);
  const pairs = useMemo(() => align(left, right), [left, right]);
  const [shown, setShown] = useState(STEP);
  return (
    <div className="compare" tabIndex={0}>
      <p className="compare-bar">
        <button type="button" className="button" onClick={onClose}>
          end comparison (esc)
        </button>
      </p>
      <div className="datatable compare-figures">
      <table>
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col" className="is-right">
              this trace
            </th>
            <th scope="col" className="is-right">
              <Link to="/traces/$traceId" params={{ traceId: b.trace_id }}>
                the other
              </Link>
            </th>
            <th scope="col" className="is-right">
              difference
            </th>
          </tr>
        </thead>
        <tbody>
          <Figure name="started" a={<Ago ms={milliseconds(a.start_ns)} />} b={<Ago ms={milliseconds(b.start_ns)} />} />
          <Numbers name="duration" a={a.duration_ms} b={b.duration_ms} say={duration} />
          <Numbers name="spans" a={a.span_count} b={b.span_count} say={count} />
          <Numbers name="errors" a={a.error_count} b={b.error_count} say={count} />
          <Numbers name="calls" a={a.llm_calls ?? 0} b={b.llm_calls ?? 0} say={count} />
          <Numbers name="tokens in" a={Number(a.input_tokens ?? 0)} b={Number(b.input_tokens ?? 0)} say={short} />
          <Numbers name="tokens out" a={Number(a.output_tokens ?? 0)} b={Number(b.output_tokens ?? 0)} say={short} />
          <Numbers name="cost" a={dollars(a)} b={dollars(b)} say={usd} />
          <Figure name="models" a={(a.models ?? []).join(", ")} b={(b.models ?? []).join(", ")} />
        </tbody>
      </table>
      </div>
      <div className="datatable compare-spans">
      <table>
        <thead>
          <tr>
            <th scope="col">span</th>
            <th scope="col" className="is-right">this</th>
            <th scope="col" className="is-right">other</th>
            <th scope="col" className="is-right">difference</th>
            <th scope="col" className="is-right">tokens</th>
            <th scope="col" className="is-right">cost</th>
          </tr>
        </thead>
        <tbody>
          {pairs.slice(0, shown).map((pair, index) => (
            <Row key={index} pair={pair} a={left} b={right} ids={[a.trace_id, b.trace_id]} />
          ))}
        </tbody>
      </table>
      </div>
      {pairs.length > shown && (
        <p className="table-more">
          <button type="button" className="button" onClick={() => setShown(shown + STEP)}>
            {count(pairs.length - shown)} more spans
          </button>
        </p>
      )}
      <div className="compare-answers">
        <Answer name="last answer of this trace" traceId={a.trace_id} tree={left} />
        <Answer name="last answer of the other" traceId={b.trace_id} tree={right} />
      </div>
    </div>
  );
}

function dollars(trace: TraceTree): number | null {
  return trace.total_cost_usd == null ? null : Number(trace.total_cost_usd);
}

function Figure({ name, a, b, difference }: { name: string; a: ReactNode; b: ReactNode; difference?: ReactNode }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className="number">{a}</td>
      <td className="number">{b}</td>
      <td className="number">{difference}</td>
    </tr>
  );
}

function Numbers({ name, a, b, say }: { name: string; a: number | null; b: number | null; say: (value: number) => string }) {
  return <Figure name={name} a={a === null ? "—" : say(a)} b={b === null ? "—" : say(b)} difference={<Difference a={a} b={b} say={say} />} />;
}

/** How much the other is more or less, with the share. */
function Difference({ a, b, say }: { a: number | null; b: number | null; say: (value: number) => string }) {
  if (a === null || b === null) return null;
  if (a === b) return <span className="faint">same</span>;
  const share = a === 0 ? "" : ` (${b > a ? "+" : "−"}${Math.abs(Math.round((100 * (b - a)) / a))} %)`;
  return (
    <span>
      {b > a ? "+" : "−"}
      {say(Math.abs(b - a))}
      <span className="faint">{share}</span>
    </span>
  );
}

function Row({ pair, a, b, ids }: { pair: Pair; a: Tree; b: Tree; ids: [string, string] }) {
  const here = pair.a >= 0 ? { tree: a, row: pair.a, id: ids[0] } : { tree: b, row: pair.b, id: ids[1] };
  const ms = (tree: Tree, row: number) => (row < 0 ? null : at(tree.duration, row));
  const [left, right] = [pair.a < 0 ? null : figuresOf(at(a.spans, pair.a), at(a.size, pair.a) - 1), pair.b < 0 ? null : figuresOf(at(b.spans, pair.b), at(b.size, pair.b) - 1)];
  const failed = [pair.a >= 0 && at(a.spans, pair.a).status.code === "error", pair.b >= 0 && at(b.spans, pair.b).status.code === "error"];
  const both = (of: (figures: NonNullable<typeof left>) => string) => {
    const [one, two] = [left && of(left), right && of(right)];
    return one === two ? (one ?? "") : `${one ?? "—"} → ${two ?? "—"}`;
  };
  return (
    <tr className={pair.a < 0 ? "is-only-b" : pair.b < 0 ? "is-only-a" : undefined}>
      <th scope="row" style={{ paddingLeft: 16 + 14 * Math.min(pair.depth, 20) }}>
        <span className={`span-dot is-${at(here.tree.kind, here.row)}`} />{" "}
        <Link to="/traces/$traceId" params={{ traceId: here.id }} search={{ span: at(here.tree.spans, here.row).span_id }}>
          {pair.name || "(no name)"}
        </Link>
        {(failed[0] || failed[1]) && (
          <span className="is-error">
            {" "}
            <ErrorIcon size={12} /> {failed[0] && failed[1] ? "both failed" : failed[0] ? "failed here" : "failed there"}
          </span>
        )}
        {pair.a < 0 && <span className="tag">only there</span>}
        {pair.b < 0 && <span className="tag">only here</span>}
      </th>
      <td className="number">{pair.a < 0 ? "" : duration(at(a.duration, pair.a))}</td>
      <td className="number">{pair.b < 0 ? "" : duration(at(b.duration, pair.b))}</td>
      <td className="number">
        <Difference a={ms(a, pair.a)} b={ms(b, pair.b)} say={duration} />
      </td>
      <td className="number">{both((figures) => (figures.tokens === null ? "" : short(figures.tokens)))}</td>
      <td className="number">{both((figures) => figures.cost ?? (figures.unpriced > 0 ? "unpriced" : ""))}</td>
    </tr>
  );
}

/** What the last call that counts answered. */
function Answer({ name, traceId, tree }: { name: string; traceId: string; tree: Tree }) {
  const last = tree.spans.findLast((span) => span.call?.counted && (span.observation_kind ?? "llm") === "llm");
  const { data, error } = useQuery({ ...messagesQuery(traceId, last?.span_id ?? ""), enabled: last !== undefined });
  return (
    <section>
      <h2 className="muted">{name}</h2>
      {!last && <p className="faint">no call of a model</p>}
      {error && <p className="faint">it could not be read: {error.message}</p>}
      {data?.output.map((message, index) => <MessageTurn key={index} message={message} where={{ traceId, spanId: last?.span_id ?? "" }} answer />)}
      {data && data.output.length === 0 && <Flags flags={data.flags} />}
    </section>
  );
}
