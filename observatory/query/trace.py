"""One trace as JSON, in pieces: found by id, each span once, rendered in slices so that a trace of 30,000 spans stalls nobody."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Protocol

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from observatory.errors import NotFound
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.query.origins import origins_of
from observatory.query.render import Renderer
from observatory.query.times import rfc3339
from observatory.query.trace_calls import CallSource, calls_of_trace, head_facts, said_of_calls, told_of_calls
from observatory.query.trace_columns import blocks
from observatory.query.verdict import COLUMNS, Verdict, VerdictSource, verdict_of

WHOLE_BYTES = 32 << 20  # up to here a trace is held whole and sorted by start; ~40,000 full spans of 800 B, or 150,000 of a tree
_NARROW = (
    "span_id", "parent_span_id", "name", "start_ns", "duration_ns", "status_code", "service_name", "received_at", "session_id", "user_id",
    *COLUMNS,
)  # fmt: skip
_BODIES = {
    "trace_id", "trace_state", "flags", "attributes", "attribute_types", "dropped_attributes_count", "dropped_events_count", "links",
    "dropped_links_count", "resource", "resource_dropped_attributes_count", "resource_schema_url", "scope_name", "scope_version",
    "scope_attributes", "scope_dropped_attributes_count", "scope_schema_url", "environment", "project", "response_id", "finish_reasons",
    "convention",
}  # fmt: skip
_TREE = tuple(name for name in schema(Signal.SPANS).names if name not in _BODIES)
_ERROR = 2
VIEWS = ("full", "tree", "columns")
"""Spans as objects with everything, without bodies, and the latter as columns."""
_FILES = {"full": "span_full", "tree": "span_tree"}


class TraceSource(CallSource, VerdictSource, Protocol):
    """Where a trace is read from: `storage.engine.View` is one."""

    def trace(self, signal: Signal, trace_id: bytes, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Its rows in bounded batches; the same order whenever asked."""
        ...


def trace_json(source: TraceSource, renderer: Renderer, trace_id: bytes, *, view: str, state: str) -> Iterator[bytes]:
    """The answer in pieces, as one of `VIEWS`. The first comes when the trace's facts are known; NotFound is raised before it.

    A span that was stored twice is shown once, as it came first. Spans are sorted by start, except beyond 32 MB of columns: then they come
    as stored, for nothing that large is held whole.
    """
    columns = None if view == "full" else _TREE
    with closing(stored_batches(source, trace_id, columns)) as stream:
        held, whole = _hold(stream)
        if not held:
            raise NotFound(f"no trace {trace_id.hex()} is stored here")
        if whole:
            rows = joined(held)
            kept = first_of_each(rows)
            spans = rows.take(pa.array(kept[np.argsort(_numbers(rows, "start_ns")[kept], kind="stable")]))
            calls = calls_of_trace(source, trace_id, _numbers(spans, "start_ns"))
            verdict = verdict_of(source, trace_id, spans)
            yield _head(trace_id, spans, calls, verdict, state, view)
            batches = iter([_one_batch(spans)])
        else:
            narrow = joined(list(stored_batches(source, trace_id, _NARROW)))
            kept = np.sort(first_of_each(narrow))
            spans = narrow.take(pa.array(kept))
            calls = calls_of_trace(source, trace_id, _numbers(spans, "start_ns"))
            verdict = verdict_of(source, trace_id, spans)
            yield _head(trace_id, spans, calls, verdict, state, view)
            batches = only(_chain(held, stream), kept)
        told = told_of_calls(spans, calls)
        if view == "columns":
            yield from _listed(blocks(batches, told))
        else:
            said = _beside(batches, said_of_calls(spans, told, renderer))
            yield from _listed(piece for batch in said for piece in renderer.slices(verdict.filled(batch), _FILES[view]))
        yield b"]}"


def span_json(source: TraceSource, renderer: Renderer, trace_id: bytes, span_id: bytes) -> bytes:
    """One span in full, with the attributes that fed its columns. Raises NotFound when the trace or the span is not stored."""
    found: list[pa.RecordBatch] = []
    seen = False
    for batch in stored_batches(source, trace_id, None):
        seen = True
        mine = batch.filter(pc.call_function("equal", [batch.column("span_id"), pa.scalar(span_id, pa.binary(8))]))
        if mine.num_rows:
            found.append(mine)
    if not found:
        raise NotFound(f"trace {trace_id.hex()} has no span {span_id.hex()}" if seen else f"no trace {trace_id.hex()} is stored here")
    rows = joined(found)
    span = rows.take(pa.array(first_of_each(rows)))
    calls = calls_of_trace(source, trace_id, _numbers(span, "start_ns"))
    said_of = said_of_calls(span, told_of_calls(span, calls, subtrees=False), renderer)
    one = _one_batch(span.append_column("said_of_calls", said_of))
    one = verdict_of(source, trace_id, span).filled(one)
    said = b"".join(renderer.slices(one, "span_full"))[:-1]
    return said[:-1] + b',"origins":' + orjson.dumps(origins_of(span.to_pylist()[0])) + b"}"


def stored_batches(source: TraceSource, trace_id: bytes, columns: Sequence[str] | None) -> Generator[pa.RecordBatch, None, None]:
    """The stored rows of a trace's spans, without empty batches, with columns in one order: a file has its own."""
    for batch in source.trace(Signal.SPANS, trace_id, columns):
        if batch.num_rows:
            yield batch if columns is None else batch.select(list(columns))


def _hold(stream: Iterator[pa.RecordBatch]) -> tuple[list[pa.RecordBatch], bool]:
    """Batches up to `WHOLE_BYTES`, and whether that is all."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in stream:
        held.append(batch)
        size += batch.nbytes
        if size > WHOLE_BYTES:
            return held, False
    return held, True


def _chain(held: list[pa.RecordBatch], stream: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    while held:
        yield held.pop(0)
    yield from stream


def only(batches: Iterator[pa.RecordBatch], kept: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The rows whose number, counted over all batches, is in `kept` (ascending)."""
    first = 0
    for batch in batches:
        low, high = np.searchsorted(kept, (first, first + batch.num_rows))
        mine = kept[low:high] - first
        first += batch.num_rows
        yield batch if len(mine) == batch.num_rows else batch.take(pa.array(mine))


def _beside(batches: Iterator[pa.RecordBatch], said: pa.Array) -> Iterator[pa.RecordBatch]:
    """The batches with what is said of their rows' calls, counted over all of them."""
    first = 0
    for batch in batches:
        yield batch.append_column("said_of_calls", said.slice(first, batch.num_rows))
        first += batch.num_rows


def _listed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces that each end in a comma, as the inside of one JSON array."""
    comma = b""
    for piece in pieces:
        yield comma + piece[:-1]
        comma = b","


def joined(rows: Sequence[pa.RecordBatch]) -> pa.Table:
    """Batches as one table of one chunk."""
    return pa.Table.from_batches(rows).unify_dictionaries().combine_chunks()


def _one_batch(rows: pa.Table) -> pa.RecordBatch:
    return rows.combine_chunks().to_batches()[0]


def first_of_each(rows: pa.Table) -> np.ndarray:
    """The row numbers of each span id's first arrival, in no order."""
    ids = rows.column("span_id").combine_chunks()
    ids = ids.chunk(0) if isinstance(ids, pa.ChunkedArray) else ids
    numbers = np.frombuffer(ids.buffers()[1], np.uint64, offset=ids.offset * 8, count=len(ids))
    order = np.lexsort((_numbers(rows, "received_at"), numbers))
    first = np.ones(len(order), bool)
    first[1:] = numbers[order][1:] != numbers[order][:-1]
    return order[first]


def _numbers(rows: pa.Table, column: str) -> np.ndarray:
    return np.asarray(rows.column(column)).astype(np.int64)


def _head(trace_id: bytes, rows: pa.Table, calls: pa.Table, verdict: Verdict, state: str, view: str) -> bytes:
    """The trace's facts, up to the opening of `spans` or `blocks`."""
    starts = _numbers(rows, "start_ns")
    ends = starts + _numbers(rows, "duration_ns")  # wraps as OTLP's uint64 does
    start = int(starts.min())
    duration = min(int(ends.max()) - start, 2**63 - 1)
    rootless = np.asarray(rows.column("parent_span_id").is_valid())
    root = int(np.lexsort((starts, rootless))[0])
    services = sorted(service for service in rows.column("service_name").unique().to_pylist() if service is not None)
    facts: dict[str, Any] = {
        "trace_id": trace_id.hex(),
        "state": state,
        "root_name": rows.column("name")[root].as_py(),
        "service_name": rows.column("service_name")[root].as_py(),
        "services": services,
        "start": rfc3339(start),
        "start_ns": str(start),
        "duration_ms": duration / 1e6,
        "duration_ns": str(duration),
        "span_count": rows.num_rows,
        "error_count": int((_numbers(rows, "status_code") == _ERROR).sum()),
        **head_facts(calls),
        "session_id": _named(rows, "session_id", rootless, starts) or _named(calls, "session_id"),
        "user_id": _named(rows, "user_id", rootless, starts) or _named(calls, "user_id"),
        "adjusted_count": verdict.adjusted_count,
        "decided_by": verdict.decided_by,
        "view": view,
    }
    return orjson.dumps(facts)[:-1] + (b',"blocks":[' if view == "columns" else b',"spans":[')


def _named(rows: pa.Table, column: str, *order: np.ndarray) -> str | None:
    """The first value of a column that there is; in the order of the rows, or by these keys."""
    values = rows.column(column)
    there = np.flatnonzero(np.asarray(values.is_valid()))
    if not len(there):
        return None
    return values[int(there[np.lexsort([key[there] for key in reversed(order)])[0]] if order else there[0])].as_py()
