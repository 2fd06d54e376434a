"""Which spans are calls of a model, and whether one is being made right here."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, SpanKind, TraceState, get_current_span

_OPERATIONS = frozenset({"chat", "text_completion", "generate_content", "embeddings", "rerank", "completion", "image", "audio"})
_KINDS = frozenset({"LLM", "EMBEDDING", "RERANKER"})
_CLIENTS = frozenset({
    "openai", "openai_v2", "anthropic", "google_genai", "google_generativeai", "mistralai", "groq", "cohere", "bedrock", "ollama",
    "litellm", "vertexai", "together", "replicate",
})  # fmt: skip

starting: ContextVar[list[Any] | None] = ContextVar("observatory_starting", default=None)
"""Spans that started within the watched function that runs here; None where none runs."""


class InsideCall(TraceState):
    """Marks the context of a span that was left out and is a model's call, or the transport of one. Never leaves the process."""


def started(span: Any, parent_context: Context | None) -> None:
    """A span has started: the watched function that runs here, if any, remembers it; the transport of a call is marked as such."""
    spans = starting.get()
    if spans is not None:
        spans.append(span)
    if span.kind is SpanKind.CLIENT:
        above = get_current_span(parent_context)
        if above is not INVALID_SPAN and is_inside_call(above):
            span._observatory_inside_call = True


def left_out(span: Any, tracer: Any, attributes: Mapping[str, Any] | None) -> Any:
    """In place of a span that a sampler left out and that is a model's call by its scope or attributes: later nothing can tell so."""
    context, scope = span.get_span_context(), getattr(tracer, "_instrumentation_scope", None)
    if isinstance(context.trace_state, InsideCall) or not (is_client(getattr(scope, "name", "")) or says_model_call(attributes)):
        return span
    state = InsideCall(list(context.trace_state.items()))
    marked = NonRecordingSpan(SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags, state))
    spans = starting.get()
    if spans is not None:
        spans.append(marked)
    return marked


def is_inside_call(span: Any) -> bool:
    """The span is a call of a model, or the transport of one; also where a sampler left it out."""
    return hasattr(span, "_observatory_inside_call") or isinstance(span.get_span_context().trace_state, InsideCall) or is_model_call(span)


def calling() -> bool:
    """A watched function runs here and has opened the span of a model's call. Some instrumentations do not make that span current."""
    spans = starting.get()
    return bool(spans) and any(map(is_open_call, spans))


def is_open_call(span: Any) -> bool:
    """The span is a call of a model that has not ended yet, or one that was left out, of which nobody can tell."""
    return is_model_call(span) if span.is_recording() else isinstance(span.get_span_context().trace_state, InsideCall)


def is_model_call(span: Any) -> bool:
    """The span is a call of a model: its instrumentation makes only such, or what it has recorded so far says so, in any convention."""
    scope = getattr(span, "instrumentation_scope", None)
    if scope is not None and is_client(scope.name):
        return True
    return says_model_call(getattr(span, "attributes", None))


def says_model_call(recorded: Mapping[str, Any] | None) -> bool:
    """These attributes are those of a call of a model, in any convention."""
    return bool(recorded) and (
        recorded.get("gen_ai.operation.name") in _OPERATIONS
        or recorded.get("openinference.span.kind") in _KINDS
        or recorded.get("llm.request.type") is not None
    )


@lru_cache(256)
def is_client(scope: str) -> bool:
    """The scope is an instrumentation of a provider's client. Some name what a span is only when it ends, too late for the request it
    sends."""
    _, found, name = scope.partition(".instrumentation.")
    return bool(found) and name.removeprefix("genai.").partition(".")[0] in _CLIENTS
