"""Questions to storage: a consistent moment over segments and the open journal, asked by SQL or by trace id."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from observatory.contracts import OpenRecord, OpenRows, Segment
from observatory.model.clock import MINUTE, Nanos
from observatory.model.signal import RECEIVED, Signal
from observatory.model.traceids import Ids
from observatory.storage import fragmentstarts, fragmentsums
from observatory.storage.callviews import CALL_SIGNALS, open_calls, open_calls_of_trace
from observatory.storage.check import checksum
from observatory.storage.config import MIB, StorageConfig
from observatory.storage.database import connect
from observatory.storage.failures import Failures, open_failures
from observatory.storage.fragmentstarts import FragmentStarts, MomentStarts, Starts
from observatory.storage.fragmentsums import FragmentSums, MomentSums, Sums
from observatory.storage.hidden import read_shown
from observatory.storage.manifest import Manifest, Pin
from observatory.storage.records import DamagedRecord
from observatory.storage.rowgroups import Footers, of_trace, rows_of_trace
from observatory.storage.views import ViewSpec, open_traces, open_views

log = logging.getLogger(__name__)

DERIVED = (Signal.TRACES, *CALL_SIGNALS)
_VIEWS_OF = {
    Signal.TRACES: ("traces", "trace_fragments"),
    Signal.LLM_CALLS: ("llm_call", "llm_metrics"),
    Signal.SPAN_ROLLUPS: ("span_rollups",),
    Signal.LLM_ROLLUPS: ("llm_rollups",),
}
"""What a query says, one of these, when it reaches derived rows of a signal."""


class Engine:
    """Owns one in-memory DuckDB, within the limits of `StorageConfig`; nothing in it could be lost."""

    def __init__(self, manifest: Manifest, open_rows: OpenRows, data_dir: Path, config: StorageConfig) -> None:
        self.manifest, self.data_dir, self.config = manifest, data_dir, config
        self._open_rows = open_rows
        self._footers = Footers(config.footer_cache_bytes)
        self._starts = FragmentStarts(config.fragment_cache_bytes)
        self._sums = FragmentSums(config.sums_cache_bytes)
        self._failures = Failures(config.failure_cache_bytes)
        spill = data_dir / "spill"
        shutil.rmtree(spill, ignore_errors=True)
        self._duckdb = connect(
            {
                "memory_limit": f"{config.memory_bytes // MIB}MiB",
                "threads": config.threads,
                "temp_directory": str(spill),
                "max_temp_directory_size": f"{config.spill_bytes // MIB}MiB",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
                "preserve_insertion_order": False,
            }
        )
        inside = str(data_dir).replace("'", "''")
        for setting in (f"allowed_directories = ['{inside}']", "enable_external_access = false"):
            self._duckdb.execute(f"SET {setting}")

    @contextmanager
    def view(self) -> Iterator[View]:
        """A consistent moment: every row that was durable when it was taken, once, for as long as the block lasts."""
        with self.manifest.pin() as pin:
            # pin first: a record that is cut meanwhile is then still in this list, and not yet in the pinned segments
            yield View(self, pin, self._open_rows)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the shared DuckDB, for one question; close it."""
        return self._duckdb.cursor()

    def examine(self, segments: Sequence[Segment]) -> int:
        """After a query failed: read these segments and set aside those that are not as they were written; how many. A second a GB."""
        found = 0
        for segment in segments:
            why = checksum(self.data_dir, segment)
            if why is not None:
                self.manifest.set_aside(segment.id, why)
                found += 1
        return found

    def status(self) -> dict[str, Any]:
        """What the status page says of storage."""
        live = self.manifest.live()
        by_signal = {
            str(signal): {
                "segments": sum(s.signal is signal for s in live),
                "rows": sum(s.rows for s in live if s.signal is signal),
                "bytes": sum(s.bytes for s in live if s.signal is signal),
            }
            for signal in Signal
        }
        return {
            "segments": len(live),
            "rows": sum(s.rows for s in live if s.signal in RECEIVED),
            "bytes": sum(s.bytes for s in live),
            "disk_free_bytes": shutil.disk_usage(self.data_dir).free,
            "oldest_received_at": str(min((s.received_from for s in live), default=0)) if live else None,
            "by_signal": by_signal,
            "broken": [{"id": id, "why": why} for id, why in sorted(self.manifest.broken.items())],
        }

    def close(self) -> None:
        """Interrupt what runs and let go of the memory."""
        self._duckdb.interrupt()
        self._duckdb.close()


class View:
    """One moment. Use it only inside its `with` block."""

    def __init__(self, engine: Engine, pin: Pin, open_rows: OpenRows) -> None:
        self._engine, self._open_rows, self.pin = engine, open_rows, pin
        self._derived = open_rows.derived_rows(pin.measured)  # before the records, so that every row derived has its record
        self._records = open_rows.records(pin.checkpoint)
        self._hidden = open_rows.hidden(pin.checkpoint)

    def segments(self, signal: Signal, start_ns: Nanos | None = None, end_ns: Nanos | None = None) -> list[Segment]:
        """Segments with rows whose time may be in [start_ns, end_ns), the newest first: what is asked for first is found first."""
        found = [s for s in self.pin.segments if s.signal is signal and _overlaps(s.start_ns, s.end_ns, start_ns, end_ns)]
        return sorted(found, key=lambda s: s.end_ns, reverse=True)

    def records(self, signal: Signal, start_ns: Nanos | None = None, end_ns: Nanos | None = None) -> list[OpenRecord]:
        """Open records with rows whose time may be in [start_ns, end_ns)."""
        return [r for r in self._records if r.signal is signal and _overlaps(r.start_ns, r.end_ns, start_ns, end_ns)]

    def trace(self, signal: Signal, trace_id: bytes, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Spans or logs of one trace in the order of arrival, at most a row group a batch. Damaged segments are set aside."""
        for segment in sorted(self.segments(signal), key=lambda s: (s.received_from, s.id)):
            try:
                yield from rows_of_trace(self._engine.data_dir, segment, self._engine._footers, trace_id, columns)
            except (OSError, pa.ArrowException) as error:
                self._engine.manifest.set_aside(segment.id, f"{segment.uri}: {error}")
        last = self._records[-1].seq if self._records else 0
        read = None if columns is None else list(dict.fromkeys([*columns, "trace_id"]))
        for record in self._open_rows.find(trace_id, self.pin.checkpoint):
            if record.signal is signal and record.seq <= last:
                yield from of_trace(_read(record, read, self._hidden), trace_id, columns)

    def is_open(self, trace_id: bytes) -> bool:
        """Whether spans of this trace are still in the journal."""
        last = self._records[-1].seq if self._records else 0
        return any(r.signal is Signal.SPANS and r.seq <= last for r in self._open_rows.find(trace_id, self.pin.checkpoint))

    def spec(self, start_ns: Nanos | None = None, end_ns: Nanos | None = None, *, query: str | None = None) -> ViewSpec:
        """This moment as plain values, for `open_views` in another process; optionally only what overlaps [start_ns, end_ns).

        With the text of the one query that will be asked, without derived rows that it does not name.
        """
        asked = None if query is None or "query" in query.lower() else query.lower()  # DuckDB's query() and query_table() may hide names
        derived = {s: self._derived.of(s) for s in DERIVED if asked is None or any(name in asked for name in _VIEWS_OF[s])}
        records = [r for r in self._records if _overlaps(r.start_ns, r.end_ns, start_ns, end_ns)]
        filled = {str(signal): rows for signal, rows in derived.items() if rows.num_rows}
        return ViewSpec(self._files(Signal, start_ns, end_ns), records, filled, self._derived.upto, self._hidden)

    def _files(self, signals: Iterable[Signal], start_ns: Nanos | None, end_ns: Nanos | None) -> dict[str, list[str]]:
        return {str(signal): [str(self._engine.data_dir / s.uri) for s in self.segments(signal, start_ns, end_ns)] for signal in signals}

    @contextmanager
    def cursor(self, query: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection with the public views and `trace_fragments`; see `open_views` for `query`."""
        con = self._engine.cursor()
        try:
            open_views(con, self.spec(query=query), query)
            yield con
        finally:
            con.close()

    @contextmanager
    def fragments(self, start_ns: Nanos | None = None, end_ns: Nanos | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection with `trace_fragments` and `traces` only, of the segments that overlap [start_ns, end_ns): quicker to make.
        A trace may have more fragments outside the window.
        """
        with self._narrow() as con:
            open_traces(con, self._files([Signal.TRACES], start_ns, end_ns)[Signal.TRACES], self._derived.of(Signal.TRACES))
            yield con

    def fragment_starts(self) -> MomentStarts | None:
        """When the fragments that `fragments` has start; None where there are so many that it is better asked in SQL. Raises OSError or
        ArrowException for a segment that cannot be read.
        """
        held, segments = self._engine._starts, self.segments(Signal.TRACES)
        if not held.holds(segments):
            return None
        stored = [held.of(segment, self._engine.data_dir / segment.uri) for segment in segments]
        return MomentStarts([*stored, Starts(self._derived.of(Signal.TRACES).select(list(fragmentstarts.COLUMNS)))])

    def fragment_sums(self) -> MomentSums | None:
        """What the fragments that `fragments` has add up to; None and raises as `fragment_starts`."""
        held, segments = self._engine._sums, self.segments(Signal.TRACES)
        if not held.holds(segments):
            return None
        stored = [held.of(segment, self._engine.data_dir / segment.uri) for segment in segments]
        return MomentSums([*stored, Sums(self._derived.of(Signal.TRACES).select(list(fragmentsums.COLUMNS)))])

    @contextmanager
    def failures(self, start_ns: Nanos | None = None, end_ns: Nanos | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection with `trace_fragments` and `failed_spans`: what `spans` says of failed ones that start in [start_ns, end_ns),
        and perhaps of others.
        """
        with self._narrow() as con:
            open_traces(con, self._files([Signal.TRACES], start_ns, end_ns)[Signal.TRACES], self._derived.of(Signal.TRACES))
            segments, records = self.segments(Signal.SPANS, start_ns, end_ns), self.records(Signal.SPANS, start_ns, end_ns)
            stored = self._engine._failures.of(segments, self._engine.data_dir, self._engine.cursor)
            open_failures(con, stored, records, self._hidden)
            yield con

    @contextmanager
    def calls(self, start_ns: Nanos | None = None, end_ns: Nanos | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection with `llm_calls`, `llm_metrics`, `llm_rollups`, `span_rollups` and the macro `histogram_quantile` only, of
        segments that overlap [start_ns, end_ns), the first minute whole. Rows around the window are there too: ask for the window.
        """
        whole = start_ns and start_ns - start_ns % MINUTE
        with self._narrow() as con:
            open_calls(con, self._files(CALL_SIGNALS, whole, end_ns), {str(s): self._derived.of(s) for s in CALL_SIGNALS})
            yield con

    @contextmanager
    def calls_of_trace(self, trace_id: bytes, start_ns: Nanos, end_ns: Nanos) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection with `llm_calls` of one trace, of segments that overlap [start_ns, end_ns)."""
        with self._narrow() as con:
            files = self._files([Signal.LLM_CALLS], start_ns, end_ns)[Signal.LLM_CALLS]
            open_calls_of_trace(con, files, self._derived.of(Signal.LLM_CALLS), trace_id)
            yield con

    @contextmanager
    def _narrow(self) -> Iterator[duckdb.DuckDBPyConnection]:
        con = self._engine.cursor()
        try:
            con.execute("SET TimeZone = 'UTC'")
            # parsed footers are kept for these files only: those of spans take 0.9 kB a column chunk, 6 MB for a million spans
            con.execute("SET SESSION parquet_metadata_cache = true")
            yield con
        finally:
            con.close()

    def run(self, query: str, **params: Any) -> pa.Table:
        """Ask one SQL question of the views; `params` are its `$name`s. When a segment proves damaged it is set aside and the question is
        asked again of the rest. Raises duckdb.Error for what is wrong with the question.
        """
        try:
            return self._run(query, params)
        except duckdb.Error as error:
            if not may_be_damage(error) or not self._engine.examine(self.pin.segments):
                raise
            broken = self._engine.manifest.broken
            self.pin = Pin(
                self.pin.publish, self.pin.checkpoint, self.pin.measured, tuple(s for s in self.pin.segments if s.id not in broken)
            )
            return self._run(query, params)

    def _run(self, query: str, params: dict[str, Any]) -> pa.Table:
        with self.cursor(query) as con:
            return con.sql(query, params=params or None).to_arrow_table()


def may_be_damage(error: duckdb.Error) -> bool:
    """Whether a damaged file may be why DuckDB failed: then `Engine.examine` finds out. The question's own faults and limits are not."""
    known = (duckdb.IOException, duckdb.InvalidInputException, duckdb.InternalException, duckdb.SerializationException)
    return type(error) is duckdb.Error or isinstance(error, known)  # Thrift's errors come as the bare class


def _overlaps(first: Nanos, last: Nanos, start_ns: Nanos | None, end_ns: Nanos | None) -> bool:
    return (start_ns is None or last >= start_ns) and (end_ns is None or first < end_ns)


def _read(record: OpenRecord, columns: list[str] | None, hidden: Ids) -> pa.RecordBatch:
    try:
        return read_shown(record, columns, hidden)
    except DamagedRecord as damage:
        log.error("an open record cannot be read, its rows are left out: %s", damage)
        raise


__all__ = ["Engine", "View", "ViewSpec", "may_be_damage", "open_views"]
