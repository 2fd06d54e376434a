import type { TreeSpan } from "../api/types";

/** What a span observes. Each kind has one hue everywhere: the token `--kind-…`. */
export const KINDS = ["llm", "embedding", "tool", "agent", "retriever", "reranker", "guardrail", "other"] as const;
export type Kind = (typeof KINDS)[number];

/** OpenTelemetry's `gen_ai.operation.name`, and the values its relatives write in the same place. */
const BY_OPERATION: Record<string, Kind> = {
  chat: "llm",
  completion: "llm",
  text_completion: "llm",
  generate_content: "llm",
  llm: "llm",
  embedding: "embedding",
  embeddings: "embedding",
  execute_tool: "tool",
  tool: "tool",
  invoke_agent: "agent",
  create_agent: "agent",
  agent: "agent",
  retrieval: "retriever",
  retriever: "retriever",
  vector_db_retrieve: "retriever",
  rerank: "reranker",
  reranker: "reranker",
  guardrail: "guardrail",
  evaluator: "guardrail",
  evaluation: "guardrail",
};

/** The kind of a span by its operation; without one, by what else only that kind carries. */
export function kindOf(span: TreeSpan): Kind {
  const operation = span.operation?.toLowerCase();
  if (operation) return BY_OPERATION[operation] ?? "other";
  if (span.tool_name) return "tool";
  if (span.request_model && span.output_tokens != null) return "llm";
  if (span.agent_name) return "agent";
  return "other";
}
