"""The cut: rows move from the journal to Parquet segments, what was derived of them with them, in one manifest transaction.

A thread of its own, at low priority, that holds one row group in memory. Killed at any instruction it leaves files that the next start
sweeps.
"""

from __future__ import annotations

import itertools
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
from observatory.model.position import seq_of
from observatory.model.schema import time_column
from observatory.model.signal import RECEIVED, Signal
from observatory.pipeline.config import CutConfig
from observatory.pipeline.cpu import CpuSeconds
from observatory.pipeline.gather import HELD, Place, of_records, of_segment
from observatory.pipeline.open_rows import OpenRecords, Pending
from observatory.pipeline.sampling.sampling import SAMPLED, Moment, Sampling
from observatory.storage import rollups, traces
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
        sampling: Sampling,
        registry: CollectorRegistry,
    ) -> None:
        self._config, self._data_dir, self._manifest, self._open = config, data_dir, manifest, open_rows
        self._before_swap, self._release, self._cpu = before_swap, release, cpu
        self._sampling = sampling
        self._due = threading.Event()
        self._cutting = threading.Lock()  # two cuts at once would store rows twice
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._now: Nanos = 0
        self._retry_at: Nanos = 0
        self._cut_at: Nanos = 0
        self._swaps = 0
        self._moment: tuple[int, Moment] | None = None  # of the cut that is due or running, and how many there were before
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
        """Called about twice a second: look whether a cut is due, and let the journal forget what no reader holds any more.

        Returns what waits to be cut.
        """
        self._now = now
        upto, measured = self._manifest.pinned()
        self._open.forget(upto, measured)
        self._sampling.forget(upto)
        self._release(upto)
        pending = self._open.pending(self._manifest.checkpoint)
        if now >= self._retry_at and self._moment is None and self._is_due(now, pending.oldest):
            # here, and not in the cut's thread: it has a low priority, and would hold up the stages while it looks at them
            self._moment = self._swaps, self._sampling.moment(self._manifest.checkpoint)
            self._due.set()
        return pending

    def _is_due(self, now: Nanos, oldest: Nanos | None) -> bool:
        age = self._config.segment_age_s * SECOND
        if abs(now - self._cut_at) >= age and self._decided_in_held():  # also where nothing arrives any more
            return True
        if oldest is None:
            return False
        fresh = self._open.pending(seq_of(self._manifest.measured))
        full = fresh.bytes * SEGMENT_SHARE >= self._config.segment_bytes or fresh.bytes >= self._config.open_bytes
        # rows from far in the future came before the clock was set back and the server started again
        return full or (abs(now - oldest) >= age and abs(now - self._cut_at) >= age)

    def _decided_in_held(self) -> bool:
        """Traces with rows in held segments are decided: until a cut gathers them, those that were dropped are seen."""
        held = self._sampling.sampler.tally.held_decided > 0
        return held and any(s.tier == HELD for signal in SAMPLED for s in self._manifest.live(signal))

    def cut(self) -> int:
        """Cut everything that is cuttable now; the number of rows cut. OSError when the disk is full: nothing is half-visible then."""
        with self._cutting, self._cpu.of("cut"):
            return self._cut(self._sampling.moment(self._manifest.checkpoint))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Cut what is cuttable, and derive and cut nothing until the block ends. Raises as `cut` does."""
        with self._cutting, self._sampling.filing:  # in this order: a cut takes both
            self._cut(self._sampling.moment(self._manifest.checkpoint))
            yield

    def _cut(self, moment: Moment) -> int:
        after, measured = self._manifest.checkpoint, self._manifest.measured
        upto, gathers = moment.checkpoint, self._gathers(moment)
        self._cut_at = self._now
        if moment.position <= measured and upto <= after and not gathers:
            return 0
        began = perf_counter()
        wanted = [r for r in self._open.records(after) if r.seq <= upto]
        writers: list[SegmentWriter] = []
        try:
            self._write_received(writers, moment, wanted, gathers)
            derived = self._open.derived_rows(measured, moment.position)
            for signal, together in DERIVED.items():
                rows = derived.of(signal)
                if rows.num_rows:
                    added_up = together(rows)
                    batches = added_up.to_batches() if isinstance(added_up, pa.Table) else [added_up]
                    self._write(writers, signal, seq_of(moment.position), ((None, batch) for batch in batches))
            added = [segment for writer in writers if (segment := writer.finish())]
            self._before_swap()
            self._sampling.save(moment)
        except BaseException:
            for writer in writers:
                writer.abort()
            raise
        self._manifest.swap(Swap(added, [s.id for s in gathers], checkpoint=upto, measured=moment.position))
        self._swaps += 1
        self._sampling.settle(moment, bool(gathers))
        return self._account(wanted, added, perf_counter() - began)

    def _gathers(self, moment: Moment) -> list[Segment]:
        """Held segments, when a trace with rows in them is decided."""
        gathers = moment.decisions is None or moment.held_decided
        return [s for signal in SAMPLED for s in self._manifest.live(signal) if s.tier == HELD] if gathers else []

    def _write_received(
        self, writers: list[SegmentWriter], moment: Moment, wanted: Sequence[OpenRecord], gathers: Sequence[Segment]
    ) -> None:
        for signal in RECEIVED:
            before = (of_segment(self._data_dir, moment, s) for s in gathers if s.signal is signal)
            fresh = of_records(moment, signal, (r for r in wanted if r.signal is signal))
            self._write(writers, signal, moment.checkpoint, itertools.chain(itertools.chain.from_iterable(before), fresh))

    def _account(self, wanted: Sequence[OpenRecord], added: Sequence[Segment], seconds: float) -> int:
        for record in wanted:
            self._rows.labels(str(record.signal)).inc(record.rows)
        self._seconds.inc(seconds)
        rows, size = sum(r.rows for r in wanted), sum(s.bytes for s in added)
        log.info("cut %d rows into %d segments, %.1f MB, in %.2f s", rows, len(added), size / 1e6, seconds)
        return rows

    def _write(self, writers: list[SegmentWriter], signal: Signal, upto: int, places: Iterable[Place]) -> None:
        """Write rows near their arrival to one segment, those dated far from it to another, held ones to a third.

        The writers join `writers` at once.
        """
        by_tier: dict[str, SegmentWriter] = {}
        for place, batch in places:
            if self._stopping:
                raise _Interrupted
            for tier, rows in self._by_skew(signal, batch) if place is None else [(place, batch)]:
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
                with self._cutting, self._cpu.of("cut"):
                    if self._moment is not None and self._moment[0] == self._swaps:  # none was made meanwhile by other means
                        self._cut(self._moment[1])
                self.last_error = None
            except _Interrupted:
                return
            except Exception as error:
                self.last_error = f"{type(error).__name__}: {error}"
                self._failures.inc()
                self._retry_at = self._now + RETRY
                log.exception("the cut failed; its rows stay in the journal and it will be tried again")
            finally:
                self._moment = None


class _Interrupted(Exception):
    """The server stops; the cut is made again after its next start."""
