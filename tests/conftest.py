"""What all tests share."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from prometheus_client import CollectorRegistry

from observatory.contracts import Signal, Sink
from observatory.model.clock import SystemClock
from observatory.model.signal import RECEIVED
from observatory.otlp.decode import decoders
from observatory.pipeline.config import CutConfig, IngestConfig, JournalConfig
from observatory.pipeline.pipeline import Pipeline
from observatory.pipeline.summarize import Summarize
from observatory.receivers.admission import Admission
from observatory.receivers.config import ReceiversConfig
from observatory.receivers.grpc import OtlpGrpc
from observatory.receivers.http import OtlpHttp
from observatory.storage import records
from observatory.storage.manifest import Manifest
from observatory.testing.clients import GrpcClient, HttpClient

# A shared machine may stop for a second at any time: no deadline. CI draws the same examples each time, so that red means a change.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


async def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for what has no event to wait for. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@dataclass
class House:
    """Doors that lead to a real journal in a directory of the test's own."""

    http: HttpClient
    grpc: GrpcClient
    pipeline: Pipeline
    registry: CollectorRegistry

    async def stored(self, count: int, signal: Signal = Signal.SPANS) -> list[dict[str, Any]]:
        """Every row that is durable, in order, once there are `count` of them; attributes as `{key: (letter, text)}`.

        Acknowledged rows are filed for readers by a thread of its own, within milliseconds. Fails after 10 s, or when there are more.
        """
        rows: list[dict[str, Any]] = []

        def here() -> bool:
            rows[:] = self._rows(signal)
            return len(rows) >= count

        await until(here)
        assert len(rows) == count, f"{len(rows)} rows are stored, not {count}"
        return rows

    def _rows(self, signal: Signal) -> list[dict[str, Any]]:
        found = [records.read(record) for record in self.pipeline.open_rows.records(0) if record.signal == signal]
        rows = [row for batch in found for row in batch.to_pylist()]
        for row in rows:
            row["attributes"] = {key: (kind, text) for (key, text), kind in zip(row["attributes"], row["attribute_types"], strict=True)}
        return rows

    def metric(self, name: str, **labels: str) -> float:
        """A sample of `/metrics`; 0 when it was never counted."""
        return self.registry.get_sample_value(name, labels) or 0.0


@contextlib.asynccontextmanager
async def open_house(
    directory: Path,
    receivers: ReceiversConfig | None = None,
    ingest: IngestConfig | None = None,
    through: Callable[[Sink], Sink] | None = None,
) -> AsyncIterator[House]:
    """A house that stands until the block ends. `through` may put another sink before the pipeline's."""
    config, registry, clock = receivers or ReceiversConfig(), CollectorRegistry(), SystemClock()
    async with contextlib.AsyncExitStack() as closing:
        manifest = Manifest.open(_made(directory), clock.now())
        closing.callback(manifest.close)
        made = decoders()
        pipeline = Pipeline(
            directory,
            ingest or IngestConfig(),
            JournalConfig(file_bytes=8 << 20, reserve_bytes=0),
            CutConfig(),
            manifest,
            {signal: made.of(signal) for signal in RECEIVED},
            (),
            (Summarize(),),
            clock,
            registry,
        )
        await pipeline.start()
        closing.push_async_callback(pipeline.stop)
        sink = through(pipeline.ingest) if through else pipeline.ingest
        admission = Admission(config, registry)
        http, grpc = OtlpHttp(sink, admission, config, registry), OtlpGrpc(sink, admission, config, registry)
        web_host, web_port = await http.start("127.0.0.1", 0)
        closing.push_async_callback(http.stop)
        rpc_host, rpc_port = await grpc.start("127.0.0.1", 0)
        closing.push_async_callback(grpc.stop)
        web = await closing.enter_async_context(HttpClient(f"http://{web_host}:{web_port}"))
        rpc = await closing.enter_async_context(GrpcClient(f"{rpc_host}:{rpc_port}"))
        yield House(web, rpc, pipeline, registry)


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "data") as opened:
        yield opened
