"""Recorded requests of real instrumentations, as the spans their messages are read from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.signal import Signal
from observatory.otlp.decode import decoders
from observatory.otlp.json import to_protobuf
from observatory.query.messages import carried_span
from observatory.semconv.messages.found import Conversation
from observatory.semconv.messages.normalise import conversation
from observatory.semconv.messages.span import CarriedSpan

CAPTURES = Path(__file__).parents[3] / "data" / "captures"
_DECODERS = decoders()


def names() -> list[str]:
    """`instrumentation/scenario` of every capture."""
    return sorted(str(path.parent.relative_to(CAPTURES)) for path in CAPTURES.glob("*/*/meta.json"))


def meta(capture: str) -> dict[str, Any]:
    """What truly happened."""
    return json.loads((CAPTURES / capture / "meta.json").read_text())


class Stored:
    """Decoded rows as storage would give them: a `TraceSource`."""

    def __init__(self, rows: dict[Signal, pa.RecordBatch]) -> None:
        self.rows = rows

    def trace(self, signal: Signal, trace_id: bytes, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        if signal in self.rows:
            rows = self.rows[signal]
            mine = rows.filter(pc.call_function("equal", [rows.column("trace_id"), pa.scalar(trace_id, pa.binary(16))]))
            yield mine if columns is None else mine.select(list(columns))

    def ids(self) -> list[tuple[bytes, bytes]]:
        """(trace id, span id) of every span, in the order of arrival."""
        rows = self.rows[Signal.SPANS]
        return list(zip(rows.column("trace_id").to_pylist(), rows.column("span_id").to_pylist(), strict=True))


def stored(capture: str) -> Stored:
    """The rows of a capture."""
    rows: dict[Signal, pa.RecordBatch] = {}
    for signal, kind in ((Signal.SPANS, "traces"), (Signal.LOGS, "logs")):
        bodies = [
            path.read_bytes() if path.suffix == ".pb" else to_protobuf(signal, path.read_bytes())
            for path in sorted((CAPTURES / capture).glob(f"*.{kind}.*"))
        ]
        if bodies:
            rows[signal] = _DECODERS.of(signal)(bodies, 1, [None] * len(bodies)).rows
    return Stored(rows)


@cache
def spans(capture: str) -> tuple[CarriedSpan, ...]:
    """Every span of a capture with its log records."""
    source = stored(capture)
    return tuple(carried_span(source, trace_id, span_id, logs=True) for trace_id, span_id in source.ids())


@cache
def conversations(capture: str) -> tuple[tuple[CarriedSpan, Conversation], ...]:
    """Every span of a capture with what it says."""
    return tuple((span, conversation(span)) for span in spans(capture))


def said(message: dict[str, Any]) -> str:
    """The text of a message."""
    return "".join(part["content"] for part in message["parts"] if part["type"] == "text")


def calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The tool calls of a message."""
    return [part for part in message["parts"] if part["type"] == "tool_call"]
