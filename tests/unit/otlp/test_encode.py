"""Columns go back to the bytes they came from, and come back the same."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from google.protobuf.message import Message
from hypothesis import given, settings, strategies as st
from otlp_messages import REQUESTS, captures, metric_requests, plain, requests

from observatory.model.signal import BY_OTLP, Signal
from observatory.otlp.decode import decoders
from observatory.otlp.encode import encode

DECODERS = decoders()


def decoded(signal: Signal, body: bytes, project: str | None = None) -> pa.RecordBatch:
    answer = DECODERS.of(signal)([body], 7, [project])
    assert answer.outcomes[0].error is None
    return answer.rows


def settled(message: Message) -> Message:
    """The message without what columns do not keep: whether something empty was there."""
    for field, inner in message.ListFields():
        if field.message_type is None:
            continue
        for each in inner if field.is_repeated else [inner]:
            settled(each)
            kept = field.is_repeated or field.containing_oneof is not None or field.name in ("positive", "negative")
            if not kept and each == type(each)():
                message.ClearField(field.name)
    return message


@pytest.mark.parametrize("signal", BY_OTLP)
def test_captures_come_back_as_the_messages_they_were(signal: Signal) -> None:
    for path in captures(signal):
        body = path.read_bytes()
        again = REQUESTS[signal].FromString(encode(signal, decoded(signal, body)))
        sent = REQUESTS[signal].FromString(body)
        assert settled(again) == settled(sent), path


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(BY_OTLP), st.none() | st.just("mine"))
def test_rows_come_back_whole(data: st.DataObject, signal: Signal, project: str | None) -> None:
    strategy: Any = {**requests, Signal.METRIC_POINTS: metric_requests}[signal]
    body = data.draw(strategy).SerializeToString()
    rows = decoded(signal, body, project)
    again = decoded(signal, encode(signal, rows), project)
    assert repr(again.to_pylist()) == repr(rows.to_pylist())


def test_many_rows_share_one_envelope_and_tables_are_taken_too() -> None:
    from benchmarks.payloads import build

    body = build(2, 3, 10**18)
    rows = decoded(Signal.SPANS, body)
    table = pa.Table.from_batches([rows.slice(0, 5), rows.slice(5)])
    assert REQUESTS[Signal.SPANS].FromString(encode(Signal.SPANS, table)) == REQUESTS[Signal.SPANS].FromString(body)


def test_nothing_is_an_empty_request() -> None:
    for signal in BY_OTLP:
        assert encode(signal, decoded(signal, b"")) == b""


def test_what_nests_deeper_than_protobuf_reads_still_comes_back() -> None:
    from otlp_messages import attribute, span_body

    from observatory.otlp.encode import value

    nested: Any = "deep"
    for _ in range(63):
        nested = [nested]
    rows = decoded(Signal.SPANS, span_body(attribute("k", value(nested))))
    assert rows.num_rows == 1
    assert plain(DECODERS.spans([encode(Signal.SPANS, rows)], 7, [None]))[0] == repr(rows.to_pylist())
