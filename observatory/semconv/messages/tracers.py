"""Tracers with attributes of their own: pydantic-ai, Langfuse, LangSmith, LiteLLM."""

from __future__ import annotations

import ast
from typing import Any

from observatory.semconv.messages import json_text, langchain, shapes
from observatory.semconv.messages.found import Finds
from observatory.semconv.messages.genai import documents
from observatory.semconv.messages.indexed import nested
from observatory.semconv.messages.kinds import EMBEDDING, RERANKER, RETRIEVER, TOOL
from observatory.semconv.messages.media import shown
from observatory.semconv.messages.span import At, CarriedSpan

PYDANTIC_AI, LANGFUSE, LANGSMITH, LITELLM = "pydantic_ai", "langfuse", "langsmith", "litellm_raw"
_REPR_CHARACTERS = 1 << 20  # Python's parser takes 100 bytes a character


def read_pydantic_ai(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """Form J: the history of an agent, whose last message is its answer; arguments and result of a tool."""
    if kind == TOOL:
        for name, key in (("arguments", "tool_arguments"), ("result", "tool_response")):
            at = At(f"attributes:{key}")
            finds.add(PYDANTIC_AI, f"tool.{name}", shown(json_text.perhaps(span.attributes.get(key), at), at), at)
        return
    at = At("attributes:pydantic_ai.all_messages")
    said = span.attributes.get("pydantic_ai.all_messages")
    if said is not None:
        history = shapes.messages(json_text.expected(said, at), at)
        answer = history[-1:] if history and history[-1]["role"] == "assistant" else []
        finds.add(PYDANTIC_AI, "input", history[: len(history) - len(answer)], at)
        finds.add(PYDANTIC_AI, "output", answer, at)
    at = At("attributes:model_request_parameters")
    parameters = json_text.perhaps(span.attributes.get("model_request_parameters"), at)
    if isinstance(parameters, dict):
        tools = [*_list(parameters.get("function_tools")), *_list(parameters.get("output_tools"))]
        finds.add(PYDANTIC_AI, "tool_definitions", shapes.tool_definitions(tools, at), at)
    at = At("attributes:final_result")
    finds.add(PYDANTIC_AI, "output", shapes.messages(span.attributes.get("final_result"), at, "assistant"), at)


def read_langfuse(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """Form K, OpenAI-shaped: an observation's input and output."""
    _pair(span, kind, LANGFUSE, "langfuse.observation.input", "langfuse.observation.output", finds)


def read_langsmith(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """Form K, LangChain-serialised; bare `gen_ai.prompt` and `gen_ai.completion` were the convention's own until 1.27."""
    _pair(span, kind, LANGSMITH, "gen_ai.prompt", "gen_ai.completion", finds)


def _pair(span: CarriedSpan, kind: str, form: str, asked_key: str, said_key: str, finds: Finds) -> None:
    before, after = At(f"attributes:{asked_key}"), At(f"attributes:{said_key}")
    asked = json_text.perhaps(span.attributes.get(asked_key), before)
    said = json_text.perhaps(span.attributes.get(said_key), after)
    if asked is None and said is None:
        return
    if kind == TOOL:
        finds.add(form, "tool.arguments", shown(langchain.called_with(asked), before), before)
        finds.add(form, "tool.result", shown(langchain.returned(said), after), after)
    elif kind in (RETRIEVER, RERANKER):
        finds.add(form, "query", _query(asked), before)
        finds.add(form, "documents", documents(said, after), after)
    else:
        finds.add_request(form, shapes.request(asked, before), before)
        if kind != EMBEDDING:
            finds.add(form, "output", shapes.response(said, after), after)


def _query(asked: Any) -> str | None:
    """The one text that was asked for: itself, `{"query": …}`, or the only argument of a traced function."""
    if isinstance(asked, dict):
        asked = asked.get("query") or asked.get("args")
    if isinstance(asked, list) and len(asked) == 1:
        asked = asked[0]
    return asked if isinstance(asked, str) else None


def read_litellm(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """LiteLLM's raw request: `llm.PROVIDER.messages` and the like, as Python writes values."""
    if span.name != "raw_gen_ai_request":
        return
    raw = nested(span.attributes, "llm")
    for provider, said in raw.items() if isinstance(raw, dict) else ():
        if not isinstance(said, dict):
            continue
        at = At(f"attributes:llm.{provider}")
        read = {key: _python(said.get(key)) for key in ("messages", "system", "tools", "choices", "content", "candidates", "contents")}
        finds.add_request(LITELLM, shapes.request({key: value for key, value in read.items() if key not in _ANSWERS}, at), at)
        answer = {key: read[key] for key in _ANSWERS if isinstance(read[key], list)}
        if answer:
            finds.add(LITELLM, "output", shapes.response({"role": "assistant", **answer}, at), at)


_ANSWERS = ("choices", "content", "candidates")


def _python(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("[", "{")) or len(value) > _REPR_CHARACTERS:
        return value
    try:
        return json_text.plain(ast.literal_eval(value))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
