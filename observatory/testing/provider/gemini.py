"""Google's `generateContent` and `embedContent`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from observatory.testing.provider.record import Call
from observatory.testing.provider.wire import Answer, Chunk, event


def generate(request: dict[str, Any], call: Call) -> Answer:
    """`POST /v1beta/models/NAME:generateContent` and `:streamGenerateContent`."""
    call.api = "generate_content"
    if call.stream:
        return Answer(chunks=_chunks(call), content_type="text/event-stream")
    return Answer(_reply(call, _parts(call), done=True))


def _parts(call: Call) -> list[dict[str, Any]]:
    if call.tools:
        return [{"functionCall": {"id": tool.id, "name": tool.name, "args": tool.arguments}} for tool in call.tools]
    return [{"text": call.text}]


def _reply(call: Call, parts: list[dict[str, Any]], *, done: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if done:
        candidate["finishReason"] = "STOP"
    return {
        "candidates": [candidate],
        "modelVersion": call.response_model,
        "responseId": call.response_id,
        "usageMetadata": {
            "promptTokenCount": call.input_tokens,
            "cachedContentTokenCount": call.cached_tokens,
            "candidatesTokenCount": call.output_tokens - call.reasoning_tokens if done else 0,
            "thoughtsTokenCount": call.reasoning_tokens,
            "totalTokenCount": call.input_tokens + call.output_tokens,
        },
    }


def _chunks(call: Call) -> Iterator[Chunk]:
    if call.tools:
        yield event(_reply(call, _parts(call), done=True), content=True)
        return
    pieces = call.pieces()
    for i, piece in enumerate(pieces):
        yield event(_reply(call, [{"text": piece}], done=i == len(pieces) - 1), content=True)


def embed(request: dict[str, Any], call: Call) -> Answer:
    """`POST /v1beta/models/NAME:batchEmbedContents`."""
    call.api, call.kind, call.output_tokens = "embeddings", "embedding", 0
    asked = request.get("requests") or [request]
    return Answer({"embeddings": [{"values": [0.1, 0.2, 0.3]} for _ in asked]})


def error(status: int) -> dict[str, Any]:
    """An error as Google words it."""
    said = "RESOURCE_EXHAUSTED" if status == 429 else "INTERNAL"
    return {"error": {"code": status, "message": f"the fake provider was told to answer {status}", "status": said}}
