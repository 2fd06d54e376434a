"""The stage that keeps the trace list live: spans in, one row for each of their traces out."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from observatory.contracts import StageCounts
from observatory.model.batch import Batch
from observatory.model.clock import Nanos
from observatory.model.signal import Signal
from observatory.storage.traces import SPAN_COLUMNS, summarize


class Summarize:
    """Holds the few columns it needs of spans until the next tick, because grouping 32,000 rows at once costs a tenth of grouping 500."""

    def __init__(self) -> None:
        self._held: list[pa.RecordBatch] = []
        self._taken = self._given = 0

    def process(self, batch: Batch, now: Nanos) -> Iterable[Batch]:
        """Take spans; other signals are none of its business and not counted."""
        if batch.signal is Signal.SPANS:
            self._held.append(batch.rows.select(SPAN_COLUMNS))
            self._taken += batch.rows.num_rows
        return ()

    def tick(self, now: Nanos) -> Iterable[Batch]:
        """Give the traces of all spans held."""
        return self.drain(now)

    def drain(self, now: Nanos) -> Iterable[Batch]:
        """Give the traces of all spans held."""
        held, self._held = self._held, []
        self._given = self._taken
        return [Batch(Signal.TRACES, summarize(pa.Table.from_batches(held)))] if held else ()

    def counts(self) -> StageCounts:
        """Rows are input rows: a span is given when its trace's row was."""
        return StageCounts(self._taken, self._given, {}, self._taken - self._given)
