"""The API over a real pipeline, journal and segments, in a directory of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client import CollectorRegistry

from observatory.api.config import ApiConfig
from observatory.api.server import Api
from observatory.api.tail import Tail
from observatory.contracts import Export
from observatory.model.clock import SystemClock
from observatory.model.signal import BY_OTLP, Signal
from observatory.otlp.decode import decoders
from observatory.pipeline.config import CutConfig, IngestConfig, JournalConfig
from observatory.pipeline.pipeline import Pipeline
from observatory.pipeline.rollup import RollupSpans
from observatory.pipeline.sampling.sampler import keep_everything
from observatory.pipeline.summarize import Summarize
from observatory.receivers.admission import Admission
from observatory.receivers.config import ReceiversConfig
from observatory.receivers.feedback import Feedback
from observatory.receivers.feedback_rows import decode_feedback
from observatory.storage.config import StorageConfig
from observatory.storage.engine import Engine
from observatory.storage.manifest import Manifest
from observatory.testing.spans import Payload


@dataclass
class Asked:
    """A running API and the means to give it something to say."""

    client: aiohttp.ClientSession
    pipeline: Pipeline
    engine: Engine
    manifest: Manifest
    api: Api
    registry: CollectorRegistry
    clock: SystemClock
    url: str

    async def store(self, *payloads: Payload, cut: bool = False) -> None:
        """Payloads are durable and in the list; in segments as well when `cut`."""
        rows = 0
        for payload in payloads:
            reply = await self.pipeline.ingest.put(Export(payload.signal, payload.protobuf, self.clock.now()))
            rows += reply.accepted
        await asyncio.to_thread(self.pipeline.ingest.quiesce)  # what is derived of rows follows half a second later by itself
        assert self.pipeline.open_rows.pending(self.manifest.checkpoint).rows >= rows
        if cut:
            assert await asyncio.to_thread(self.pipeline.cut) >= rows

    async def get(self, path: str, status: int = 200, **parameters: Any) -> Any:
        """The JSON answer, which must have this status."""
        async with self.client.get(path, params={key: str(value) for key, value in parameters.items()}) as response:
            body = await response.json()
            assert response.status == status, body
            return body

    async def post(self, path: str, said: Any, status: int = 200, **headers: str) -> Any:
        """The JSON answer to a POST of JSON, or of bytes as they are."""
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        async with self.client.post(path, data=body, headers={"content-type": "application/json", **headers}) as response:
            answer = await response.json()
            assert response.status == status, answer
            return answer

    async def sql(self, query: str, status: int = 200, **more: Any) -> Any:
        """The answer of `POST /api/v1/sql`."""
        async with self.client.post("/api/v1/sql", json={"query": query, **more}) as response:
            body = await response.json()
            assert response.status == status, body
            return body

    def metric(self, name: str, **labels: str) -> float:
        """A sample of `/metrics`."""
        return self.registry.get_sample_value(name, labels) or 0.0


@contextlib.asynccontextmanager
async def open_asked(
    directory: Path,
    config: ApiConfig | None = None,
    ready: Callable[[], tuple[bool, str]] | None = None,
    receivers: ReceiversConfig | None = None,
) -> AsyncIterator[Asked]:
    registry, clock = CollectorRegistry(), SystemClock()
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as closing:
        manifest = Manifest.open(directory, clock.now())
        closing.callback(manifest.close)
        made = decoders()
        pipeline = Pipeline(
            directory,
            IngestConfig(),
            JournalConfig(file_bytes=8 << 20, reserve_bytes=0),
            CutConfig(segment_age_s=3600),
            manifest,
            {signal: made.of(signal) for signal in BY_OTLP} | {Signal.FEEDBACK: decode_feedback},
            (),
            (Summarize(), RollupSpans()),
            keep_everything(directory / "decisions"),
            clock,
            registry,
            (tail := Tail(clock)).hear,
        )
        await pipeline.start()
        closing.push_async_callback(pipeline.stop)
        engine = Engine(manifest, pipeline.open_rows, directory, StorageConfig(memory_bytes=128 << 20))
        closing.callback(engine.close)
        receivers = receivers or ReceiversConfig()
        feedback = Feedback(pipeline.ingest, Admission(receivers, registry), receivers, clock)
        said = {"started_at": 1}
        mounts = (feedback.add_routes, tail.add_routes)
        api = Api(engine, lambda: said, ready or (lambda: (True, "ready")), config or ApiConfig(), registry, mounts)
        host, port = await api.start("127.0.0.1", 0)
        closing.push_async_callback(api.stop)
        closing.callback(tail.close)
        url = f"http://{host}:{port}"
        client = await closing.enter_async_context(aiohttp.ClientSession(url))
        yield Asked(client, pipeline, engine, manifest, api, registry, clock, url)
