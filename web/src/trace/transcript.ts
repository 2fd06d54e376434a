import type { Message } from "../messages/types";
import { at, type Tree } from "./tree";

/** One entry of the transcript. `row` is its span. */
export type Item =
  /** A call of a model: what was new in its input, and its output. `before` is the call whose conversation it goes on. */
  | { type: "call"; row: number; depth: number; before: number | null; toolsBetween: boolean }
  /** A tool, a retrieval, an embedding: what it was asked and what came back. */
  | { type: "step"; row: number; depth: number }
  /** An agent: the only outermost one is a heading, any other a card; open where there is no conversation around it. */
  | { type: "agent"; row: number; depth: number; card: boolean; open: boolean; calls: number }
  /** Another span that failed by itself. */
  | { type: "failure"; row: number; depth: number };

const STEPS = new Set(["tool", "retriever", "reranker", "embedding", "guardrail", "evaluator"]);

/**
 * What happened, in order: turns, tools, sub-agents. Of spans that show one call twice the one that counts is told. A sub-agent is a closed card, or an
 * open one where the agent around it says nothing itself; those in `turned` (span ids) are the other way round.
 */
export function transcriptItems(tree: Tree, turned: ReadonlySet<string>): Item[] {
  const items: Item[] = [];
  const calls = callsInside(tree);
  const alone = outermostAgents(tree) === 1;
  const talks = scopesThatTalk(tree, calls);
  const agentOf = new Int32Array(tree.spans.length).fill(-1); // the agent that a row's turns belong to
  const depthOf = new Int32Array(tree.spans.length);
  const last = new Map<number, { call: number | null; tools: boolean }>(); // of each agent
  for (let row = 0; row < tree.spans.length; ) {
    const up = at(tree.parent, row);
    const [agent, depth] = up < 0 ? [-1, 0] : [at(agentOf, up), at(depthOf, up)];
    agentOf[row] = agent;
    depthOf[row] = depth;
    const span = at(tree.spans, row);
    const kind = at(tree.kind, row);
    const scope = last.get(agent) ?? { call: null, tools: false };
    last.set(agent, scope);
    if (kind === "agent" && !wraps(row, agent, calls)) {
      const card = agent >= 0 || !alone;
      const open = !card || talks.has(agent) === turned.has(span.span_id);
      items.push({ type: "agent", row, depth, card, open, calls: at(calls, row) });
      agentOf[row] = row;
      depthOf[row] = depth + (card ? 1 : 0);
      scope.tools = true;
      row += open ? 1 : at(tree.size, row);
      continue;
    }
    if (isCall(tree, row)) {
      items.push({ type: "call", row, depth, before: scope.call, toolsBetween: scope.tools });
      last.set(agent, { call: row, tools: false });
    } else if (STEPS.has(kind)) {
      items.push({ type: "step", row, depth });
      scope.tools = true;
    } else if (span.status.code === "error" && at(tree.errors, row) === 1) {
      items.push({ type: "failure", row, depth });
    }
    row += 1;
  }
  return items;
}

/** The call of a model that is told: it counts, or, where nothing is known of that, it is the innermost. */
function isCall(tree: Tree, row: number): boolean {
  if (at(tree.kind, row) !== "llm") return false;
  const { call } = at(tree.spans, row);
  if (call) return call.counted;
  for (let below = row + 1; below < row + at(tree.size, row); below++) if (at(tree.kind, below) === "llm") return false;
  return true;
}

function outermostAgents(tree: Tree): number {
  let found = 0;
  for (let row = 0; row < tree.spans.length; ) {
    const agent = at(tree.kind, row) === "agent";
    if (agent) found += 1;
    row += agent ? at(tree.size, row) : 1;
  }
  return found;
}

/** The agents (-1: none) that call a model themselves, not only through others. */
function scopesThatTalk(tree: Tree, calls: Int32Array): ReadonlySet<number> {
  const talks = new Set<number>();
  const scope = new Int32Array(tree.spans.length);
  for (let row = 0; row < tree.spans.length; row++) {
    const up = at(tree.parent, row);
    const around = up < 0 ? -1 : at(scope, up);
    scope[row] = at(tree.kind, row) === "agent" && !wraps(row, around, calls) ? row : around;
    if (isCall(tree, row)) talks.add(at(scope, row));
  }
  return talks;
}

function callsInside(tree: Tree): Int32Array {
  const calls = new Int32Array(tree.spans.length);
  for (let row = tree.spans.length - 1; row >= 0; row--) {
    if (isCall(tree, row)) calls[row] = at(calls, row) + 1;
    const up = at(tree.parent, row);
    if (up >= 0) calls[up] = at(calls, up) + at(calls, row);
  }
  return calls;
}

/** An agent's span inside another that holds nothing else: frameworks and their instrumentations wrap one run more than once. */
function wraps(row: number, agent: number, calls: Int32Array): boolean {
  return agent >= 0 && at(calls, row) > 0 && at(calls, row) === at(calls, agent);
}

/** The item a span belongs to: its own, else that of the nearest span above it, else the first inside it. -1 when there is none. */
export function itemOf(tree: Tree, items: readonly Item[], row: number): number {
  const byRow = new Map(items.map((item, index) => [item.row, index]));
  for (let up = row; up >= 0; up = at(tree.parent, up)) {
    const index = byRow.get(up);
    if (index !== undefined) return index;
  }
  return items.findIndex((item) => item.row > row && item.row < row + at(tree.size, row));
}

/** What a call's input says that the transcript has not said yet, and how many messages it repeats. */
export interface News {
  fresh: Message[];
  repeated: number;
}

/**
 * `input` without what the call before was already sent, without the echo of its answer, and without results of tools that are told as steps.
 * Where a conversation does not go on (another prompt, or history was cut), all of it is news.
 */
export function newsOf(input: readonly Message[], before: readonly Message[] | null, toolsTold: boolean): News {
  let same = 0;
  while (before && same < before.length && same < input.length && alike(input[same], before[same])) same++;
  if (before && same < before.length) same = 0;
  const goesOn = before !== null && same > 0;
  const fresh = input.slice(same).filter((message) => !goesOn || (message.role !== "assistant" && !(toolsTold && onlyResults(message))));
  return { fresh: [...fresh], repeated: input.length - fresh.length };
}

function alike(a: Message | undefined, b: Message | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function onlyResults(message: Message): boolean {
  return message.parts.length > 0 && message.parts.every((part) => part.type === "tool_call_response");
}
