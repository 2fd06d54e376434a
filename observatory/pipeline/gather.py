"""Which rows of the journal and of held segments go where: to ordinary segments, to held ones, or nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from observatory.contracts import OpenRecord, Segment
from observatory.model.signal import Signal
from observatory.pipeline.sampling.decisions import DROPPED, Found
from observatory.pipeline.sampling.keepall import counts_of
from observatory.pipeline.sampling.sampling import SAMPLED, Moment
from observatory.pipeline.sampling.verdict import verdict_columns
from observatory.semconv.logevents import follows_trace
from observatory.storage import records

HELD = "held"
"""The tier of rows whose trace is not decided."""

_AT_ONCE = 2 << 20
"""Bytes of compressed records that are asked about together: some 6,000 spans."""

Place = tuple[str | None, pa.RecordBatch]
"""Rows for the tier `held`, or (None) for whatever tier their times say."""


def of_records(moment: Moment, signal: Signal, open_records: Iterable[OpenRecord]) -> Iterator[Place]:
    """Where the rows of open records of one signal go.

    Spans are asked about many records at once, and only the ids are decompressed of a record of which nothing stays.
    """
    if signal is not Signal.SPANS or moment.decisions is None:
        for record in open_records:
            rows = records.read(record)
            yield from of_rows(moment, signal, rows) if signal in SAMPLED else [(None, rows)]
        return
    for together in _groups(open_records):
        opened = [records.load(record) for record in together]
        ids = [each.rows(["trace_id"]).column("trace_id") for each in opened]
        waits, found = moment.fates(pa.concat_arrays(ids))
        first = 0
        for each, its in zip(opened, ids, strict=True):
            part = slice(first, first + len(its))
            first += len(its)
            if (waits[part] | (found.what[part] != DROPPED)).any():
                yield from _placed(moment, signal, each.rows(), waits[part], found.rows(part))


def of_rows(moment: Moment, signal: Signal, rows: pa.RecordBatch) -> Iterator[Place]:
    """Where sampled rows go. Those dropped are in no place."""
    if moment.decisions is None:
        yield None, _all_kept(rows) if signal is Signal.SPANS else rows
        return
    if signal is Signal.LOGS:
        mine = np.asarray(follows_trace(rows))
        if not mine.all():
            yield None, rows.filter(pa.array(~mine))
            rows = rows.filter(pa.array(mine))
        if not rows.num_rows:
            return
    yield from _placed(moment, signal, rows, *moment.fates(rows.column("trace_id")))


def of_segment(data_dir: Path, moment: Moment, segment: Segment) -> Iterator[Place]:
    """Where the rows of a held segment go, a row group at a time."""
    with pq.ParquetFile(data_dir / segment.uri) as file:
        for group in range(file.num_row_groups):
            for batch in file.read_row_group(group, use_threads=False).combine_chunks().to_batches():
                yield from of_rows(moment, segment.signal, batch)


def _groups(open_records: Iterable[OpenRecord]) -> Iterator[list[OpenRecord]]:
    """Records of about `_AT_ONCE` bytes together."""
    group: list[OpenRecord] = []
    size = 0
    for record in open_records:
        group.append(record)
        size += record.length
        if size >= _AT_ONCE:
            yield group
            group, size = [], 0
    if group:
        yield group


def _placed(moment: Moment, signal: Signal, rows: pa.RecordBatch, waits: np.ndarray, found: Found) -> Iterator[Place]:
    """Rows by what is known of their traces."""
    assert moment.decisions is not None
    kept = np.flatnonzero(~waits & (found.what != DROPPED))
    if len(kept):
        chosen = rows if len(kept) == rows.num_rows else rows.take(pa.array(kept))
        if signal is Signal.SPANS:
            chosen = _with(chosen, *verdict_columns(moment.decisions, found.threshold[kept], found.by[kept]))
        yield None, chosen
    if waits.any():
        yield HELD, rows.filter(pa.array(waits))


def _all_kept(spans: pa.RecordBatch) -> pa.RecordBatch:
    return _with(spans, pa.array(counts_of(spans)), spans.column("decided_by"))


def _with(spans: pa.RecordBatch, counts: pa.Array, by: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*spans.columns[:-2], counts, by], schema=spans.schema)
