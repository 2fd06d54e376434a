"""Amazon Bedrock's Converse, with its binary event stream."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from observatory.testing.provider.record import Call
from observatory.testing.provider.wire import Answer, Chunk

_STRING = 7


def converse(request: dict[str, Any], call: Call) -> Answer:
    """`POST /model/NAME/converse` and `/converse-stream`."""
    call.api, call.response_model = "converse", call.model
    if call.stream:
        return Answer(chunks=_chunks(call), content_type="application/vnd.amazon.eventstream")
    message = {"role": "assistant", "content": _content(call)}
    return Answer({"output": {"message": message}, "stopReason": _stop(call), "usage": _usage(call), "metrics": {"latencyMs": 5}})


def _content(call: Call) -> list[dict[str, Any]]:
    if call.tools:
        return [{"toolUse": {"toolUseId": tool.id, "name": tool.name, "input": tool.arguments}} for tool in call.tools]
    return [{"text": call.text}]


def _stop(call: Call) -> str:
    return "tool_use" if call.tools else "end_turn"


def _usage(call: Call) -> dict[str, Any]:
    return {
        "inputTokens": call.input_tokens,
        "outputTokens": call.output_tokens,
        "totalTokens": call.input_tokens + call.output_tokens,
    }


def _chunks(call: Call) -> Iterator[Chunk]:
    yield _frame("messageStart", {"role": "assistant"})
    if call.tools:
        for i, tool in enumerate(call.tools):
            start = {"toolUse": {"toolUseId": tool.id, "name": tool.name}}
            yield _frame("contentBlockStart", {"contentBlockIndex": i, "start": start})
            delta = {"toolUse": {"input": json.dumps(tool.arguments)}}
            yield _frame("contentBlockDelta", {"contentBlockIndex": i, "delta": delta}, content=True)
            yield _frame("contentBlockStop", {"contentBlockIndex": i})
    else:
        for piece in call.pieces():
            yield _frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}}, content=True)
        yield _frame("contentBlockStop", {"contentBlockIndex": 0})
    yield _frame("messageStop", {"stopReason": _stop(call)})
    yield _frame("metadata", {"usage": _usage(call), "metrics": {"latencyMs": 5}})


def _frame(kind: str, payload: dict[str, Any], *, content: bool = False) -> Chunk:
    """A message of `application/vnd.amazon.eventstream`: lengths, their CRC, headers, payload, CRC of all."""
    body = json.dumps(payload).encode()
    said = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", _STRING, len(value)) + value.encode() for key, value in said.items()
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
    return Chunk(message + struct.pack("!I", zlib.crc32(message)), content)


def error(status: int) -> dict[str, Any]:
    """An error as Bedrock words it; its type is in a header, too."""
    return {"message": f"the fake provider was told to answer {status}"}
