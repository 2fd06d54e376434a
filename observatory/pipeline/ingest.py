"""The one ingest loop: exports wait a few milliseconds, are decoded together, journaled together, and acknowledged together.

Three threads, each waiting for the one before, so that decoding, fsync and the stages overlap and none runs on the event loop:
`decode` (native, without the GIL), `journal` (write + fdatasync), `observe` (stages, summaries). An idle server decodes a request at once;
under load micro-batches start `window_ms` apart.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple, Protocol

import pyarrow as pa
import xxhash
from prometheus_client import CollectorRegistry, Counter, Gauge

from observatory.contracts import Decoder, OpenRecord, Stage
from observatory.errors import ObservatoryError, Retryable
from observatory.model.batch import Batch, Export, Outcome, Reply
from observatory.model.clock import Clock, Nanos
from observatory.model.signal import RECEIVED, Signal
from observatory.pipeline.config import IngestConfig
from observatory.pipeline.cpu import CpuSeconds
from observatory.pipeline.handover import Handover
from observatory.pipeline.journal import Entry, Journal
from observatory.pipeline.resends import Resends, Seen
from observatory.storage.records import Digest

log = logging.getLogger(__name__)

_STOP = object()
OUTCOMES = ("taken", "duplicates", "refused", "malformed")
BULK_BYTES = 256 * 1024  # of a micro-batch: about 300 spans
AHEAD_ROWS = 65_536
"""The journal may be so far ahead of the stages: rows of a third of a second, some 60 MB. A tick of the stages takes as long, and the
acknowledgements of that time must not wait for it."""
TICK_S = 0.25
"""The observer is called at least this often, with nothing when nothing came."""


class Waiting(NamedTuple):
    """An export in the queue and the future its client waits on."""

    export: Export
    future: asyncio.Future[Reply]


@dataclass(slots=True)
class MicroBatch:
    """What is decoded, journaled and acknowledged together."""

    number: int
    received_at: Nanos
    entries: list[Entry] = field(default_factory=list)
    replies: list[tuple[Waiting, Reply | Exception]] = field(default_factory=list)  # answered once the entries are durable
    digests: list[Digest] = field(default_factory=list)
    claimed: list[bytes] = field(default_factory=list)  # bodies no other request may carry until these are settled or released


class Flight:
    """Micro-batches between their time of receipt and the stages: nothing older than the oldest of them can still come."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._flying: dict[int, Nanos] = {}
        self._number = 0

    def begin(self) -> tuple[int, Nanos]:
        """(number, time of receipt) of a new one."""
        with self._lock:
            self._number += 1
            self._flying[self._number] = now = self._clock.now()
            return self._number, now

    def end(self, number: int) -> None:
        """It went through the stages, or came to nothing."""
        with self._lock:
            self._flying.pop(number, None)

    def oldest(self) -> Nanos:
        """No record with an earlier time of receipt is still to come."""
        with self._lock:
            return min(self._flying.values(), default=None) or self._clock.now()


class Durable(NamedTuple):
    """A journaled record with the rows it holds, handed to whoever observes."""

    record: OpenRecord
    rows: pa.RecordBatch


class Observer(Protocol):
    """Who is told of durable records, in order."""

    def found(self, durable: list[Durable]) -> None:
        """Make records findable; called before their clients are answered, so that what is acknowledged can be read."""
        ...

    def __call__(self, durable: list[Durable], upto: Nanos) -> None:
        """Put records through the stages; called at least every `TICK_S`, then with none. None received before `upto` is still to come."""
        ...

    def tick(self, now: Nanos) -> None:
        """Let everything taken so far go through the stages now."""
        ...


class Ingest:
    """The `Sink` of the appliance: `put` returns when the export is fsynced. Stages `before` rewrite rows before they touch the disk."""

    def __init__(
        self,
        config: IngestConfig,
        journal: Journal,
        decoders: dict[Signal, Decoder],
        before: Sequence[Stage],
        resends: Resends,
        observe: Observer,
        clock: Clock,
        cpu: CpuSeconds,
        registry: CollectorRegistry,
    ) -> None:
        self._config, self._journal, self._decoders, self._before = config, journal, decoders, before
        self._resends, self._observe, self._clock, self._cpu = resends, observe, clock, cpu
        self._inbox: queue.SimpleQueue[Waiting | object] = queue.SimpleQueue()
        self._decoded: queue.Queue[MicroBatch | object] = queue.Queue(maxsize=2)
        self._durable: Handover[tuple[int, list[Durable]] | threading.Event | object] = Handover(AHEAD_ROWS)
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._flight = Flight(clock)
        self.queued_bytes = 0
        self.spans = 0  # made durable since start
        self._bulk = False
        self._running = False
        self._full: str | None = None
        self._rows = Counter("observatory_ingest_rows", "Rows made durable", ["signal"], registry=registry)
        self._rejected = Counter(
            "observatory_ingest_rejected_rows", "Rows refused by content (partial success)", ["signal"], registry=registry
        )
        self._requests = Counter("observatory_ingest_requests", "Export requests by outcome", ["outcome"], registry=registry)
        self._fsyncs = Counter("observatory_journal_fsyncs", "Micro-batches made durable", registry=registry)
        Gauge("observatory_ingest_queue_bytes", "Request bodies waiting to be durable", registry=registry).set_function(
            lambda: self.queued_bytes
        )

    async def start(self) -> None:
        """Begin to take exports."""
        self._loop = asyncio.get_running_loop()
        for name, target in (("decode", self._decode_loop), ("journal", self._journal_loop), ("observe", self._observe_loop)):
            thread = threading.Thread(target=target, name=f"ingest-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._running = True

    async def stop(self) -> None:
        """Refuse new exports, finish those that wait, and return when all of them are durable and observed."""
        self._running = False
        self._inbox.put(_STOP)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._threads.clear()

    async def put(self, export: Export) -> Reply:
        """Returns: durable. Raises `Retryable` when full or stopping, `Rejected` when the bytes cannot be decoded."""
        if (why := self.refusing) is not None:
            self._requests.labels("refused").inc()
            raise Retryable(why, after=5.0)
        size = len(export.body)
        if self.queued_bytes and self.queued_bytes + size > self._config.queue_bytes:
            self._requests.labels("refused").inc()
            raise Retryable(f"the ingest queue is full ({self._config.queue_bytes >> 20} MiB)", after=1.0)
        assert self._loop is not None
        waiting = Waiting(export, self._loop.create_future())
        self.queued_bytes += size
        waiting.future.add_done_callback(lambda _: self._left(size))  # not when the client leaves: its body still waits
        self._inbox.put(waiting)
        try:
            return await asyncio.shield(waiting.future)
        except asyncio.CancelledError:  # the client left; what becomes of its request is nobody's to hear
            waiting.future.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    def refuse(self, why: str | None) -> None:
        """Refuse exports because of `why` (a full disk); None takes them again."""
        if why != self._full:
            log.warning("refusing exports: %s", why) if why else log.info("taking exports again")
        self._full = why

    def quiesce(self) -> None:
        """Wait, off the event loop, until every record made durable so far went through the stages."""
        passed = threading.Event()
        self._durable.put(passed)
        passed.wait()

    @property
    def refusing(self) -> str | None:
        """Why exports are refused now; None while they are taken."""
        return self._full if self._running else "the server is starting or shutting down"

    def status(self) -> dict[str, int]:
        """Totals since start, for the status page."""

        requests = _totals(self._requests)
        return {
            **{str(signal): 0 for signal in RECEIVED},
            **_totals(self._rows),
            "rejected": sum(_totals(self._rejected).values()),
            "requests": sum(requests.values()),
            **dict.fromkeys(OUTCOMES, 0),
            **requests,
            "queue_bytes": self.queued_bytes,
            "queue_limit_bytes": self._config.queue_bytes,
        }

    def _left(self, size: int) -> None:
        self.queued_bytes -= size

    # --- decode thread ---

    def _decode_loop(self) -> None:
        started = 0.0
        ending = False
        while not ending:
            taken, ending = self._take(started)
            started = monotonic()
            if not taken:
                continue
            number, received_at = self._flight.begin()
            batch = MicroBatch(number, received_at)
            try:
                with self._cpu.of("decode"):
                    self._decode(taken, batch)
            except Exception as error:
                log.exception("a micro-batch of %d requests could not be decoded", len(taken))
                self._resends.release(batch.claimed)
                failure = Retryable(f"internal error while decoding: {error!r}", after=5.0)
                batch = MicroBatch(number, received_at, replies=[(w, failure) for w in taken])
            self._decoded.put(batch)
        self._decoded.put(_STOP)

    def _take(self, started: float) -> tuple[list[Waiting], bool]:
        """Wait for exports: the first at any time, more until the window since `started` is over or enough bytes wait."""
        taken: list[Waiting] = []
        size = 0
        config = self._config
        due = started + (config.bulk_window_ms if self._bulk else config.window_ms) / 1000
        while size < config.batch_bytes:
            wait = None if not taken else due - monotonic() if size < config.ready_bytes else 0.0
            try:
                item = self._inbox.get(timeout=wait) if wait is None or wait > 0 else self._inbox.get_nowait()
            except queue.Empty:
                break
            if not isinstance(item, Waiting):
                return taken, True
            taken.append(item)
            size += len(item.export.body)
        self._bulk = size >= BULK_BYTES
        return taken, False

    def _decode(self, taken: list[Waiting], batch: MicroBatch) -> None:
        for signal in RECEIVED:
            fresh: list[tuple[Waiting, bytes]] = []
            for waiting in taken:
                if waiting.export.signal == signal:
                    self._claim(waiting, fresh, batch)
            if fresh:
                self._decode_signal(signal, fresh, batch)

    def _claim(self, waiting: Waiting, fresh: list[tuple[Waiting, bytes]], batch: MicroBatch) -> None:
        export = waiting.export
        digest = xxhash.xxh3_128_digest(export.body, seed=export.signal.number)
        match self._resends.claim(digest, batch.received_at):
            case Seen() as seen:
                batch.replies.append((waiting, seen.reply))
            case True:
                batch.claimed.append(digest)
                fresh.append((waiting, digest))
            case False:
                # the same bytes are on their way to the disk in another request: whether they arrive is not known yet
                batch.replies.append((waiting, Retryable("the same request is being stored", after=1.0)))

    def _decode_signal(self, signal: Signal, fresh: list[tuple[Waiting, bytes]], batch: MicroBatch) -> None:
        exports = [waiting.export for waiting, _ in fresh]
        decoded = self._decoders[signal]([e.body for e in exports], batch.received_at, [e.project for e in exports])
        digests: list[Digest] = []
        for (waiting, digest), outcome in zip(fresh, decoded.outcomes, strict=True):
            batch.replies.append((waiting, _answer(outcome)))
            if outcome.error is None and outcome.rows:
                digests.append(Digest(digest, outcome.rows, outcome.rejected))
            else:
                self._resends.release([digest])
            if outcome.rejected:
                self._rejected.labels(str(signal)).inc(outcome.rejected)
        rows = decoded.rows
        for stage in self._before:  # one batch in, one batch out: a stage here rewrites rows, it never holds or drops them
            (rewritten,) = stage.process(Batch(signal, rows), batch.received_at)
            rows = rewritten.rows
        if rows.num_rows:
            batch.entries.append(Entry(signal, rows, digests))
        batch.digests.extend(digests)

    # --- journal thread ---

    def _journal_loop(self) -> None:
        while isinstance(batch := self._decoded.get(), MicroBatch):
            durable: list[Durable] = []
            if batch.entries:
                try:
                    with self._cpu.of("journal"):
                        written = self._journal.append(batch.entries, batch.received_at)
                except Exception as error:
                    self._flight.end(batch.number)
                    self._refuse_batch(batch, error)
                    continue
                self._resends.settle(batch.digests, batch.received_at)
                self._fsyncs.inc()
                durable = [Durable(r, e.rows) for r, e in zip(written, batch.entries, strict=True)]
                self._find(batch.number, durable)
                for entry in batch.entries:
                    self._rows.labels(str(entry.signal)).inc(entry.rows.num_rows)
                    self.spans += entry.rows.num_rows if entry.signal is Signal.SPANS else 0
            else:
                self._flight.end(batch.number)
            self._reply(batch.replies)
        self._durable.put(_STOP)

    def _find(self, number: int, durable: list[Durable]) -> None:
        try:
            self._observe.found(durable)
        except Exception:
            log.exception("%d durable records cannot be found until the next start", len(durable))
        self._durable.put((number, durable), sum(item.record.rows for item in durable))

    def _refuse_batch(self, batch: MicroBatch, error: Exception) -> None:
        if not isinstance(error, ObservatoryError):
            log.error("a micro-batch could not be journaled", exc_info=error)
            error = Retryable(f"internal error while journaling: {error!r}", after=5.0)
        self._resends.release([digest.body for digest in batch.digests])
        # malformed requests and resends keep their own answers; whoever had rows in this batch offers them again
        self._reply([(w, error if isinstance(r, Reply) and r.accepted and not r.duplicate else r) for w, r in batch.replies])

    def _reply(self, replies: list[tuple[Waiting, Reply | Exception]]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._resolve, replies)

    def _resolve(self, replies: list[tuple[Waiting, Reply | Exception]]) -> None:
        for waiting, reply in replies:
            if waiting.future.done():
                continue
            if isinstance(reply, Exception):
                self._requests.labels("refused" if isinstance(reply, Retryable) else "malformed").inc()
                waiting.future.set_exception(reply)
            else:
                self._requests.labels("duplicates" if reply.duplicate else "taken").inc()
                waiting.future.set_result(reply)

    # --- observe thread ---

    def _observe_loop(self) -> None:
        while True:
            try:
                item = self._durable.get(timeout=TICK_S)
            except queue.Empty:
                item = (0, [])
            if not isinstance(item, tuple | threading.Event):
                return
            try:
                if isinstance(item, tuple):
                    _, durable = item
                    self._observe(durable, durable[0].record.received_at if durable else self._flight.oldest())
                else:
                    self._observe.tick(self._flight.oldest())
            except Exception:
                log.exception("observing failed; what is journaled stays stored, the list of traces may lack some of it")
            finally:
                if isinstance(item, threading.Event):
                    item.set()
                else:
                    self._flight.end(item[0])


def _totals(counter: Counter) -> dict[str, int]:
    """A counter's totals by its one label."""
    samples = (sample for metric in counter.collect() for sample in metric.samples if sample.name.endswith("_total"))
    return {next(iter(sample.labels.values())): int(sample.value) for sample in samples}


def _answer(outcome: Outcome) -> Reply | Exception:
    if outcome.error is not None:
        return outcome.error
    return Reply(outcome.rows, outcome.rejected, outcome.message)
