"""The GenAI convention's own attributes: on the span, on a log record with structured values, on a span event; by reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from observatory.semconv.messages import json_text, langchain, shapes
from observatory.semconv.messages.found import Finds
from observatory.semconv.messages.kinds import RETRIEVER, TOOL
from observatory.semconv.messages.media import shown
from observatory.semconv.messages.span import At, CarriedSpan

ATTRIBUTES, LOG_EVENT, SPAN_EVENT, REFERENCE = "genai_attributes", "genai_log_event", "genai_span_event", "genai_reference"
AGENT_TOOLS = "strands_agent_tools"


def read(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """Form A, then B, then C, then references left by an upload hook."""
    _carrier(span.attributes, "attributes:", ATTRIBUTES, finds)
    for number, record in enumerate(span.logs):
        _carrier(record.attributes, f"logs:{number}:", LOG_EVENT, finds)
    for number, record in enumerate(span.events):
        _carrier(record.attributes, f"events:{number}:", SPAN_EVENT, finds)
    at = At("attributes:gen_ai.agent.tools")  # Strands: names only
    finds.add(AGENT_TOOLS, "tool_definitions", shapes.tool_definitions(span.text("gen_ai.agent.tools"), at), at)
    if kind == TOOL:
        _tool(span, finds)
    if kind == RETRIEVER:
        _retrieval(span, finds)
    for key, name, role in (("gen_ai.input.messages.ref", "input", "user"), ("gen_ai.output.messages.ref", "output", "assistant")):
        if address := span.text(key):
            at = At(f"attributes:{key}")
            at.flag("stored_elsewhere")
            finds.add(REFERENCE, name, [{"role": role, "parts": [{"type": "uri", "modality": "document", "uri": address}]}], at)


def _carrier(attributes: Mapping[str, Any], where: str, form: str, finds: Finds) -> None:
    for key, name, role in (("gen_ai.input.messages", "input", "user"), ("gen_ai.output.messages", "output", "assistant")):
        if (value := attributes.get(key)) is not None:
            at = At(where + key)
            finds.add(form, name, shapes.messages(json_text.expected(value, at), at, role), at)
    if (value := attributes.get("gen_ai.system_instructions")) is not None:
        at = At(f"{where}gen_ai.system_instructions")
        finds.add(form, "system_instructions", shapes.instructions(json_text.perhaps(value, at), at), at)
    if (value := attributes.get("gen_ai.tool.definitions")) is not None:
        at = At(f"{where}gen_ai.tool.definitions")
        finds.add(form, "tool_definitions", shapes.tool_definitions(json_text.expected(value, at), at), at)


def _tool(span: CarriedSpan, finds: Finds) -> None:
    for name in ("name", "type", "description"):
        finds.add(ATTRIBUTES, f"tool.{name}", span.text(f"gen_ai.tool.{name}"), At(f"attributes:gen_ai.tool.{name}"))
    finds.add(ATTRIBUTES, "tool.id", span.text("gen_ai.tool.call.id"), At("attributes:gen_ai.tool.call.id"))
    for key, name in (
        ("gen_ai.tool.call.arguments", "tool.arguments"),
        ("gen_ai.tool.args", "tool.arguments"),  # OpenLIT
        ("gen_ai.tool.call.result", "tool.result"),
    ):
        if (value := span.attributes.get(key)) is not None:
            at = At(f"attributes:{key}")
            said = json_text.perhaps(value, at)
            said = langchain.called_with(said) if name == "tool.arguments" else langchain.returned(said)
            finds.add(ATTRIBUTES, name, shown(said, at), at)


def _retrieval(span: CarriedSpan, finds: Finds) -> None:
    finds.add(ATTRIBUTES, "query", span.text("gen_ai.retrieval.query.text"), At("attributes:gen_ai.retrieval.query.text"))
    if (value := span.attributes.get("gen_ai.retrieval.documents")) is not None:
        at = At("attributes:gen_ai.retrieval.documents")
        finds.add(ATTRIBUTES, "documents", documents(json_text.expected(value, at), at), at)


def documents(value: Any, at: At) -> list[dict[str, Any]]:
    """`{id, content, score, metadata}` of each document, those of them that it has."""
    if isinstance(value, dict) and isinstance(value.get("documents"), list):
        value = value["documents"]
    if not isinstance(value, list):
        return []
    found: list[dict[str, Any]] = []
    for item in value:
        inner = langchain.document(item) or (item if isinstance(item, dict) else {"content": item})
        score = next((inner[key] for key in ("score", "similarity", "relevance_score") if inner.get(key) is not None), None)
        content = next((inner[key] for key in ("content", "page_content", "text", "document") if inner.get(key) is not None), None)
        known = {"id": inner.get("id"), "content": shown(content, at), "score": score, "metadata": shown(inner.get("metadata"), at)}
        told = {key: part for key, part in known.items() if part not in (None, {}, "")}
        found.append(told or {"metadata": shown(inner, at)})
    return found
