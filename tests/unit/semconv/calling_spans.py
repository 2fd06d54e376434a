"""Spans as the decoders give them, made from what a test says; the typed columns are said directly, so no routing is tested here."""

from __future__ import annotations

from itertools import count
from typing import Any

import pyarrow as pa

from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp.columns import batch
from observatory.semconv.calls import read_calls

START = 1_795_420_000_000_000_000
SPANS = schema(Signal.SPANS)
_ids = count(1)
_EMPTY: dict[pa.DataType, Any] = {pa.int64(): 0, pa.int32(): 0, pa.uint32(): 0, pa.string(): ""}


def span(
    attributes: dict[str, str] | None = None, events: list[tuple[str, int, dict[str, str]]] | None = None, **columns: Any
) -> tuple[Any, ...]:
    """A row of spans: attributes as text, events as (name, ns after START, attributes), any other column by name."""
    number = next(_ids)
    row: dict[str, Any] = {
        "trace_id": number.to_bytes(16),
        "span_id": number.to_bytes(8),
        "start_ns": START,
        "duration_ns": 10**9,
        "attributes": list((attributes or {}).items()),
        "events": [(START + after, name, list(said.items()), "s" * len(said), 0) for name, after, said in events or ()],
        "links": [],
        "resource": '{"service.name":"shop"}',
        "project": "default",
        **columns,
    }
    unknown = row.keys() - set(SPANS.names)
    assert not unknown, unknown
    return tuple(row.get(field.name, None if field.nullable else _EMPTY.get(field.type, "")) for field in SPANS)


def spans(*rows: tuple[Any, ...]) -> pa.RecordBatch:
    """A batch of these rows."""
    return batch(SPANS, rows)


def call(attributes: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """What `read_calls` reads out of one span, which is of kind llm unless said otherwise."""
    more.setdefault("observation_kind", "llm")
    (row,) = read_calls([spans(span(attributes, **more))]).to_pylist()
    return row
