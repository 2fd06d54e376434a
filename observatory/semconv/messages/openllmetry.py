"""OpenLLMetry: indexed prompts and completions of its older versions, inputs and outputs of its workflows, tasks and tools."""

from __future__ import annotations

from typing import Any

from observatory.semconv.messages import json_text, langchain, shapes
from observatory.semconv.messages.found import Finds
from observatory.semconv.messages.genai import documents
from observatory.semconv.messages.indexed import nested
from observatory.semconv.messages.kinds import RETRIEVER, TOOL
from observatory.semconv.messages.media import shown
from observatory.semconv.messages.shapes import Message
from observatory.semconv.messages.span import At, CarriedSpan

INDEXED, ENTITY = "openllmetry_indexed", "openllmetry_entity"


def read(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """Form F. Form L is `read_entity`: what wraps a call comes after what the call itself says."""
    for prefix, name, role in (("gen_ai.prompt", "input", "user"), ("gen_ai.completion", "output", "assistant")):
        at = At(f"attributes:{prefix}")
        said = nested(span.attributes, prefix)
        if isinstance(said, list) and kind != TOOL:
            finds.add(INDEXED, name, _messages(said, role, at), at)
    at = At("attributes:llm.request.functions")
    functions = nested(span.attributes, "llm.request.functions")
    for function in functions if isinstance(functions, list) else []:
        if isinstance(function, dict):
            for key in ("parameters", "input_schema"):
                function[key] = json_text.perhaps(function.get(key), at)
    finds.add(INDEXED, "tool_definitions", shapes.tool_definitions(functions, at), at)


def read_entity(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """Form L: `traceloop.entity.*`, and `gen_ai.task.*` that say the same."""
    for prefix in ("traceloop.entity", "gen_ai.task"):
        before, after = At(f"attributes:{prefix}.input"), At(f"attributes:{prefix}.output")
        asked = _entity(span.attributes.get(f"{prefix}.input"), before)
        said = _entity(span.attributes.get(f"{prefix}.output"), after)
        if kind == TOOL:
            finds.add(ENTITY, "tool.name", span.text(f"{prefix}.name"), At(f"attributes:{prefix}.name"))
            finds.add(ENTITY, "tool.arguments", shown(langchain.called_with(asked), before), before)
            finds.add(ENTITY, "tool.result", shown(langchain.returned(said), after), after)
        elif kind == RETRIEVER:
            query = asked.get("query") if isinstance(asked, dict) else asked
            finds.add(ENTITY, "query", query if isinstance(query, str) else None, before)
            finds.add(ENTITY, "documents", documents(said, after), after)
        else:
            finds.add_request(ENTITY, shapes.request(langchain.called_with(asked), before), before)
            finds.add(ENTITY, "output", shapes.response(langchain.called_with(said), after), after)


def _entity(value: Any, at: At) -> Any:
    return None if value is None else json_text.expected(value, at)


def _messages(said: list[Any], role: str, at: At) -> list[Message]:
    found: list[Message] = []
    for item in said:
        if not isinstance(item, dict):
            continue
        content = item.get("content")
        if content == '""':  # LangChain's empty content, dumped
            content = None
        elif isinstance(content, str) and content.startswith('[{"'):
            content = json_text.perhaps(content, at)
        made = shapes.message({**item, "content": content}, at, role)
        # LiteLLM counts tool calls where others count choices
        if found and item.keys() <= {"function_call"} and said[0].keys() <= {"function_call"}:
            found[-1]["parts"] += made["parts"]
        else:
            found.append(made)
    return found
