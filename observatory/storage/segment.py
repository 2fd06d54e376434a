"""Segments: immutable Parquet files that say in their footer what they are, and beside those of spans and logs an index of their traces.

Measured with believable spans (0.9 kB in memory): zstd-1 2.1 µs and 140 B a span. Statistics on every column and a dictionary tried
on every column cost 0.2 µs each and save nothing: statistics are kept where queries prune by them, dictionaries where text repeats.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from observatory.contracts import Segment
from observatory.model.schema import COSTS, SCHEMA_VERSION, schema, time_column
from observatory.model.signal import Signal
from observatory.storage.files import DISK, Files, Sink, write_file
from observatory.storage.traceindex import IndexBuilder

FOOTER_KEY = "observatory"
INDEXED = (Signal.SPANS, Signal.LOGS)
"""A trace is opened by decoding the row groups that hold it: 8192 rows take 7 ms, 32768 take 30 ms. Below, footers grow (5 kB a group).
Other signals are only scanned: 65,536 rows a group halve the time of a list of traces (measured at 1.3 M)."""

_PRUNED = (
    "trace_id",
    "start_ns",
    "time_ns",
    "end_ns",
    "root_start_ns",
    "received_at",
    "severity_number",
    "duration_ns",
    "status_code",
    "revision",
)
_REPEATING = ("trace_id", "flags", "kind", "status_code", "severity_number", "attribute_types", "session_id", "user_id", "received_at")

_FEW_BYTES = ("duration_ns", "ttft_ns", "input_tokens", "output_tokens", "total_tokens")
_OF_CALLS = {
    "compression_level": 2,
    "column_encoding": {"start_ns": "DELTA_BINARY_PACKED", "user_id": "DELTA_BYTE_ARRAY"} | dict.fromkeys(_FEW_BYTES, "BYTE_STREAM_SPLIT"),
}
"""Calls are kept whatever is sampled, so their bytes are most of what 1 % costs: 54 B a call as spans are written, 38 so, in less time.
The few calls of a trace lie together: a dictionary's numbers are more than zstd needs to repeat its id or its user. What calls cost
repeats, and sessions take turns. Numbers of which most bytes are 0 are split into their bytes: a fifth smaller than plain, and half the
time of writing and of reading."""


def segment_path(data_dir: Path, signal: Signal, id: int) -> Path:
    """Where the segment of that id lies."""
    return data_dir / "segments" / signal / f"{id:012d}.parquet"


def index_path(segment: Path) -> Path:
    """Where the trace index of a segment file lies."""
    return segment.with_suffix(".ids")


class SegmentWriter:
    """Writes one segment; nothing is visible before `finish` returns.

    Raises OSError as the disk does (`errno.ENOSPC` when full); the writer is then of no more use and `abort` removes what it wrote.
    Not thread-safe; works in the caller's thread only, so that its priority holds.
    """

    def __init__(
        self,
        data_dir: Path,
        id: int,
        signal: Signal,
        tier: str = "hot",
        grain: str = "raw",
        replaces: tuple[int, ...] = (),
        *,
        row_group_rows: int | None = None,
        journal_upto: int = 0,
        files: Files = DISK,
    ) -> None:
        self._data_dir, self._files = data_dir, files
        self._row_group_rows = row_group_rows or (8192 if signal in INDEXED else 65_536)
        self._about: dict[str, Any] = {
            "format": 1,
            "id": id,
            "signal": str(signal),
            "tier": tier,
            "grain": grain,
            "schema_version": SCHEMA_VERSION,
            "replaces": list(replaces),
            "journal_upto": journal_upto,
        }
        self.id, self.signal, self.tier, self.grain, self.replaces = id, signal, tier, grain, replaces
        self.path = segment_path(data_dir, signal, id)
        self._temporary = self.path.with_name(self.path.name + ".tmp")
        self._index = IndexBuilder() if signal in INDEXED else None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._groups = 0
        self._ranges: dict[str, tuple[int, int]] = {}
        self._sink: Sink | None = None
        self._parquet: pq.ParquetWriter | None = None
        self.rows = 0

    @property
    def bytes(self) -> int:
        """Bytes written so far; rows of an unfinished row group (at most `row_group_rows`) are not in it yet."""
        return self._sink.bytes if self._sink else 0

    def write(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Append rows of `schema(signal)`. They are gathered to full row groups."""
        batches = rows.to_batches() if isinstance(rows, pa.Table) else [rows]
        for batch in batches:
            offset = 0
            while offset < batch.num_rows:
                piece = batch.slice(offset, self._row_group_rows - self._waiting_rows)
                self._waiting.append(piece)
                self._waiting_rows += piece.num_rows
                offset += piece.num_rows
                if self._waiting_rows >= self._row_group_rows:
                    self._flush()

    def finish(self) -> Segment | None:
        """Complete, fsync and name the file and its index. None when there were no rows; nothing is left on disk then."""
        if self._waiting_rows:
            self._flush()
        if self._parquet is None or self._sink is None:
            return None
        times, received = self._ranges[time_column(self.signal)], self._ranges["received_at"]
        about = {**self._about, "rows": self.rows, "window": times, "received": received}
        self._parquet.add_key_value_metadata({FOOTER_KEY: json.dumps(about)})
        self._parquet.close()
        self._parquet = None
        self._sink.sync()
        self._sink.close()
        if self._index is not None:
            # first the index: a segment that is there has one
            write_file(self._files, index_path(self.path), self._index.encode(self.id))
        self._files.rename(self._temporary, self.path)
        return Segment(
            id=self.id,
            signal=self.signal,
            tier=self.tier,
            grain=self.grain,
            start_ns=times[0],
            end_ns=times[1],
            received_from=received[0],
            received_to=received[1],
            rows=self.rows,
            bytes=self._sink.bytes,
            crc32=self._sink.crc32,
            uri=str(self.path.relative_to(self._data_dir)),
            schema_version=SCHEMA_VERSION,
            replaces=self.replaces,
        )

    def abort(self) -> None:
        """Remove what was written, also after a failure. A finished segment is removed too, unless it was published."""
        if self._sink is not None:
            self._sink.give_up()
            if self._parquet is not None:
                with contextlib.suppress(OSError, pa.ArrowException):
                    self._parquet.close()
        self._parquet, self._sink, self._waiting = None, None, []
        for path in (
            self._temporary,
            self.path,
            index_path(self.path),
            index_path(self.path).with_name(index_path(self.path).name + ".tmp"),
        ):
            with contextlib.suppress(OSError):
                self._files.unlink(path)

    def _flush(self) -> None:
        waiting, self._waiting, self._waiting_rows = self._waiting, [], 0
        table = _one_chunk(waiting)
        if self._parquet is None:
            self._sink = Sink(self._files, self._files.create(self._temporary))
            self._parquet = _parquet_writer(self._sink, self.signal)
        self._parquet.write_table(table, row_group_size=table.num_rows)
        self._note(table)
        self._groups += 1
        self.rows += table.num_rows

    def _note(self, table: pa.Table) -> None:
        for name in (time_column(self.signal), "received_at"):
            found = cast(dict[str, int], pc.call_function("min_max", [table.column(name)]).as_py())
            low, high = self._ranges.get(name, (found["min"], found["max"]))
            self._ranges[name] = (min(low, found["min"]), max(high, found["max"]))
        if self._index is not None:
            ids = table.column("trace_id").unique().drop_null()
            data = ids.buffers()[1]
            if data is not None and len(ids):
                self._index.add(memoryview(data)[16 * ids.offset : 16 * (ids.offset + len(ids))], self._groups)


def _one_chunk(batches: list[pa.RecordBatch]) -> pa.Table:
    """The batches under each other, and no longer in `batches`: a column at a time, so that not all of them are there twice.

    In one chunk the dictionaries of the batches are one: Parquet gives up a dictionary when a second one comes.
    """
    table = pa.Table.from_batches(batches)
    names, columns, more = table.schema, table.columns, len(batches) > 1
    batches.clear()
    del table
    if more:
        for at, column in enumerate(columns):
            columns[at] = column.combine_chunks()
    return pa.Table.from_arrays(columns, schema=names)


def _parquet_writer(sink: Sink, signal: Signal) -> pq.ParquetWriter:
    columns = schema(signal)
    top = [field.name for field in columns if pa.types.is_dictionary(field.type)]
    calls = signal is Signal.LLM_CALLS
    repeating = [name for name in _REPEATING if name in columns.names]
    if calls:
        repeating = [*(set(repeating) - {"trace_id", "user_id", *_FEW_BYTES}), *COSTS]
    nested = ["attributes.key_value.key"] if "attributes" in columns.names else []
    return pq.ParquetWriter(
        pa.PythonFile(sink, mode="w"),
        columns,
        compression="zstd",
        **(_OF_CALLS if calls else {"compression_level": 1}),  # pyright: ignore[reportArgumentType]
        use_dictionary=top + repeating + nested,  # pyright: ignore[reportArgumentType]
        write_statistics=[name for name in _PRUNED if name in columns.names],  # pyright: ignore[reportArgumentType]
        write_page_checksum=True,  # 0.02 µs a span; a damaged page is noticed when a trace is opened
        store_schema=True,  # dictionaries come back as dictionaries, also inside maps
    )


def read_about(path: Path) -> dict[str, Any]:
    """What a segment's footer says of it. Raises ValueError when it is no segment, OSError when it cannot be read."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        return cast(dict[str, Any], json.loads(metadata[FOOTER_KEY.encode()]))
    except (pa.ArrowInvalid, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a segment: {error}") from error


def to_json(segment: Segment) -> dict[str, Any]:
    """A segment as plain values; `from_json` is the way back."""
    return {**asdict(segment), "signal": str(segment.signal), "replaces": list(segment.replaces)}


def from_json(value: dict[str, Any]) -> Segment:
    """The segment `to_json` described."""
    return Segment(**{**value, "signal": Signal(value["signal"]), "replaces": tuple(value["replaces"])})
