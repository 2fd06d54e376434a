"""Which spans are calls of a model, and whether one is being made right here."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

_OPERATIONS = frozenset({"chat", "text_completion", "generate_content", "embeddings", "rerank", "completion", "image", "audio"})
_KINDS = frozenset({"LLM", "EMBEDDING", "RERANKER"})
_CLIENTS = frozenset({
    "openai", "openai_v2", "anthropic", "google_genai", "google_generativeai", "mistralai", "groq", "cohere", "bedrock", "ollama",
    "litellm", "vertexai", "together", "replicate",
})  # fmt: skip

starting: ContextVar[list[Any] | None] = ContextVar("observatory_starting", default=None)
"""Spans that started within the watched function that runs here; None where none runs."""


def started(span: Any) -> None:
    """A span has started: the watched function that runs here, if any, remembers it."""
    spans = starting.get()
    if spans is not None:
        spans.append(span)


def calling() -> bool:
    """A watched function runs here and has opened the span of a model's call. Some instrumentations do not make that span current."""
    spans = starting.get()
    return bool(spans) and any(span.is_recording() and is_model_call(span) for span in spans)


def is_model_call(span: Any) -> bool:
    """The span is a call of a model: its instrumentation makes only such, or what it has recorded so far says so, in any convention."""
    scope = getattr(span, "instrumentation_scope", None)
    if scope is not None and _is_client(scope.name):
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
def _is_client(scope: str) -> bool:
    """The scope is an instrumentation of a provider's client. Some name what a span is only when it ends, too late for the request it
    sends."""
    _, found, name = scope.partition(".instrumentation.")
    return bool(found) and name.removeprefix("genai.").partition(".")[0] in _CLIENTS
