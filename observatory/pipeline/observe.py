"""After the acknowledgement: durable rows are findable at once, and go through the stages (summarise; later measure and sample).

Stages tick every 250 ms or 32,000 rows. What they derive is filed under the last record it covers, and a cut always ends at such a record,
so that rows and what was derived of them reach segments together. Whoever listens hears of the rows first, and must return at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pyarrow as pa

from observatory.contracts import Stage
from observatory.model.batch import Batch
from observatory.model.clock import SECOND, Clock, Nanos
from observatory.model.signal import Signal
from observatory.pipeline.ingest import Durable
from observatory.pipeline.open_rows import OpenRecords

INTERVAL = SECOND // 4
ROWS = 32_768


class Observe:
    """The ingest loop's `Observer`: `found` in the journal's thread, the rest in a thread of its own."""

    def __init__(
        self,
        open_rows: OpenRecords,
        stages: Sequence[Stage],
        clock: Clock,
        ticked: Callable[[Nanos], None],
        hear: Callable[[Signal, pa.RecordBatch], None] = lambda *_: None,
    ) -> None:
        self._open, self._stages, self._clock, self._ticked, self._hear = open_rows, stages, clock, ticked, hear
        self._derived: list[Batch] = []
        self._seq = self._rows = 0
        self._last: Nanos = 0
        self.filing = threading.Lock()
        """Held while stages give and what they gave is filed: whoever takes it finds nothing on its way."""

    def found(self, durable: list[Durable]) -> None:
        """Let readers find the records."""
        for item in durable:
            self._open.add(item.record, item.rows)

    def __call__(self, durable: list[Durable]) -> None:
        """Put records through the stages; tick when it is time."""
        now = self._clock.now()
        for item in durable:
            self._hear(item.record.signal, item.rows)
            for stage in self._stages:
                self._derived.extend(stage.process(Batch(item.record.signal, item.rows, item.record.seq), now))
            self._seq = item.record.seq
            self._rows += item.record.rows
        if self._rows >= ROWS or now - self._last >= INTERVAL:
            self.tick(now)

    def tick(self, now: Nanos) -> None:
        """Let every stage give what is ready, and file it."""
        self._last = now
        with self.filing:
            for stage in self._stages:
                self._derived.extend(stage.tick(now))
            if self._rows:
                self._open.derived(self._seq, self._derived)
                self._derived, self._rows = [], 0
        self._ticked(now)
