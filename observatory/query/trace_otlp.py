"""One trace as OTLP/JSON, as an exporter would send it: to be sent to another backend, or again to this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observatory.errors import NotFound
from observatory.model.signal import Signal
from observatory.otlp import encode, jsonwrite
from observatory.query.trace import TraceSource, first_of_each, joined, only, stored_batches
from observatory.query.verdict import COLUMNS, verdict_of

_SLICE = 256  # spans a piece: some 30 ms of Python, after which others have their turn


def otlp_json(source: TraceSource, trace_id: bytes) -> Iterator[bytes]:
    """The `ExportTraceServiceRequest` in pieces, each span once, in the order they are stored. NotFound is raised before the first."""
    narrow = list(stored_batches(source, trace_id, ("span_id", "received_at", "start_ns", *COLUMNS)))
    if not narrow:
        raise NotFound(f"no trace {trace_id.hex()} is stored here")
    rows = joined(narrow)
    kept, verdict = np.sort(first_of_each(rows)), verdict_of(source, trace_id, rows)
    comma = b'{"resourceSpans":['
    with closing(stored_batches(source, trace_id, None)) as stream:
        for batch in only(stream, kept):
            for start in range(0, batch.num_rows, _SLICE):
                request = ExportTraceServiceRequest.FromString(encode.encode(Signal.SPANS, verdict.filled(batch.slice(start, _SLICE))))
                for resource_spans in request.resource_spans:
                    yield comma + jsonwrite.encode(resource_spans)
                    comma = b","
    yield b"]}"
