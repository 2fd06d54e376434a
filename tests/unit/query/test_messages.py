"""The messages of a span are put together from what is stored of it, and read no more than they need."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observatory.errors import NotFound
from observatory.model.signal import Signal
from observatory.otlp.decode import decoders
from observatory.query import messages
from observatory.query.messages import message_blob, messages_json
from observatory.testing.spans import Maker, Payload

NOW = 1_795_430_890_363_536_205
CHAT = {"gen_ai.operation.name": "chat"}
PICTURE = bytes(range(256)) * 300


class Rows:
    """Decoded payloads as a source of traces, that notes which signals were read."""

    def __init__(self, *payloads: Payload) -> None:
        made = decoders()
        self.batches = [
            (payload.signal, made.of(payload.signal)([payload.protobuf], number, [None]).rows) for number, payload in enumerate(payloads)
        ]
        self.read: list[Signal] = []

    def trace(self, signal: Signal, trace_id: bytes, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        self.read.append(signal)
        for of, rows in self.batches:
            if of is signal:
                mine = rows.filter(pc.call_function("equal", [rows.column("trace_id"), pa.scalar(trace_id, pa.binary(16))]))
                yield mine if columns is None else mine.select(list(columns))


def ask(source: Rows, span: Span) -> dict[str, Any]:
    return json.loads(messages_json(source, span.trace_id, span.span_id))


def said(content: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def event(make: Maker, span: Span, name: str, content: str, at: int) -> Payload:
    payload = make.logs({"content": content}, span=span, event_name=name)
    payload.message.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = at
    return payload


def test_log_records_are_joined_in_the_order_of_their_times():
    make = Maker(1, now=NOW)
    span, other = make.span("chat", attributes=CHAT), make.span("chat", attributes=CHAT)
    other.trace_id = span.trace_id
    source = Rows(
        make.spans(span, other),
        event(make, span, "gen_ai.user.message", "second", NOW + 2),
        event(make, other, "gen_ai.user.message", "of another span", NOW),
        event(make, span, "gen_ai.system.message", "first", NOW + 1),
        event(make, span, "gen_ai.tool.message", "undated: by when it was observed", 0),
        make.logs({"content": "of no span"}, trace_id=span.trace_id, event_name="gen_ai.user.message"),
    )
    found = ask(source, span)
    assert [message["role"] for message in found["input"]] == ["tool", "system", "user"]
    assert ask(source, other)["input"] == [said("of another span")]


def test_log_records_are_not_read_where_the_span_says_it_all():
    make = Maker(2, now=NOW)
    attributes = {"gen_ai.input.messages": json.dumps([said("q")]), "gen_ai.output.messages": json.dumps([said("a", "assistant")])}
    whole, half = make.span("chat", attributes=attributes), make.span("chat", attributes={"gen_ai.input.messages": json.dumps([said("q")])})
    source = Rows(make.spans(whole, half))
    assert ask(source, whole)["output"] == [said("a", "assistant")]
    assert source.read == [Signal.SPANS]
    source.read.clear()
    ask(source, half)
    assert source.read == [Signal.SPANS, Signal.LOGS]


def test_a_span_stored_twice_says_what_came_first():
    make = Maker(3, now=NOW)
    first = make.span("chat", attributes={"gen_ai.input.messages": json.dumps([said("first")])})
    second = make.span(
        "chat", trace_id=first.trace_id, span_id=first.span_id, attributes={"gen_ai.input.messages": json.dumps([said("2nd")])}
    )
    source = Rows(make.spans(first), make.spans(second))
    source.batches.reverse()
    assert ask(source, first)["input"] == [said("first")]


def test_every_type_of_value_is_read():
    make = Maker(4, now=NOW)
    structured = [{"role": "user", "parts": [{"type": "text", "content": "q"}, {"type": "x", "n": 1.0, "big": 2**60, "raw": b"\x00"}]}]
    span = make.span("chat", attributes={"gen_ai.input.messages": structured, "empty": None, "nan": float("nan")})
    parts = ask(Rows(make.spans(span)), span)["input"][0]["parts"]
    assert parts[1] == {"type": "x", "n": 1.0, "big": str(2**60), "raw": "AA=="}


def test_what_is_not_stored_is_not_found():
    make = Maker(5, now=NOW)
    span = make.span("chat", attributes=CHAT)
    source = Rows(make.spans(span))
    with pytest.raises(NotFound, match="no trace"):
        messages_json(source, bytes(15) + b"1", span.span_id)
    with pytest.raises(NotFound, match="has no span"):
        messages_json(source, span.trace_id, bytes(7) + b"1")
    with pytest.raises(NotFound, match=r"^ref: "):
        message_blob(source, span.trace_id, span.span_id, "attributes:x@00")


@pytest.mark.parametrize("where", ["attributes", "logs"])
def test_a_blob_is_read_by_its_ref(where):
    make = Maker(6, now=NOW)
    content = [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PICTURE).decode()}}]
    asked = [{"role": "user", "content": content}]
    span = make.span("chat", attributes={**CHAT, **({"gen_ai.input.messages": json.dumps(asked)} if where == "attributes" else {})})
    source = Rows(make.spans(span), make.logs({"content": content}, span=span, event_name="gen_ai.user.message"))
    part = ask(source, span)["input"][0]["parts"][0]
    assert part["ref"].startswith(where)
    assert message_blob(source, span.trace_id, span.span_id, part["ref"]) == PICTURE


def test_a_span_that_logs_without_end_is_read_to_a_limit(monkeypatch):
    monkeypatch.setattr(messages, "LOG_RECORDS", 5)
    make = Maker(7, now=NOW)
    span = make.span("chat", attributes=CHAT)
    logs = [make.logs(*({"content": str(n)} for n in range(4)), span=span, event_name="gen_ai.user.message") for _ in range(3)]
    assert len(ask(Rows(make.spans(span), *logs), span)["input"]) == 5
