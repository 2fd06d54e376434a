"""The messages of one span, put together when it is opened, from what is stored of it and the log records that name it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from observatory.errors import NotFound
from observatory.model.anyvalue import parse
from observatory.model.signal import Signal
from observatory.query.trace import TraceSource
from observatory.semconv.messages.json_text import plain
from observatory.semconv.messages.normalise import blob, conversation, needs_logs
from observatory.semconv.messages.span import CarriedSpan, Record

_SPAN = (
    "span_id", "name", "scope_name", "attributes", "attribute_types", "dropped_attributes_count", "events", "dropped_events_count",
    "received_at",
)  # fmt: skip
_LOG = ("span_id", "time_ns", "observed_time_ns", "event_name", "body", "body_type", "attributes", "attribute_types")
LOG_RECORDS = 10_000  # of one span; a conversation has hundreds, a span that logs in a loop would fill the memory


def messages_json(source: TraceSource, trace_id: bytes, span_id: bytes) -> bytes:
    """The conversation of one span as JSON: `semconv.messages.found.Conversation`. Raises NotFound when trace or span are not stored.

    Log records are read only when the span's own attributes do not hold the conversation whole.
    """
    span = carried_span(source, trace_id, span_id)
    if needs_logs(span):
        span = _with_logs(span, source, trace_id, span_id)
    return orjson.dumps(asdict(conversation(span)))


def message_blob(source: TraceSource, trace_id: bytes, span_id: bytes, ref: str) -> bytes:
    """The bytes of a blob part by its `ref`. Raises NotFound when trace, span or blob are not stored."""
    span = carried_span(source, trace_id, span_id)
    if ref.startswith("logs:") or (found := blob(span, ref)) is None:
        found = blob(_with_logs(span, source, trace_id, span_id), ref)
    if found is None:
        raise NotFound(f"ref: span {span_id.hex()} holds no such blob")
    return found


def carried_span(source: TraceSource, trace_id: bytes, span_id: bytes, *, logs: bool = False) -> CarriedSpan:
    """The span as it came first, with its log records when asked. Raises NotFound when trace or span are not stored."""
    seen, best = False, None
    for batch in source.trace(Signal.SPANS, trace_id, _SPAN):
        seen = seen or batch.num_rows > 0
        for row in _of_span(batch, span_id):
            if best is None or row["received_at"] < best["received_at"]:
                best = row
    if best is None:
        raise NotFound(f"trace {trace_id.hex()} has no span {span_id.hex()}" if seen else f"no trace {trace_id.hex()} is stored here")
    span = CarriedSpan(
        best["name"],
        best["scope_name"],
        _attributes(best),
        [Record(event["name"], _attributes(event)) for event in best["events"]],
        (),
        best["dropped_attributes_count"],
        best["dropped_events_count"],
    )
    return _with_logs(span, source, trace_id, span_id) if logs else span


def _with_logs(span: CarriedSpan, source: TraceSource, trace_id: bytes, span_id: bytes) -> CarriedSpan:
    """The span with its log records in the order of their times; those of one time as they came."""
    rows: list[dict[str, Any]] = []
    for batch in source.trace(Signal.LOGS, trace_id, _LOG):
        rows += _of_span(batch, span_id)[: LOG_RECORDS - len(rows)]
        if len(rows) >= LOG_RECORDS:
            break
    rows.sort(key=lambda row: row["time_ns"] or row["observed_time_ns"])
    logs = [Record(row["event_name"], _attributes(row), plain(parse(row["body_type"], row["body"]))) for row in rows]
    return CarriedSpan(span.name, span.scope_name, span.attributes, span.events, logs, span.dropped_attributes, span.dropped_events)


def _of_span(batch: pa.RecordBatch, span_id: bytes) -> Sequence[dict[str, Any]]:
    mine = batch.filter(pc.call_function("equal", [batch.column("span_id"), pa.scalar(span_id, pa.binary(8))]))
    return mine.to_pylist() if mine.num_rows else []


def _attributes(row: dict[str, Any]) -> dict[str, Any]:
    pairs = zip(row["attribute_types"], row["attributes"], strict=True)
    return {key: plain(parse(letter, value)) for letter, (key, value) in pairs}
