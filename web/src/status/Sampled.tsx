import type { ReactNode } from "react";
import type { Sampling } from "../api/types";
import { duration } from "../format/duration";
import { percent } from "../format/money";
import { bytes, count } from "../format/number";
import { field, words } from "./fields";

/** What sampling keeps, by policy, and what waits for a decision. */
export function Sampled({ sampling }: { sampling: Sampling }) {
  const { traces, spans, policies, open, decisions } = sampling;
  const decided = traces.kept + traces.dropped;
  return (
    <section className="room" aria-label="sampling">
      <h2>sampling</h2>
      <table className="jobs">
        <thead>
          <tr>
            {["policy", "decides", "kept traces", "kept spans", "dropped traces", "dropped spans"].map((name) => (
              <th key={name} scope="col" className={/kept|dropped/.test(name) ? "is-right" : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {policies.map((policy) => (
            <tr key={policy.name}>
              <th scope="row">{policy.name}</th>
              <td className="muted">{policy.settles}</td>
              <td className="number">{count(policy.kept_traces)}</td>
              <td className="number">{count(policy.kept_spans)}</td>
              <td className="number">{count(policy.dropped_traces)}</td>
              <td className="number">{count(policy.dropped_spans)}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">all together</th>
            <td className="muted">{sampling.keeps_everything ? "keeps everything" : decided > 0 ? `keeps ${percent(traces.kept / decided)} of traces` : ""}</td>
            <td className="number">{count(traces.kept)}</td>
            <td className="number">{count(spans.kept)}</td>
            <td className="number">{count(traces.dropped)}</td>
            <td className="number">{field("", total(spans.dropped))}</td>
          </tr>
        </tbody>
      </table>
      <dl className="sampled">
        <Fact name="undecided">
          {count(traces.open)} traces, {count(spans.open)} spans, {bytes(open.bytes)}
          {traces.open > 0 && `, the oldest for ${duration(open.oldest_s * 1000)}`}
        </Fact>
        <Fact name="spans dropped, by reason">{counts(spans.dropped)}</Fact>
        <Fact name="late">{counts(sampling.late)}</Fact>
        <Fact name="decided early, for want of memory">{count(sampling.evicted_early)}</Fact>
        <Fact name="decisions remembered">
          {bytes(decisions.bytes)}
          {decisions.reaches_back_s !== null && `, back to ${duration(decisions.reaches_back_s * 1000)} ago`}
        </Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="number">{children}</dd>
    </div>
  );
}

/** `12 policy · 3 late`; a reason that never was is not told. */
function counts(by: Record<string, unknown>): string {
  const said = Object.entries(by).filter(([, value]) => Number(value) > 0);
  return said.length === 0 ? "none" : said.map(([name, value]) => `${count(Number(value))} ${words(name)}`).join(" · ");
}

function total(by: Record<string, unknown>): number {
  return Object.values(by).reduce<number>((sum, value) => sum + Number(value), 0);
}
