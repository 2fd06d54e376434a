"""Which rows of the journal and of held segments go where: to ordinary segments, to held ones, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from observatory.contracts import OpenRecord, Segment
from observatory.model.signal import Signal
from observatory.pipeline.sampling.decisions import DROPPED
from observatory.pipeline.sampling.keepall import counts_of
from observatory.pipeline.sampling.sampling import SAMPLED, Moment
from observatory.pipeline.sampling.verdict import verdict_columns
from observatory.semconv.logevents import follows_trace
from observatory.storage import records

HELD = "held"
"""The tier of rows whose trace is not decided."""

Place = tuple[str | None, pa.RecordBatch]
"""Rows for the tier `held`, or (None) for whatever tier their times say."""


def of_record(moment: Moment, record: OpenRecord) -> Iterator[Place]:
    """Where the rows of an open record go. Only ids are read of a record of which nothing is kept."""
    if record.signal not in SAMPLED:
        yield None, records.read(record)
        return
    if moment.decisions is not None and record.signal is Signal.SPANS:
        waits, found = moment.fates(records.read(record, ["trace_id"]).column("trace_id"))
        if not (waits | (found.what != DROPPED)).any():
            return
    yield from of_rows(moment, record.signal, records.read(record))


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
    waits, found = moment.fates(rows.column("trace_id"))
    kept = np.flatnonzero(~waits & (found.what != DROPPED))
    if len(kept):
        chosen = rows if len(kept) == rows.num_rows else rows.take(pa.array(kept))
        if signal is Signal.SPANS:
            chosen = _with(chosen, *verdict_columns(moment.decisions, found.threshold[kept], found.by[kept]))
        yield None, chosen
    if waits.any():
        yield HELD, rows.filter(pa.array(waits))


def of_segment(data_dir: Path, moment: Moment, segment: Segment) -> Iterator[Place]:
    """Where the rows of a held segment go, a row group at a time."""
    with pq.ParquetFile(data_dir / segment.uri) as file:
        for group in range(file.num_row_groups):
            for batch in file.read_row_group(group, use_threads=False).combine_chunks().to_batches():
                yield from of_rows(moment, segment.signal, batch)


def _all_kept(spans: pa.RecordBatch) -> pa.RecordBatch:
    return _with(spans, pa.array(counts_of(spans)), spans.column("decided_by"))


def _with(spans: pa.RecordBatch, counts: pa.Array, by: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*spans.columns[:-2], counts, by], schema=spans.schema)
