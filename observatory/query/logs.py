"""The list of log records, latest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb
import orjson
import pyarrow as pa

from observatory.model.clock import Nanos
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.query.cursors import decode_cursor, encode_cursor
from observatory.query.named import named
from observatory.query.render import Renderer
from observatory.query.traces import EVER
from observatory.storage import records
from observatory.storage.engine import View
from observatory.storage.views import Stream, parquet

MAX_TEXT = 1024  # characters to search for
_ORDER = "logs"
_KEY = ("dated_ns", "tie", "nth")
_SCHEMA = schema(Signal.LOGS)
_DATES: tuple[str, ...] = ("time_ns", "observed_time_ns", "received_at")


@dataclass(frozen=True, slots=True)
class LogQuestion:
    """Which records. A record is selected by its time in [from_ns, to_ns); one without a time by when it was observed, or came."""

    from_ns: Nanos = EVER[0]
    to_ns: Nanos = EVER[1]
    trace_id: bytes | None = None
    span_id: bytes | None = None
    service: str | None = None
    severity_min: int | None = None
    text: str | None = None  # anywhere in the body, in either case
    limit: int = 100
    cursor: str | None = None


class LogPage(NamedTuple):
    """The records as one JSON array, and the cursor of the next page when there is one."""

    items: bytes
    next_cursor: str | None


def list_logs(view: View, con: duckdb.DuckDBPyConnection, renderer: Renderer, question: LogQuestion) -> LogPage:
    """One page, asked on `con`, a bare connection of the engine's."""
    asked = _Asked(view, con, question)
    rows = asked.page()
    more = rows.num_rows > question.limit
    shown = rows.slice(0, question.limit)
    items = b"[]"
    if shown.num_rows:
        batch = shown.select(_SCHEMA.names).combine_chunks().to_batches()[0]
        items = b"[" + b"".join(renderer.slices(batch, "log_rows"))[:-1] + b"]"
    last = shown.slice(shown.num_rows - 1) if more else None
    return LogPage(items, encode_cursor(_ORDER, [last.column(name)[0].as_py() for name in _KEY]) if last is not None else None)


def log_page_json(page: LogPage, times: dict[str, Any]) -> bytes:
    """The answer's bytes."""
    return b'{"items":' + page.items + b"," + orjson.dumps({"next_cursor": page.next_cursor, **times})[1:]


class _Asked:
    """One question on its way."""

    def __init__(self, view: View, con: duckdb.DuckDBPyConnection, question: LogQuestion) -> None:
        self._view, self._con, self._question = view, con, question
        self._values: dict[str, Any] = {}
        filters, self._narrow = ["TRUE"], list(_DATES)
        conditions = (
            ("span_id", question.span_id, "span_id = $span_id"),
            ("service_name", question.service, "service_name = $service_name"),
            ("severity_number", question.severity_min, "severity_number >= $severity_number"),
            ("body", question.text, "contains(lower(body), lower($body))"),
        )
        for column, value, condition in conditions:
            if value is not None:
                self._narrow.append(column)
                self._values[column] = value
                filters.append(condition)
        self._filter = " AND ".join(filters)
        self._low, self._high, self._behind = question.from_ns, question.to_ns, "TRUE"
        self._key: dict[str, Any] = {}
        if question.cursor is not None:
            at, tie, nth = decode_cursor(question.cursor, _ORDER, (int, int, int))
            self._key = {"dated_ns": at, "tie": tie, "nth": nth}
            self._behind = "(dated_ns < $dated_ns OR (dated_ns = $dated_ns AND (tie < $tie OR (tie = $tie AND nth < $nth))))"
            self._high = min(self._high, int(at) + 1)

    def page(self) -> pa.Table:
        """The rows of the page and one more when there is one, with the key of each."""
        wanted = self._question.limit + 1
        rows = wanted
        while True:
            times = self._ask("log_times", self._narrow, self._low, {"rows": rows})
            edge = times.column("dated_ns")[-1].as_py() if times.num_rows == rows else self._low
            found = self._ask("log_page", _SCHEMA.names, edge, {"rows": wanted, **self._key}, behind=self._behind)
            if found.num_rows == wanted or times.num_rows < rows:
                return found
            rows *= 8  # rows of the cursor's own nanosecond were told before

    def _ask(self, name: str, columns: Sequence[str], low: Nanos, values: dict[str, Any], **parts: str) -> pa.Table:
        self._relation(columns, low)
        text = named(name).format(filter=self._filter, **parts)
        return self._con.sql(text, params={"from_ns": low, "to_ns": self._high, **values, **self._values}).to_arrow_table()

    def _relation(self, columns: Sequence[str], low: Nanos) -> None:
        """Make `log_rows`: these columns of records that may be in [low, high)."""
        names = [name for name in _SCHEMA.names if name in columns]
        shape = pa.schema([_SCHEMA.field(name) for name in names])
        selected = ", ".join(f"{name}::VARCHAR AS {name}" if pa.types.is_dictionary(shape.field(name).type) else name for name in names)
        open_rows, files = self._sources(shape, low)
        self._con.register("open_log_rows", open_rows)
        parts = [f"SELECT {selected} FROM open_log_rows"]
        if files:
            parts.append(f"SELECT {selected} FROM {parquet(files)}")
        self._con.execute(f"CREATE OR REPLACE TEMP VIEW log_rows AS {' UNION ALL '.join(parts)}")

    def _sources(self, shape: pa.Schema, low: Nanos) -> tuple[Stream, list[str]]:
        view, trace_id = self._view, self._question.trace_id
        if trace_id is not None:
            return Stream(shape, lambda: _conform(view.trace(Signal.LOGS, trace_id, shape.names), shape)), []
        # records without a time lie where the window holds the zero
        specs = (view.spec(low, self._high), view.spec(0, 1))
        files = list(dict.fromkeys(file for spec in specs for file in spec.segments[Signal.LOGS]))
        waiting = {record.seq: record for spec in specs for record in spec.records if record.signal is Signal.LOGS}.values()
        return Stream(shape, lambda: (records.read(record, shape.names) for record in waiting)), files


def _conform(batches: Iterator[pa.RecordBatch], shape: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch if batch.schema.equals(shape) else batch.cast(shape)
