"""OpenAI's formats: chat completions (also Groq's, Mistral's and everyone else's who copied them), responses, embeddings."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

from observatory.testing.provider.record import Call
from observatory.testing.provider.wire import Answer, Chunk, event

_CREATED = 1_795_430_890


def chat(request: dict[str, Any], call: Call) -> Answer:
    """`POST /v1/chat/completions`. A stream tells usage only when `stream_options.include_usage` asks for it, as OpenAI does."""
    call.api = "chat"
    if call.stream:
        call.usage_sent = (
            bool((request.get("stream_options") or {}).get("include_usage")) or "mistral" in call.model or "groq" in call.model
        )
        return Answer(chunks=_chat_chunks(call), content_type="text/event-stream")
    message: dict[str, Any] = {"role": "assistant", "content": None if call.tools else call.text, "refusal": None}
    if call.tools:
        message["tool_calls"] = [_tool_call(tool.id, tool.name, tool.arguments) for tool in call.tools]
    choice = {"index": 0, "message": message, "finish_reason": _finish(call), "logprobs": None}
    return Answer({**_head(call, "chat.completion"), "choices": [choice], "usage": usage(call)})


def usage(call: Call) -> dict[str, Any]:
    """Usage as chat completions tell it."""
    return {
        "prompt_tokens": call.input_tokens,
        "completion_tokens": call.output_tokens,
        "total_tokens": call.input_tokens + call.output_tokens,
        "prompt_tokens_details": {"cached_tokens": call.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": call.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _head(call: Call, kind: str) -> dict[str, Any]:
    return {"id": call.response_id, "object": kind, "created": _CREATED, "model": call.response_model, "service_tier": "default"}


def _finish(call: Call) -> str:
    return "tool_calls" if call.tools else "stop"


def _tool_call(tool_id: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"id": tool_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def _chat_chunks(call: Call) -> Iterator[Chunk]:
    head = _head(call, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None, *, content: bool = False, **more: Any) -> Chunk:
        return event(
            {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}], **more}, content=content
        )

    yield chunk({"role": "assistant", "content": ""}, content=True)
    for i, tool in enumerate(call.tools):
        yield chunk({"tool_calls": [{"index": i, **_tool_call(tool.id, tool.name, tool.arguments)}]}, content=True)
    if not call.tools:
        for piece in call.pieces():
            yield chunk({"content": piece}, content=True)
    told_with_the_last = call.usage_sent and ("mistral" in call.model or "groq" in call.model)
    more = {"usage": usage(call), "x_groq": {"id": call.response_id, "usage": usage(call)}} if told_with_the_last else {}
    yield chunk({}, _finish(call), **more)
    if call.usage_sent and not told_with_the_last:
        yield event({**head, "choices": [], "usage": usage(call)})
    yield event("[DONE]")


def responses(request: dict[str, Any], call: Call) -> Answer:
    """`POST /v1/responses`."""
    call.api = "responses"
    call.response_id = call.response_id.replace("chatcmpl", "resp")
    if call.stream:
        return Answer(chunks=_response_chunks(call), content_type="text/event-stream")
    return Answer(_response(call, "completed"))


def _response(call: Call, status: str) -> dict[str, Any]:
    done = status == "completed"
    return {
        "id": call.response_id,
        "object": "response",
        "created_at": _CREATED,
        "status": status,
        "model": call.response_model,
        "output": _items(call) if done else [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": call.input_tokens,
            "input_tokens_details": {"cached_tokens": call.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": call.output_tokens,
            "output_tokens_details": {"reasoning_tokens": call.reasoning_tokens},
            "total_tokens": call.input_tokens + call.output_tokens,
        }
        if done
        else None,
    }


def _items(call: Call) -> list[dict[str, Any]]:
    if call.tools:
        return [
            {
                "type": "function_call",
                "id": f"fc_{tool.id}",
                "call_id": tool.id,
                "name": tool.name,
                "arguments": json.dumps(tool.arguments),
                "status": "completed",
            }
            for tool in call.tools
        ]
    part = {"type": "output_text", "text": call.text, "annotations": []}
    return [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}]


def _response_chunks(call: Call) -> Iterator[Chunk]:
    number = iter(range(10_000))

    def told(kind: str, *, content: bool = False, **fields: Any) -> Chunk:
        return event({"type": kind, "sequence_number": next(number), **fields}, kind, content=content)

    yield told("response.created", response=_response(call, "in_progress"))
    for i, item in enumerate(_items(call)):
        place = {"output_index": i, "item_id": item["id"]}
        if item["type"] == "function_call":
            yield told("response.output_item.added", output_index=i, item={**item, "arguments": "", "status": "in_progress"})
            yield told("response.function_call_arguments.delta", content=True, delta=item["arguments"], **place)
            yield told("response.function_call_arguments.done", arguments=item["arguments"], name=item["name"], **place)
        else:
            part = item["content"][0]
            yield told("response.output_item.added", output_index=i, item={**item, "content": [], "status": "in_progress"})
            yield told("response.content_part.added", content_index=0, part={**part, "text": ""}, **place)
            for piece in call.pieces():
                yield told("response.output_text.delta", content=True, content_index=0, delta=piece, logprobs=[], **place)
            yield told("response.output_text.done", content_index=0, text=call.text, logprobs=[], **place)
            yield told("response.content_part.done", content_index=0, part=part, **place)
        yield told("response.output_item.done", output_index=i, item=item)
    yield told("response.completed", response=_response(call, "completed"))


def embeddings(request: dict[str, Any], call: Call) -> Answer:
    """`POST /v1/embeddings`: three numbers for each text, as base64 where asked for, which is OpenAI's default."""
    call.api, call.kind, call.output_tokens, call.text = "embeddings", "embedding", 0, ""
    given = request.get("input") or request.get("inputs") or []
    call.inputs = [given] if isinstance(given, str) else [str(text) for text in given]
    vectors: list[Any] = [[0.1, 0.2, len(text) / 100] for text in call.inputs]
    if request.get("encoding_format") == "base64":
        vectors = [base64.b64encode(struct.pack("<3f", *vector)).decode() for vector in vectors]
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    counted = {"prompt_tokens": call.input_tokens, "total_tokens": call.input_tokens, "completion_tokens": 0}
    return Answer({"id": call.response_id, "object": "list", "data": data, "model": call.response_model, "usage": counted})


def error(status: int) -> dict[str, Any]:
    """An error as OpenAI words it."""
    kind = "rate_limit_exceeded" if status == 429 else "server_error"
    return {"error": {"message": f"the fake provider was told to answer {status}", "type": kind, "code": kind, "param": None}}
