"""What a span is, as far as messages are concerned: whose input is arguments, whose output is documents."""

from __future__ import annotations

from observatory.semconv.messages.span import CarriedSpan

LLM, EMBEDDING, TOOL, RETRIEVER, RERANKER, OTHER = "llm", "embedding", "tool", "retriever", "reranker", "other"
# what says it most surely comes first: OpenLLMetry and LangSmith put operation names on spans that are something else
_KEYS = (
    "langfuse.observation.type", "openinference.span.kind", "langsmith.span.kind", "traceloop.span.kind", "ai.operationId",
    "gen_ai.operation.name", "llm.request.type",
)  # fmt: skip
_KINDS = {
    **dict.fromkeys(("generation", "llm", "chat", "text_completion", "generate_content", "completion"), LLM),
    **dict.fromkeys(("embedding", "embeddings"), EMBEDDING),
    **dict.fromkeys(("tool", "execute_tool", "ai.toolcall"), TOOL),
    **dict.fromkeys(("retriever", "retrieval", "vector_db_retrieve", "search_memory"), RETRIEVER),
    **dict.fromkeys(("reranker", "rerank"), RERANKER),
}
_OURS = ("gen_ai.", "llm.", "ai.", "openinference.", "langfuse.", "langsmith.", "traceloop.", "pydantic_ai.")
_CAME_BACK = ("gen_ai.response.id", "gen_ai.response.finish_reasons", "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")


def kind_of(span: CarriedSpan) -> str:
    """`llm`, `embedding`, `tool`, `retriever`, `reranker` or `other` (agents, chains, everything else)."""
    for key in _KEYS:
        said = span.text(key)
        if said is None:
            continue
        said = said.lower()
        if key == "ai.operationId" and said.endswith((".dogenerate", ".dostream")):
            return LLM
        if key == "ai.operationId" and said.startswith("ai.embed"):
            return EMBEDDING
        if found := _KINDS.get(said):
            # OpenLLMetry says `task` of its retrievers, and `retrieve` of the operation
            return found
        if key not in ("traceloop.span.kind", "openinference.span.kind"):
            return OTHER
    return TOOL if any(key in span.attributes for key in ("gen_ai.tool.call.arguments", "tool_arguments")) else OTHER


def missing(span: CarriedSpan, kind: str) -> tuple[str, ...]:
    """The fields a span of this kind should have: when they are not there, content was not captured."""
    if not any(key.startswith(_OURS) for key in span.attributes):
        return ()
    if kind == LLM:
        return ("input", "output") if any(key in span.attributes for key in _CAME_BACK) else ("input",)
    return {TOOL: ("tool.arguments", "tool.result"), EMBEDDING: ("input",), RETRIEVER: ("query",)}.get(kind, ())
