"""Anthropic's messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from observatory.testing.provider.record import Call
from observatory.testing.provider.wire import Answer, Chunk, event


def messages(request: dict[str, Any], call: Call) -> Answer:
    """`POST /v1/messages`. Its input tokens do not include those read from the cache, as Anthropic counts."""
    call.api = "messages"
    call.response_id = call.response_id.replace("chatcmpl", "msg")
    if call.stream:
        return Answer(chunks=_chunks(call), content_type="text/event-stream")
    return Answer({**_message(call), "content": _content(call), "stop_reason": _stop(call), "usage": _usage(call, call.output_tokens)})


def _message(call: Call) -> dict[str, Any]:
    return {
        "id": call.response_id,
        "type": "message",
        "role": "assistant",
        "model": call.response_model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(call, 1),
    }


def _usage(call: Call, output: int) -> dict[str, Any]:
    return {
        "input_tokens": call.input_tokens - call.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": call.cached_tokens,
        "output_tokens": output,
        "service_tier": "standard",
    }


def _stop(call: Call) -> str:
    return "tool_use" if call.tools else "end_turn"


def _content(call: Call) -> list[dict[str, Any]]:
    if call.tools:
        return [{"type": "tool_use", "id": tool.id, "name": tool.name, "input": tool.arguments} for tool in call.tools]
    return [{"type": "text", "text": call.text}]


def _chunks(call: Call) -> Iterator[Chunk]:
    def told(kind: str, *, content: bool = False, **fields: Any) -> Chunk:
        return event({"type": kind, **fields}, kind, content=content)

    yield told("message_start", content=True, message=_message(call))
    for i, block in enumerate(_content(call)):
        tool = block["type"] == "tool_use"
        yield told("content_block_start", index=i, content_block={**block, **({"input": {}} if tool else {"text": ""})})
        if tool:
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            yield told("content_block_delta", content=True, index=i, delta=delta)
        else:
            for piece in call.pieces():
                yield told("content_block_delta", content=True, index=i, delta={"type": "text_delta", "text": piece})
        yield told("content_block_stop", index=i)
    yield told("message_delta", delta={"stop_reason": _stop(call), "stop_sequence": None}, usage={"output_tokens": call.output_tokens})
    yield told("message_stop")


def error(status: int) -> dict[str, Any]:
    """An error as Anthropic words it."""
    kind = "rate_limit_error" if status == 429 else "api_error"
    return {"type": "error", "error": {"type": kind, "message": f"the fake provider was told to answer {status}"}}
