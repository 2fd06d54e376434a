"""OpenInference: indexed messages, documents and texts, and the raw request and response where there are none."""

from __future__ import annotations

from typing import Any

from observatory.semconv.messages import json_text, langchain, shapes
from observatory.semconv.messages.found import Finds
from observatory.semconv.messages.genai import documents
from observatory.semconv.messages.indexed import nested
from observatory.semconv.messages.kinds import EMBEDDING, RERANKER, RETRIEVER, TOOL
from observatory.semconv.messages.media import media, shown
from observatory.semconv.messages.shapes import Message
from observatory.semconv.messages.span import At, CarriedSpan

INDEXED, VALUES = "openinference_indexed", "openinference_values"


def read(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """Form G, then H."""
    for prefix, name, role in (("llm.input_messages", "input", "user"), ("llm.output_messages", "output", "assistant")):
        at = At(f"attributes:{prefix}")
        found = [_message(item, role, at) for item in _items(nested(span.attributes, prefix), "message")]
        if name == "output":
            found = _with_stray(span, found, at)
            if len(found) == 1 and (reason := span.text("llm.finish_reason")):
                found[0].setdefault("finish_reason", reason)
        finds.add(INDEXED, name, found, at)
    _completions(span, finds)
    at = At("attributes:llm.tools")
    schemas = [json_text.perhaps(item.get("json_schema"), at) for item in _items(nested(span.attributes, "llm.tools"), "tool")]
    finds.add(INDEXED, "tool_definitions", shapes.tool_definitions(schemas, at), at)
    if kind == EMBEDDING:
        at = At("attributes:embedding.embeddings")
        texts = [item.get("text") for item in _items(nested(span.attributes, "embedding.embeddings"), "embedding")]
        finds.add(INDEXED, "input", shapes.messages([text for text in texts if isinstance(text, str)], at), at)
    _documents(span, kind, finds)
    _values(span, kind, finds)


def _items(said: Any, name: str) -> list[dict[str, Any]]:
    return [item[name] for item in said if isinstance(item, dict) and isinstance(item.get(name), dict)] if isinstance(said, list) else []


def _message(said: dict[str, Any], role: str, at: At) -> Message:
    blocks: list[Any] = []
    for item in said["contents"] if isinstance(said.get("contents"), list) else []:
        if not isinstance(item, dict):
            continue
        if isinstance(item.get("tool_call"), dict):  # Anthropic
            blocks.append({**item["tool_call"], "type": "tool_call"})
        elif isinstance(item.get("message_content"), dict):
            blocks += _block(item["message_content"], at)
    calls = _items(said.get("tool_calls"), "tool_call")
    return shapes.message({**said, "content": blocks or said.get("content"), "tool_calls": calls}, at, role)


def _block(content: dict[str, Any], at: At) -> list[Any]:
    """A content block; images and audio lie two levels deep: `image.image.url`."""
    for modality in ("image", "audio", "video"):
        if isinstance(content.get(modality), dict):
            inner = content[modality].get(modality)
            return [found] if (found := media(inner if isinstance(inner, dict) else content[modality], at, modality)) else []
    return [content]


def _with_stray(span: CarriedSpan, found: list[Message], at: At) -> list[Message]:
    """Gemini's automatic function calling leaves the calls of earlier rounds un-prefixed: they come before what was answered at last."""
    calls = _items(nested(span.attributes, "message.tool_calls"), "tool_call")
    if calls:
        made = shapes.message({"tool_calls": calls}, at, "assistant")
        if found:
            found[0]["parts"] = made["parts"] + found[0]["parts"]
        else:
            found = [made]
    return found


def _completions(span: CarriedSpan, finds: Finds) -> None:
    """Text completions: `llm.prompts` as a list (llama-index) or indexed."""
    for prefix, inner, name, role in (("llm.prompts", "prompt", "input", "user"), ("llm.choices", "completion", "output", "assistant")):
        at = At(f"attributes:{prefix}")
        said = span.attributes.get(prefix)
        texts = said if isinstance(said, list) else [item.get("text") for item in _items(nested(span.attributes, prefix), inner)]
        finds.add(INDEXED, name, shapes.messages([text for text in texts if isinstance(text, str)], at, role), at)


def _documents(span: CarriedSpan, kind: str, finds: Finds) -> None:
    given = {str(item.get("id")): item for item in _items(nested(span.attributes, "reranker.input_documents"), "document")}
    for prefix in ("reranker.output_documents", "retrieval.documents", "reranker.input_documents"):
        at = At(f"attributes:{prefix}")
        said = _items(nested(span.attributes, prefix), "document")
        # a reranker's answer may name only ids and scores of the documents it was given
        whole = [{**given.get(str(item.get("id")), {}), **item} for item in said]
        for item in whole:
            item["metadata"] = json_text.perhaps(item.get("metadata"), at)
        finds.add(INDEXED, "documents", documents(whole, at), at)
    if kind == RERANKER:
        finds.add(INDEXED, "query", span.text("reranker.query"), At("attributes:reranker.query"))


def _value(span: CarriedSpan, name: str, at: At) -> Any:
    said = span.attributes.get(f"{name}.value")
    return (json_text.expected if span.text(f"{name}.mime_type") == "application/json" else json_text.perhaps)(said, at)


def _values(span: CarriedSpan, kind: str, finds: Finds) -> None:
    before, after = At("attributes:input.value"), At("attributes:output.value")
    asked, said = _value(span, "input", before), _value(span, "output", after)
    if kind == TOOL:
        for name, key in (("name", "tool.name"), ("id", "tool.id"), ("description", "tool.description")):
            finds.add(VALUES, f"tool.{name}", span.text(key), At(f"attributes:{key}"))
        finds.add(VALUES, "tool.arguments", shown(langchain.called_with(asked), before), before)
        finds.add(VALUES, "tool.result", shown(langchain.returned(said), after), after)
    elif kind in (RETRIEVER, RERANKER):
        finds.add(VALUES, "query", asked if isinstance(asked, str) else None, before)
        finds.add(VALUES, "documents", documents(said, after), after)
    elif kind == EMBEDDING:
        text = asked.get("input") if isinstance(asked, dict) else asked
        finds.add(VALUES, "input", shapes.messages(text, before), before)
    else:
        finds.add_request(VALUES, shapes.request(asked, before), before)
        finds.add(VALUES, "output", shapes.response(said, after), after)
