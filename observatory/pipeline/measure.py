"""The stage that measures every call: spans in; rows of `llm_calls`, their sums by minute, and what their traces are told, out.

It runs before sampling and sees every span, so its numbers do not depend on what is kept. Spans wait for the next tick, because grouping
32,000 rows costs a tenth of grouping 500.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa

from observatory.contracts import StageCounts
from observatory.model.batch import Batch
from observatory.model.clock import Nanos
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.pipeline.counting.counting import Counted, Counting
from observatory.pipeline.counting.rows import trace_changes
from observatory.semconv.calls import read_calls, read_identity
from observatory.semconv.outcomes import outcome_events, read_outcomes
from observatory.storage.traces import fold

LINKS = ("trace_id", "span_id", "parent_span_id")
_LINKS = pa.schema([schema(Signal.SPANS).field(name) for name in LINKS])
Sums = Callable[[pa.Table, np.ndarray], pa.RecordBatch]
"""Rows of calls and their signs (+1, -1) to rows of `schema(LLM_ROLLUPS)`."""
Watch = Callable[[pa.Table, np.ndarray], None]


class Measure:
    """Holds the spans of a tick. `adopt` may be called from another thread, the rest from one."""

    def __init__(self, counting: Counting, sums: Sums, watch: Watch) -> None:
        self._counting, self._sums, self._watch = counting, sums, watch
        self._held: list[pa.RecordBatch] = []
        self._events: list[pa.RecordBatch] = []
        self._taken = self._calls = self._others = 0
        self._lock = threading.Lock()

    def process(self, batch: Batch, now: Nanos) -> Iterable[Batch]:
        """Take spans, and of log records those that say how a call ended; only spans are counted."""
        if batch.signal is Signal.SPANS:
            self._held.append(batch.rows)
            self._taken += batch.rows.num_rows
        elif batch.signal is Signal.LOGS and (events := outcome_events(batch.rows)).num_rows:
            self._events.append(events)
        return ()

    def tick(self, now: Nanos) -> Iterable[Batch]:
        """Give what the spans held say, and the revisions they cause."""
        return self.drain(now)

    def drain(self, now: Nanos) -> Iterable[Batch]:
        """The same."""
        held, self._held = self._held, []
        events, self._events = self._events, []
        if not held and not events:
            return ()
        spans = pa.Table.from_batches([rows.select(LINKS) for rows in held], _LINKS).combine_chunks()
        candidates, said, ended = read_calls(held), read_identity(held), read_outcomes(events)
        with self._lock:
            counted = self._counting.step(spans, candidates, said, ended, now)
        self._others += spans.num_rows - candidates.num_rows
        self._calls += candidates.num_rows
        return list(self._said(counted))

    def adopt(self, calls: pa.Table) -> None:
        """Rows that were revised elsewhere (at new prices) are the latest now."""
        with self._lock:
            self._counting.adopt(calls)

    def changes(self, calls: pa.Table, signs: np.ndarray) -> Iterable[Batch]:
        """What sums by minute and traces are told of calls that count from now on (+1) or no longer (-1)."""
        yield Batch(Signal.LLM_ROLLUPS, self._sums(calls, signs))
        yield Batch(Signal.TRACES, fold(pa.Table.from_batches([trace_changes(calls, signs)])))

    def recall(self, links: pa.Table, calls: pa.Table, now: Nanos) -> None:
        """After a restart, before the first `process`: what was published of the last minutes."""
        self._counting.recall(links, calls, now)

    def counts(self) -> StageCounts:
        """Rows are input rows: a candidate is given as its first row of `llm_calls`, unless it was received before; others are dropped."""
        dropped = {"no_call": self._others, "received_before": self._counting.duplicates}
        given = self._calls - self._counting.duplicates
        return StageCounts(self._taken, given, dropped, self._taken - given - sum(dropped.values()))

    def _said(self, counted: Counted) -> Iterable[Batch]:
        if counted.calls.num_rows:
            yield Batch(Signal.LLM_CALLS, _batch(counted.calls))
        if counted.changes.num_rows:
            self._watch(counted.changes, counted.signs)
            yield from self.changes(counted.changes, counted.signs)


def _batch(rows: pa.Table) -> pa.RecordBatch:
    return rows.combine_chunks().to_batches()[0]
