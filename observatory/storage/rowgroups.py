"""Reading a trace out of segments: index, footer (kept, within a limit), and only the row groups that hold it."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from observatory.contracts import Segment
from observatory.storage import traceindex
from observatory.storage.segment import index_path
from observatory.storage.traceindex import DamagedIndex

log = logging.getLogger(__name__)

_PARSED = 12  # bytes in memory for a byte of serialized footer: 6 MB on disk are 73 MB parsed


class Footers:
    """Parsed footers of the segments asked for last, within `limit` bytes of memory. Segments never change, so neither do footers."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held, self._bytes = limit, OrderedDict[int, pq.FileMetaData](), 0
        self._lock = threading.Lock()

    def of(self, segment: Segment, path: Path) -> pq.FileMetaData:
        """The footer. Raises OSError or ArrowInvalid when it cannot be read."""
        with self._lock:
            if (found := self._held.get(segment.id)) is not None:
                self._held.move_to_end(segment.id)
                return found
        footer = pq.read_metadata(path)
        with self._lock:
            if segment.id not in self._held:
                self._held[segment.id] = footer
                self._bytes += footer.serialized_size * _PARSED
            while self._bytes > self._limit and self._held:
                self._bytes -= self._held.popitem(last=False)[1].serialized_size * _PARSED
        return footer


def rows_of_trace(
    data_dir: Path, segment: Segment, footers: Footers, trace_id: bytes, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    """The rows of one trace in one segment of spans or logs, a batch for each row group. Raises OSError or ArrowException for damage."""
    path = data_dir / segment.uri
    try:
        groups = traceindex.lookup(index_path(path), trace_id)
    except (DamagedIndex, FileNotFoundError) as error:
        log.error("%s; reading the whole segment instead", error)
        groups = None
    if groups == []:
        return
    footer = footers.of(segment, path)
    read = None if columns is None else list(dict.fromkeys([*columns, "trace_id"]))
    with pq.ParquetFile(path, metadata=footer, page_checksum_verification=True) as file:
        for group in range(footer.num_row_groups) if groups is None else groups:
            if groups is None and not _holds(file, group, trace_id):
                continue
            yield from of_trace(file.read_row_group(group, columns=read, use_threads=False), trace_id, columns)


def of_trace(rows: pa.Table | pa.RecordBatch, trace_id: bytes, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    """Those rows whose `trace_id` is this one, with the columns asked for in the schema's order."""
    wanted = pc.call_function("equal", [rows.column("trace_id"), pa.scalar(trace_id, pa.binary(16))])
    found = rows.filter(wanted)
    if found.num_rows == 0:
        return
    if columns is not None:
        found = found.select([name for name in found.schema.names if name in columns])
    yield from found.combine_chunks().to_batches() if isinstance(found, pa.Table) else [found]


def _holds(file: pq.ParquetFile, group: int, trace_id: bytes) -> bool:
    ids = file.read_row_group(group, columns=["trace_id"], use_threads=False)
    return next(of_trace(ids, trace_id, None), None) is not None
