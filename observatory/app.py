"""The appliance: the only place that introduces rooms to each other.

Starting goes from the disk to the doors, stopping from the doors to the disk, so that nothing is ever accepted that has nowhere to go.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector

from observatory.api.price_list import PriceList
from observatory.api.prices import Recompute
from observatory.api.sampling import SamplingFigures
from observatory.api.server import Api
from observatory.api.tail import Tail
from observatory.configured import Origins, told
from observatory.errors import CannotStart
from observatory.jobs.compact import Compact
from observatory.jobs.expire import Expire
from observatory.jobs.reprice import Reprice
from observatory.jobs.runner import Runner
from observatory.model.address import Address
from observatory.model.batch import Batch
from observatory.model.clock import SECOND, Clock, SystemClock
from observatory.model.signal import BY_OTLP, Signal
from observatory.otlp.decode import decoders
from observatory.pipeline.counting.counting import Counting
from observatory.pipeline.counting.rows import repriced
from observatory.pipeline.measure import Measure
from observatory.pipeline.pipeline import Pipeline
from observatory.pipeline.recall import recent
from observatory.pipeline.rollup import RollupCalls, RollupSpans
from observatory.pipeline.sampling import build
from observatory.pipeline.sampling.figures import SamplingMetrics, figures
from observatory.pipeline.summarize import Summarize
from observatory.pipeline.traffic import LlmTraffic
from observatory.receivers.admission import Admission
from observatory.receivers.feedback import Feedback
from observatory.receivers.feedback_rows import decode_feedback
from observatory.receivers.grpc import OtlpGrpc
from observatory.receivers.http import OtlpHttp
from observatory.semconv.pricing.catalogue import Listed, listed
from observatory.semconv.pricing.source import PriceSource
from observatory.settings import Settings
from observatory.storage.engine import Engine
from observatory.storage.files import DISK
from observatory.storage.manifest import Manifest
from observatory.storage.spill import Spill

log = logging.getLogger(__name__)


class Observatory:
    """One running appliance. `async with Observatory(settings) as app:` serves until the block ends."""

    def __init__(self, settings: Settings, clock: Clock | None = None, origins: Origins | None = None) -> None:
        self.settings = settings
        self.origins = origins or Origins()
        self.clock = clock or SystemClock()
        self.registry = CollectorRegistry()
        self.addresses: dict[str, str] = {}
        self._closing = contextlib.AsyncExitStack()
        self._started_at = 0

    async def start(self) -> None:
        """Open the data directory, recover the journal, open the doors. Raises CannotStart with one clear sentence."""
        try:
            await self._start()
        except BaseException:
            await self._closing.aclose()
            raise

    async def stop(self) -> None:
        """Close the doors, make durable what was taken, close the data directory."""
        await self._closing.aclose()

    async def __aenter__(self) -> Observatory:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def _start(self) -> None:
        settings, registry = self.settings, self.registry
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._started_at = self.clock.now()
        data_dir = make_data_dir(settings.server.data)

        self.manifest = Manifest.open(data_dir, self._started_at)
        self._closing.callback(self.manifest.close)
        kernel = decoders(settings.ingest.decoder)
        self.native = kernel.native
        Gauge("observatory_decoder_native", "1 when the native kernel decodes, 0 on the slow reference decoder", registry=registry).set(
            kernel.native
        )
        by_signal = {**{signal: kernel.of(signal) for signal in BY_OTLP}, Signal.FEEDBACK: decode_feedback}
        self.prices = PriceSource(settings.prices, data_dir)
        spill = Spill(data_dir)
        Gauge("observatory_spill_bytes", "Waiting rows in mapped files", registry=registry).set_function(lambda: spill.bytes)
        counting = Counting(self._price, spill=spill)
        self.measure = Measure(counting, RollupCalls(registry), LlmTraffic(registry).observe)
        self.measure.recall(*recent(self.manifest, data_dir), self._started_at)
        stages = (Summarize(), RollupSpans(registry), self.measure)
        sampler = build.sampler(settings.sampling, data_dir, spill)
        registry.register(SamplingMetrics(sampler))
        self.tail = Tail(self.clock)
        self.pipeline = Pipeline(
            data_dir,
            settings.ingest,
            settings.journal,
            settings.cut,
            self.manifest,
            by_signal,
            (),
            stages,
            sampler,
            self.clock,
            registry,
            self.tail.hear,
        )
        await self.pipeline.start()
        self._closing.push_async_callback(self.pipeline.stop)

        self.engine = Engine(self.manifest, self.pipeline.open_rows, data_dir, settings.storage)
        self._closing.callback(self.engine.close)
        still, measure = self.pipeline.still, self.measure
        self.reprice = Reprice(data_dir, self.manifest, still, lambda calls: repriced(calls, self._price), self._changes, measure.adopt)
        jobs = (
            Compact(data_dir, self.manifest, settings.jobs),
            Expire(data_dir, self.manifest, settings.storage),
            self.reprice,
        )
        self.jobs = Runner(self.manifest, jobs, self.clock, settings.jobs, registry)
        self.jobs.start()
        self._closing.callback(self.jobs.stop)
        await self._open_doors()

    def _changes(self, calls: pa.Table, signs: np.ndarray) -> Iterable[Batch]:
        """What stored sums and traces are told of repriced calls; traces that sampling dropped are told nothing."""
        sampler = self.pipeline.sampling.sampler
        for batch in self.measure.changes(calls, signs):
            yield Batch(batch.signal, sampler.stored(batch.rows)) if batch.signal is Signal.TRACES else batch

    def _price(self, calls: pa.Table) -> pa.Table:
        return self.prices.current(self.clock.now()).price(calls)

    async def _open_doors(self) -> None:
        settings, sink = self.settings, self.pipeline.ingest
        admission = Admission(settings.receivers, self.registry)
        http = OtlpHttp(sink, admission, settings.receivers, self.registry, self.clock)
        grpc = OtlpGrpc(sink, admission, settings.receivers, self.registry, self.clock)
        feedback = Feedback(sink, admission, settings.receivers, self.clock)
        shown = PriceSource(settings.prices, self.engine.data_dir)  # one of its own: whoever prices calls asks another, in another thread

        def listed_now(model: str, provider: str | None) -> list[Listed]:
            now = self.clock.now()
            return listed(shown.current(now), now, model, provider)

        rooms = (
            http,
            feedback,
            Recompute(self.reprice, self.jobs.wake),
            PriceList(listed_now),
            SamplingFigures(self._sampling),
            self.tail,
        )
        mounts = tuple(room.add_routes for room in rooms)
        api = Api(
            self.engine, self.status, self.ready, settings.api, self.registry, mounts, self.clock, settings=told(settings, self.origins)
        )

        async def stop() -> None:
            self.tail.close()
            await api.stop()

        await self._door("listen", settings.server.listen, api.start, stop)
        await self._door("otlp_grpc", settings.server.otlp_grpc, grpc.start, grpc.stop)
        await self._door("otlp_http", settings.server.otlp_http, http.start, http.stop)

    async def _door(
        self,
        name: str,
        address: Address,
        start: Callable[[str, int], Coroutine[Any, Any, tuple[str, int]]],
        stop: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        try:
            host, port = await start(address.host, address.port)
        except OSError as error:
            # asyncio's own text repeats the address
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
            raise CannotStart(f"server.{name}: cannot listen on {address}: {why}; choose another port or stop what uses it") from error
        self._closing.push_async_callback(stop)
        self.addresses[name] = str(Address(host, port))

    def _sampling(self) -> dict[str, Any]:
        return figures(self.pipeline.sampling.sampler)

    def ready(self) -> tuple[bool, str]:
        """Whether exports are taken now, and if not, why."""
        why = self.pipeline.ingest.refusing
        return why is None, why or "ready"

    def status(self) -> dict[str, Any]:
        """What `GET /api/v1/status` says."""
        accepting, reason = self.ready()
        return {
            "started_at": datetime.fromtimestamp(self._started_at / SECOND, UTC).isoformat(),
            "uptime_s": round((self.clock.now() - self._started_at) / SECOND, 1),
            "decoder": "native" if self.native else "reference",
            "accepting": {"ok": accepting, "reason": None if accepting else reason},
            "listeners": self.addresses,
            **self.pipeline.status(),
            "sampling": self._sampling(),
            "storage": self.engine.status(),
            "jobs": self.jobs.status(),
        }


def make_data_dir(path: Path) -> Path:
    """The data directory, made when it is missing, writable for its owner only. Raises CannotStart when it cannot be used."""
    try:
        DISK.make_directory(path, 0o700)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"server.data: cannot write to {path}: {error.strerror or error}; choose another directory with --data"
        ) from error
    return path
