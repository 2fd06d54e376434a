"""What the API says of messages, over a real journal and real segments."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from asking import Asked, open_asked

from observatory.api.messages import kind_of_file
from observatory.contracts import Swap
from observatory.testing.spans import Maker

NOW = 1_795_430_890_363_536_205
T, S = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>" * 1200


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


def path(span, tail: str = "") -> str:
    return f"/api/v1/traces/{span.trace_id.hex()}/spans/{span.span_id.hex()}/messages{tail}"


async def test_a_conversation_is_the_same_from_journal_and_segment(asked):
    make = Maker(5, now=NOW)
    span = make.span("chat gpt", attributes={"gen_ai.operation.name": "chat"})
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    await asked.store(make.spans(span), make.logs({"content": "q"}, span=span, event_name="gen_ai.user.message"), cut=True)
    await asked.store(
        make.logs({"index": 0, "finish_reason": "tool_calls", "message": {"tool_calls": [call]}}, span=span, event_name="gen_ai.choice")
    )
    expected = {
        "system_instructions": [],
        "input": [{"role": "user", "parts": [{"type": "text", "content": "q"}]}],
        "output": [
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}}],
                "finish_reason": "tool_calls",
            }
        ],
        "tool_definitions": [],
        "tool": None,
        "query": None,
        "documents": None,
        "flags": [],
        "source": {"input": "message_log_events", "output": "message_log_events"},
    }
    assert await asked.get(path(span)) == expected
    asked.pipeline.cut()
    assert await asked.get(path(span)) == expected


@pytest.mark.parametrize(
    ("data", "content_type", "name"), [(PICTURE, "image/png", "blob.png"), (SCRIPT, "application/octet-stream", "blob.bin")]
)
async def test_a_large_blob_is_a_file_to_save_and_never_a_page(asked, data, content_type, name):
    make = Maker(6, now=NOW)
    block = {"type": "blob", "modality": "image", "mime_type": "image/svg+xml", "content": base64.b64encode(data).decode()}
    span = make.span("chat", attributes={"gen_ai.input.messages": json.dumps([{"role": "user", "parts": [block]}])})
    await asked.store(make.spans(span))
    part = (await asked.get(path(span)))["input"][0]["parts"][0]
    assert part.keys() == {"type", "modality", "mime_type", "size_bytes", "sha256", "ref"}
    async with asked.client.get(path(span, f"/blob?ref={quote(part['ref'], safe='')}")) as response:
        assert (response.status, await response.read()) == (200, data)
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_is_not_there_and_what_is_no_longer(asked):
    assert (await asked.get(f"/api/v1/traces/{T}/spans/{S}/messages", 404))["error"]["code"] == "not_found"
    make = Maker(7, now=NOW)
    span = make.span("chat")
    await asked.store(make.spans(span), cut=True)
    error = (await asked.get(path(span, "/blob"), 404, ref="attributes:x@00"))["error"]
    assert (error["code"], error["where"]) == ("not_found", "ref")
    for bad, where in (
        (path(span, "/blob"), "ref"),
        (path(span) + "?view=x", "view"),
        (f"/api/v1/traces/x/spans/{S}/messages", "trace_id"),
    ):
        assert (await asked.get(bad, 400))["error"]["where"] == where
    asked.manifest.swap(Swap(drop=[segment.id for segment in asked.manifest.live()], expired="older than 7 days"))
    for gone in (path(span), path(span, "/blob?ref=x")):
        assert "older than 7 days" in (await asked.get(gone, 410))["error"]["message"]


@pytest.mark.parametrize("data", [b"", b"<html>", b"%PDF-1.7", b"RIFF1234AVI "])
def test_what_could_hold_a_script_is_bytes(data):
    assert kind_of_file(data) == ("application/octet-stream", "bin")


def test_sounds_are_known():
    assert kind_of_file(b"RIFF1234WAVEfmt ") == ("audio/wav", "wav")
