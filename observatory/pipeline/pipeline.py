"""The pipeline as one thing: journal, ingest loop, stages and cut, recovered from disk at start."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from prometheus_client import CollectorRegistry, Gauge

from observatory.contracts import Decoder, OpenRecord, Stage
from observatory.model.clock import SECOND, Clock, Nanos
from observatory.model.position import seq_of
from observatory.model.signal import Signal
from observatory.pipeline.config import CutConfig, IngestConfig, JournalConfig
from observatory.pipeline.cpu import CpuSeconds
from observatory.pipeline.cut import Cut
from observatory.pipeline.ingest import Durable, Ingest
from observatory.pipeline.journal import Journal
from observatory.pipeline.observe import Observe
from observatory.pipeline.open_rows import OpenRecords, Pending
from observatory.pipeline.rate import Rate
from observatory.pipeline.resends import Resends
from observatory.pipeline.sampling.sampler import Sampler
from observatory.pipeline.sampling.sampling import Sampling, wake
from observatory.storage import records
from observatory.storage.manifest import Manifest

log = logging.getLogger(__name__)


class Pipeline:
    """Owns the journal directory of a data directory. `ingest` is the sink, `open_rows` what is not yet in segments; `hear` is told of rows
    as they become durable."""

    def __init__(
        self,
        data_dir: Path,
        ingest: IngestConfig,
        journal: JournalConfig,
        cut: CutConfig,
        manifest: Manifest,
        decoders: dict[Signal, Decoder],
        before: Sequence[Stage],
        stages: Sequence[Stage],
        sampler: Sampler,
        clock: Clock,
        registry: CollectorRegistry,
        hear: Callable[[Signal, pa.RecordBatch], None] = lambda *_: None,
    ) -> None:
        self._directory = data_dir / "journal"
        self._manifest, self._clock, self._config = manifest, clock, cut
        self.journal = Journal(self._directory, journal)
        self.open_rows = OpenRecords()
        self.resends = Resends(int(ingest.resend_window_s * SECOND), ingest.resend_window_entries)
        self.cpu = CpuSeconds(registry)
        self.sampling = Sampling(sampler, self._directory, self.open_rows, int(cut.hold_after_s * SECOND))
        self.open_rows.dropped = self.sampling.hidden
        self._cut = Cut(
            cut, data_dir, manifest, self.open_rows, self._save_resends, self.journal.release, self.cpu, self.sampling, registry
        )
        self._observe = Observe(self.open_rows, stages, self.sampling, self.cpu, self._ticked, hear)
        self.ingest = Ingest(ingest, self.journal, decoders, before, self.resends, self._observe, clock, self.cpu, registry)
        self._codec, self._rate = journal.codec, Rate()
        Gauge("observatory_journal_bytes", "Disk taken by the journal", registry=registry).set_function(lambda: self.journal.bytes)
        Gauge("observatory_journal_damaged", "Damaged places found in the journal at start", registry=registry).set_function(
            lambda: self.journal.damaged
        )

    async def start(self) -> None:
        """Recover what the journal holds, then take exports. Raises CannotStart when the journal cannot be read."""
        recovered = self.journal.recover(self._manifest.checkpoint)
        self.resends.load(self._directory / "resends.bin")
        self.resends.restore(recovered.digests)
        self._replay(recovered.open)
        if recovered.open:
            log.info("recovered %d rows in %d records from the journal", sum(r.rows for r in recovered.open), len(recovered.open))
        self._cut.start()
        await self.ingest.start()

    def _replay(self, open_records: Sequence[OpenRecord]) -> None:
        """Put through the stages what no swap says is measured, at the times it came; then time goes on from now."""
        measured = self._manifest.measured
        self.open_rows.resume(measured)
        self.sampling.start(measured)
        fresh = [record for record in open_records if record.seq > seq_of(measured)]
        self._observe.resume(seq_of(measured), self.sampling.sampler.now or (fresh[0].received_at if fresh else self._clock.now()))
        for record in open_records:
            rows = records.read(record)
            durable = [Durable(record, rows)]
            self._observe.found(durable)
            if record.seq > seq_of(measured):
                self._observe(durable, record.received_at)
            else:
                self.sampling.hide(record, rows)
        now = self._clock.now()
        wake(self.sampling.sampler, now)
        self._observe.tick(now)

    async def stop(self) -> None:
        """Finish what was taken; what is open stays in the journal for the next start."""
        await self.ingest.stop()
        self._cut.stop()
        self.journal.close()

    def cut(self) -> int:
        """Cut now what is cuttable; the number of rows."""
        return self._cut.cut()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Everything derived so far is in segments, and nothing is derived or cut until the block ends. Exports are taken meanwhile."""
        with self._cut.alone():
            yield

    def status(self) -> dict[str, Any]:
        """For `GET /api/v1/status`."""
        pending = self.open_rows.pending(self._manifest.checkpoint)
        now = self._clock.now()
        return {
            "cpu_seconds": self.cpu.seconds(),
            "ingest": {"spans_per_s": round(self._rate.per_second, 1), **self.ingest.status()},
            "journal": {
                "bytes": self.journal.bytes,
                "files": self.journal.files,
                "codec": self._codec,
                "seq": self.journal.seq,
                "checkpoint": self._manifest.checkpoint,
                "open_records": pending.records,
                "open_rows": pending.rows,
                "open_bytes": pending.bytes,
                "oldest_open_s": round((now - pending.oldest) / SECOND, 3) if pending.oldest is not None else 0,
                "damaged": self.journal.damaged,
                "cut_error": self._cut.last_error,
            },
        }

    def _ticked(self, now: Nanos) -> None:
        self._rate.note(now, self.ingest.spans)
        self.ingest.refuse(self._overloaded(self._cut.ticked(now)))

    def _overloaded(self, pending: Pending) -> str | None:
        """Why nothing may be taken now; asked twice a second, so that it ends by itself."""
        if pending.bytes > self._config.max_open_bytes:
            return f"the journal holds {pending.bytes >> 20} MiB that are not yet in segments; the disk or the processor is too slow"
        return self.journal.probe()

    def _save_resends(self) -> None:
        self.resends.save(self._directory / "resends.bin", self._clock.now())
