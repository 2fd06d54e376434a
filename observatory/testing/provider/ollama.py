"""Ollama's chat: lines of JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from observatory.testing.provider.record import Call
from observatory.testing.provider.wire import Answer, Chunk, line

_NOW = "2026-11-23T10:48:10.363536205Z"


def chat(request: dict[str, Any], call: Call) -> Answer:
    """`POST /api/chat`; it streams unless told not to, as Ollama does."""
    call.api, call.response_model, call.response_id = "ollama_chat", call.model, ""
    if call.stream:
        return Answer(chunks=_chunks(call), content_type="application/x-ndjson")
    return Answer({**_part(call, _message(call)), **_end(call)})


def _message(call: Call) -> dict[str, Any]:
    if not call.tools:
        return {"role": "assistant", "content": call.text}
    calls = [{"function": {"name": tool.name, "arguments": tool.arguments}} for tool in call.tools]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def _part(call: Call, message: dict[str, Any]) -> dict[str, Any]:
    return {"model": call.response_model, "created_at": _NOW, "message": message, "done": False}


def _end(call: Call) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": "stop",
        "total_duration": 5_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": call.input_tokens,
        "prompt_eval_duration": 1_000_000,
        "eval_count": call.output_tokens,
        "eval_duration": 3_000_000,
    }


def _chunks(call: Call) -> Iterator[Chunk]:
    if call.tools:
        yield line(_part(call, _message(call)), content=True)
    else:
        for piece in call.pieces():
            yield line(_part(call, {"role": "assistant", "content": piece}), content=True)
    yield line({**_part(call, {"role": "assistant", "content": ""}), **_end(call)})


def error(status: int) -> dict[str, Any]:
    """An error as Ollama words it."""
    return {"error": f"the fake provider was told to answer {status}"}
