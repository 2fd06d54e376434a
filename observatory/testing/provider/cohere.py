"""Cohere's chat, version 2, and its embeddings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from observatory.testing.provider.record import Call
from observatory.testing.provider.wire import Answer, Chunk, event


def chat(request: dict[str, Any], call: Call) -> Answer:
    """`POST /v2/chat`."""
    call.api, call.response_model = "cohere_chat", call.model
    if call.stream:
        return Answer(chunks=_chunks(call), content_type="text/event-stream")
    message: dict[str, Any] = {"role": "assistant", "content": [{"type": "text", "text": call.text}]}
    if call.tools:
        message = {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [_tool(tool) for tool in call.tools]}
    return Answer({"id": call.response_id, "finish_reason": _finish(call), "message": message, "usage": _usage(call)})


def _finish(call: Call) -> str:
    return "TOOL_CALL" if call.tools else "COMPLETE"


def _tool(tool: Any) -> dict[str, Any]:
    return {"id": tool.id, "type": "function", "function": {"name": tool.name, "arguments": json.dumps(tool.arguments)}}


def _usage(call: Call) -> dict[str, Any]:
    tokens = {"input_tokens": call.input_tokens, "output_tokens": call.output_tokens}
    return {"billed_units": tokens, "tokens": tokens}


def _chunks(call: Call) -> Iterator[Chunk]:
    def told(kind: str, *, content: bool = False, **fields: Any) -> Chunk:
        return event({"type": kind, **fields}, kind, content=content)

    yield told("message-start", id=call.response_id, delta={"message": {"role": "assistant", "content": []}})
    if call.tools:
        for i, tool in enumerate(call.tools):
            yield told("tool-call-start", content=True, index=i, delta={"message": {"tool_calls": _tool(tool)}})
            yield told("tool-call-end", index=i)
    else:
        yield told("content-start", index=0, delta={"message": {"content": {"type": "text", "text": ""}}})
        for piece in call.pieces():
            yield told("content-delta", content=True, index=0, delta={"message": {"content": {"text": piece}}})
        yield told("content-end", index=0)
    yield told("message-end", id=call.response_id, delta={"finish_reason": _finish(call), "usage": _usage(call)})


def embed(request: dict[str, Any], call: Call) -> Answer:
    """`POST /v2/embed`."""
    call.api, call.kind, call.output_tokens = "embeddings", "embedding", 0
    given = request.get("texts") or []
    vectors = [[0.1, 0.2, 0.3] for _ in given]
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": call.input_tokens}}
    return Answer(
        {"id": call.response_id, "embeddings": {"float": vectors}, "texts": given, "meta": meta, "response_type": "embeddings_by_type"}
    )


def error(status: int) -> dict[str, Any]:
    """An error as Cohere words it."""
    return {"message": f"the fake provider was told to answer {status}"}
