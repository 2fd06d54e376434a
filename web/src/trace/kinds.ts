import type { TreeSpan } from "../api/types";

/** What a span observes. Each kind has one hue everywhere: the token `--kind-…`. */
export const KINDS = ["llm", "embedding", "tool", "agent", "retriever", "reranker", "guardrail", "evaluator", "chain", "other"] as const;
export type Kind = (typeof KINDS)[number];

/** The kind as the server understood it, whatever convention the span speaks. */
export function kindOf(span: TreeSpan): Kind {
  const kind = span.observation_kind as Kind | undefined;
  return kind !== undefined && KINDS.includes(kind) ? kind : "other";
}

/** The token of a kind's hue, `--kind-…`: evaluators share that of guardrails, chains are as grey as all that is no kind. */
export function hueOf(kind: Kind): string {
  return kind === "chain" ? "other" : kind === "evaluator" ? "guardrail" : kind;
}
