"""Vercel AI SDK up to 6 and its legacy mode in 7: `ai.prompt`, `ai.response.*`, `ai.toolCall.*`."""

from __future__ import annotations

from typing import Any

from observatory.semconv.messages import json_text, shapes
from observatory.semconv.messages.found import Finds
from observatory.semconv.messages.kinds import EMBEDDING, TOOL
from observatory.semconv.messages.media import shown
from observatory.semconv.messages.span import At, CarriedSpan

FORM = "vercel_ai"


def read(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """Form I."""
    if kind == TOOL:
        for name, key in (("name", "ai.toolCall.name"), ("id", "ai.toolCall.id")):
            finds.add(FORM, f"tool.{name}", span.text(key), At(f"attributes:{key}"))
        for name, key in (("arguments", "ai.toolCall.args"), ("result", "ai.toolCall.result")):
            at = At(f"attributes:{key}")
            finds.add(FORM, f"tool.{name}", shown(_json(span.attributes.get(key), at), at), at)
        return
    if kind == EMBEDDING:
        _embedded(span, finds)
        return
    at = At("attributes:ai.prompt.messages")
    finds.add(FORM, "input", shapes.messages(_json(span.attributes.get("ai.prompt.messages"), at), at), at)
    at = At("attributes:ai.prompt")
    finds.add_request(FORM, shapes.request(_json(span.attributes.get("ai.prompt"), at), at), at)
    at = At("attributes:ai.prompt.tools")
    finds.add(FORM, "tool_definitions", shapes.tool_definitions(span.attributes.get("ai.prompt.tools"), at), at)
    _answer(span, finds)


def _answer(span: CarriedSpan, finds: Finds) -> None:
    for prefix in ("ai.response", "ai.result"):  # ai.result: before version 4
        at = At(f"attributes:{prefix}")
        said: dict[str, Any] = {"content": span.text(f"{prefix}.text") or span.text(f"{prefix}.object")}
        if thought := span.text(f"{prefix}.reasoning"):
            said["reasoning"] = thought
        calls = json_text.expected(span.attributes.get(f"{prefix}.toolCalls"), at)
        if isinstance(calls, list):
            said["tool_calls"] = calls
        if any(said.values()):
            said["finish_reason"] = span.text(f"{prefix}.finishReason", "ai.finishReason")
            finds.add(FORM, "output", [shapes.message(said, at, "assistant")], at)


def _embedded(span: CarriedSpan, finds: Finds) -> None:
    for key in ("ai.values", "ai.value"):
        at = At(f"attributes:{key}")
        said = span.attributes.get(key)
        texts = [_json(item, at) for item in (said if isinstance(said, list) else [said])]
        finds.add(FORM, "input", shapes.messages([text for text in texts if isinstance(text, str)], at), at)


def _json(value: Any, at: At) -> Any:
    return None if value is None else json_text.expected(value, at)
