"""The whole appliance in process, with a client at each door."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from observatory.app import Observatory
from observatory.contracts import Signal
from observatory.settings import Settings
from observatory.storage import records
from observatory.testing.clients import GrpcClient, HttpClient


async def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for what has no event to wait for. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@dataclass
class House:
    """The whole appliance in this process, on ports and in a directory of the test's own, and a client for each of its doors."""

    app: Observatory
    http: HttpClient
    grpc: GrpcClient

    def all_decided(self) -> bool:
        """Whether the sampler looked at every span that passed the stages and no trace is open: before the first tick none is either."""
        sampling = self.app.pipeline.sampling
        with sampling.filing:  # no tick is half done
            tally = sampling.sampler.tally
            return tally.ticked == tally.taken and not len(sampling.sampler.open)

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
        found = [records.read(record) for record in self.app.pipeline.open_rows.records(0) if record.signal == signal]
        rows = [row for batch in found for row in batch.to_pylist()]
        for row in rows if signal is not Signal.FEEDBACK else ():
            row["attributes"] = {key: (kind, text) for (key, text), kind in zip(row["attributes"], row["attribute_types"], strict=True)}
        return rows

    def metric(self, name: str, **labels: str) -> float:
        """A sample of `/metrics`; 0 when it was never counted."""
        return self.app.registry.get_sample_value(name, labels) or 0.0


@contextlib.asynccontextmanager
async def open_house(directory: Path, **sections: dict[str, Any]) -> AsyncIterator[House]:
    """A house that stands until the block ends; `sections` as in `config.toml`: `receivers={"max_request_bytes": 1024}`."""
    free = dict.fromkeys(("listen", "otlp_grpc", "otlp_http"), "127.0.0.1:0")
    said: dict[str, Any] = {"server": {"data": directory / "data", **free}, "journal": {"file_bytes": 8 << 20, "reserve_bytes": 0}}
    for name, section in sections.items():
        said[name] = {**said.get(name, {}), **section}
    async with Observatory(Settings.model_validate(said)) as app:
        addresses = app.addresses
        async with HttpClient(f"http://{addresses['otlp_http']}") as http, GrpcClient(addresses["otlp_grpc"]) as grpc:
            yield House(app, http, grpc)
