"""After the acknowledgement: durable rows are findable at once, and go through the stages (summarise, sum up, measure, sample).

Stages tick every half second or 65,000 rows, because a tick costs some 15 ms whatever it holds. What they derive is filed under the last
record it covers, and a cut always ends at such a record, so that rows and what was derived of them reach segments together. Time is that
of the records: a tick falls between the same two records, at the same time, whenever the same records are replayed. Whoever listens hears
of the rows first, and must return at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa

from observatory.contracts import Stage
from observatory.model.batch import Batch
from observatory.model.clock import SECOND, Nanos
from observatory.model.signal import Signal
from observatory.pipeline.cpu import CpuSeconds
from observatory.pipeline.ingest import Durable
from observatory.pipeline.open_rows import OpenRecords
from observatory.pipeline.sampling.sampling import Sampling

INTERVAL = SECOND // 2
ROWS = 65_536
_FOR_SAMPLING = (Signal.TRACES, Signal.LLM_CALLS)


class Observe:
    """The ingest loop's `Observer`: `found` in the journal's thread, the rest in a thread of its own.

    The sampler is the last stage: rows of traces go through it, and calls are shown to it. `hear` is told of rows before any stage
    is, also of those that sampling will drop.
    """

    def __init__(
        self,
        open_rows: OpenRecords,
        stages: Sequence[Stage],
        sampling: Sampling,
        cpu: CpuSeconds,
        ticked: Callable[[Nanos], None],
        hear: Callable[[Signal, pa.RecordBatch], None] = lambda *_: None,
    ) -> None:
        self._open, self._stages, self._sampler, self._cpu = open_rows, stages, sampling.sampler, cpu
        self._ticked, self._hear = ticked, hear
        self._derived: list[Batch] = []
        self._seq = self._rows = 0
        self.last: Nanos = 0
        """The time of the last tick."""
        self._filing, self._catch_up, self._undecided = sampling.filing, sampling.catch_up, sampling.sampler.open.listing

    def resume(self, seq: int, now: Nanos) -> None:
        """Before the first record: what comes next was received later than `now`, and follows record `seq`."""
        self._seq, self.last = seq, now

    def found(self, durable: list[Durable]) -> None:
        """Let readers find the records."""
        for item in durable:
            self._open.add(item.record, item.rows)

    def __call__(self, durable: list[Durable], upto: Nanos) -> None:
        """Put records through the stages, and tick when it is time. No record received before `upto` is still to come."""
        for item in durable:
            self._pass(item.record.received_at)
            self._hear(item.record.signal, item.rows)
            for stage in (*self._stages, self._sampler):
                with self._cpu.of(stage):
                    given = list(stage.process(Batch(item.record.signal, item.rows, item.record.seq), item.record.received_at))
                self._take(given, item.record.received_at)
            self._seq = item.record.seq
            self._rows += item.record.rows
            if self._rows >= ROWS:
                self.tick(item.record.received_at)
        self._pass(upto)

    def tick(self, now: Nanos) -> None:
        """Let every stage give what is ready, and file it."""
        self.last = now
        with self._filing:
            self._catch_up()
            for stage in self._stages:
                with self._cpu.of(stage):
                    given = list(stage.tick(now))
                self._take(given, now)
            with self._cpu.of(self._sampler):
                self._derived.extend(self._sampler.tick(now))
            self._open.derived(self._seq, self._derived, self._undecided())
            self._derived, self._rows = [], 0
        self._ticked(now)

    def _pass(self, now: Nanos) -> None:
        """The ticks that fall before `now`."""
        while now - self.last >= INTERVAL:
            self.tick(self.last + INTERVAL)

    def _take(self, given: Iterable[Batch], now: Nanos) -> None:
        for batch in given:
            if batch.signal in _FOR_SAMPLING:
                self._derived.extend(self._sampler.process(batch, now))
            if batch.signal is not Signal.TRACES:
                self._derived.append(batch)
