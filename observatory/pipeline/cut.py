"""The cut: rows move from the journal to Parquet segments, what was derived of them with them, in one manifest transaction.

A thread of its own, at low priority, that holds one row group in memory. Killed at any instruction it leaves files that the next start
sweeps.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

import pyarrow as pa
from prometheus_client import CollectorRegistry, Counter

from observatory.contracts import OpenRecord, Segment, Swap
from observatory.model import priority
from observatory.model.clock import HOUR, SECOND, Nanos
from observatory.model.schema import time_column
from observatory.model.signal import RECEIVED, Signal
from observatory.pipeline.config import CutConfig
from observatory.pipeline.cpu import CpuSeconds
from observatory.pipeline.open_rows import OpenRecords, Pending
from observatory.storage import records, rollups, traces
from observatory.storage.manifest import Manifest
from observatory.storage.segment import SegmentWriter

log = logging.getLogger(__name__)

RETRY = 5 * SECOND  # after a failed cut; a full disk does not empty faster
SEGMENT_SHARE = 0.2  # bytes of segment for a byte of rows in memory, a fixed estimate: 171 B of some 850 for believable spans
DERIVED: dict[Signal, Callable[[pa.Table], pa.RecordBatch | pa.Table]] = {
    Signal.TRACES: traces.fold,
    Signal.LLM_CALLS: lambda rows: rows,  # views look for the latest revision; folding here cost 2 µs and 1.5 kB a call
    Signal.SPAN_ROLLUPS: partial(rollups.fold, Signal.SPAN_ROLLUPS),
    Signal.LLM_ROLLUPS: partial(rollups.fold, Signal.LLM_ROLLUPS),
}
"""Derived signals that are stored, and how rows of one cut are added together."""


class Cut:
    """Decides when to cut, and cuts. `before_swap` must make durable what the journal will forget besides rows."""

    def __init__(
        self,
        config: CutConfig,
        data_dir: Path,
        manifest: Manifest,
        open_rows: OpenRecords,
        before_swap: Callable[[], None],
        release: Callable[[int], None],
        cpu: CpuSeconds,
        registry: CollectorRegistry,
    ) -> None:
        self._config, self._data_dir, self._manifest, self._open = config, data_dir, manifest, open_rows
        self._before_swap, self._release, self._cpu = before_swap, release, cpu
        self._due = threading.Event()
        self._cutting = threading.Lock()  # two cuts at once would store rows twice
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._now: Nanos = 0
        self._retry_at: Nanos = 0
        self.last_error: str | None = None
        self._rows = Counter("observatory_cut_rows", "Rows moved from the journal to segments", ["signal"], registry=registry)
        self._seconds = Counter("observatory_cut_seconds", "Time spent cutting", registry=registry)
        self._failures = Counter("observatory_cut_failures", "Cuts that failed and will be tried again", registry=registry)

    def start(self) -> None:
        """Begin to cut when it is due."""
        self._thread = threading.Thread(target=self._run, name="cut", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give up the cut that is running, if any. What is open stays in the journal, where the next start finds it."""
        self._stopping = True
        self._due.set()
        if self._thread:
            self._thread.join()

    def ticked(self, now: Nanos) -> Pending:
        """Called about four times a second: look whether a cut is due, and let the journal forget what no reader holds any more.

        Returns what waits to be cut.
        """
        self._now = now
        upto = self._manifest.pinned_checkpoint()
        self._open.forget(upto)
        self._release(upto)
        pending = self._open.pending(self._manifest.checkpoint)
        if pending.oldest is None or now < self._retry_at:
            return pending
        full = pending.bytes * SEGMENT_SHARE >= self._config.segment_bytes or pending.bytes >= self._config.open_bytes
        # rows from far in the future came before the clock was set back and the server started again
        if full or abs(now - pending.oldest) >= self._config.segment_age_s * SECOND:
            self._due.set()
        return pending

    def cut(self) -> int:
        """Cut everything that is cuttable now; the number of rows cut. OSError when the disk is full: nothing is half-visible then."""
        with self._cutting, self._cpu.of("cut"):
            return self._cut()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Cut what is cuttable, and make no cut until the block ends. Raises as `cut` does."""
        with self._cutting:
            self._cut()
            yield

    def _cut(self) -> int:
        after, upto = self._manifest.checkpoint, self._open.cuttable
        if upto <= after:
            return 0
        began = perf_counter()
        wanted = [r for r in self._open.records(after) if r.seq <= upto]
        writers: list[SegmentWriter] = []
        try:
            for signal in RECEIVED:
                self._write(writers, signal, upto, (records.read(r) for r in wanted if r.signal is signal))
            derived = self._open.derived_rows(after, upto)
            for signal, together in DERIVED.items():
                rows = derived.of(signal)
                if rows.num_rows:
                    added_up = together(rows)
                    self._write(writers, signal, upto, added_up.to_batches() if isinstance(added_up, pa.Table) else [added_up])
            added = [segment for writer in writers if (segment := writer.finish())]
            self._before_swap()
        except BaseException:
            for writer in writers:
                writer.abort()
            raise
        self._manifest.swap(Swap(add=added, checkpoint=upto))
        return self._account(wanted, added, perf_counter() - began)

    def _account(self, wanted: Sequence[OpenRecord], added: Sequence[Segment], seconds: float) -> int:
        for record in wanted:
            self._rows.labels(str(record.signal)).inc(record.rows)
        self._seconds.inc(seconds)
        rows, size = sum(r.rows for r in wanted), sum(s.bytes for s in added)
        log.info("cut %d rows into %d segments, %.1f MB, in %.2f s", rows, len(added), size / 1e6, seconds)
        return rows

    def _write(self, writers: list[SegmentWriter], signal: Signal, upto: int, batches: Iterable[pa.RecordBatch]) -> None:
        """Write rows near their arrival to one segment and those dated far from it to another; the writers join `writers` at once."""
        by_tier: dict[str, SegmentWriter] = {}
        for batch in batches:
            if self._stopping:
                raise _Interrupted
            for tier, rows in self._by_skew(signal, batch):
                if tier not in by_tier:
                    by_tier[tier] = SegmentWriter(self._data_dir, self._manifest.next_id(), signal, tier=tier, journal_upto=upto)
                    writers.append(by_tier[tier])
                by_tier[tier].write(rows)

    def _by_skew(self, signal: Signal, rows: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        off = rows.column("received_at").to_numpy() - rows.column(time_column(signal)).to_numpy()
        limit = int(self._config.skew_hours * HOUR)
        near = (off <= limit) & (off >= -limit)
        if near.all():
            yield "hot", rows
            return
        if near.any():
            yield "hot", rows.filter(pa.array(near))
        yield "skewed", rows.filter(pa.array(~near))

    def _run(self) -> None:
        priority.lower(priority.CUT)
        while True:
            self._due.wait()
            self._due.clear()
            if self._stopping:
                return
            try:
                self.cut()
                self.last_error = None
            except _Interrupted:
                return
            except Exception as error:
                self.last_error = f"{type(error).__name__}: {error}"
                self._failures.inc()
                self._retry_at = self._now + RETRY
                log.exception("the cut failed; its rows stay in the journal and it will be tried again")


class _Interrupted(Exception):
    """The server stops; the cut is made again after its next start."""
