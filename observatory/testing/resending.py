"""A client as exporters should be: what was not answered is sent again until it is, and it remembers exactly what was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from observatory.testing.clients import Compression, Encoding, HttpClient
from observatory.testing.spans import Maker, Payload


@dataclass
class ResendingClient:
    """Sends traces over OTLP/HTTP to wherever `url()` says the server is now, `connections` at a time.

    Every payload ends in exactly one of `acknowledged` and `refused` (a status that is not retryable), or is still in `unanswered` when
    `run` was stopped. `url` is asked before each attempt, so a server that was killed may come back on another port.
    """

    url: Callable[[], str]
    maker: Maker = field(default_factory=lambda: Maker(seed=None))
    traces_per_request: int = 4
    connections: int = 4
    encoding: Encoding = "protobuf"
    compression: Compression = "identity"
    pause_s: float = 0.02
    """Between attempts of one payload, so that a server that is down is not hammered."""

    acknowledged: list[Payload] = field(default_factory=list)
    unanswered: dict[int, Payload] = field(default_factory=dict)
    refused: list[tuple[Payload, str]] = field(default_factory=list)
    resends: int = 0
    """Attempts beyond the first."""
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after each acknowledgement; clear it to wait for the next."""

    @property
    def acknowledged_ids(self) -> set[tuple[bytes, bytes]]:
        """(trace_id, span_id) of every span the server said is durable."""
        return _ids(self.acknowledged)

    @property
    def unanswered_ids(self) -> set[tuple[bytes, bytes]]:
        """(trace_id, span_id) of spans that were sent and never answered: the server may or may not have them, by whole requests."""
        return _ids(self.unanswered.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; attempts under way then are waited for or lost with their connection."""
        await self._workers(lambda: not stop.is_set(), stop)

    async def send(self, requests: int) -> None:
        """Send this many requests and return when all are answered."""
        left = iter(range(requests))
        await self._workers(lambda: next(left, None) is not None, None)

    async def finish(self) -> None:
        """Send what is still unanswered again until it is answered."""
        async with HttpClient(self.url()) as client:
            for key, payload in list(self.unanswered.items()):
                await self._deliver(client, key, payload, None)

    async def _workers(self, more: Callable[[], bool], stop: asyncio.Event | None) -> None:
        async def work() -> None:
            async with HttpClient(self.url()) as client:
                while more():
                    payload = self._make()
                    key = id(payload)
                    self.unanswered[key] = payload
                    await self._deliver(client, key, payload, stop)

        async with asyncio.TaskGroup() as group:
            for _ in range(self.connections):
                group.create_task(work())

    async def _deliver(self, client: HttpClient, key: int, payload: Payload, stop: asyncio.Event | None) -> None:
        while True:
            client.url = self.url()
            try:
                answer = await client.export(payload, self.encoding, self.compression)
            except (aiohttp.ClientError, TimeoutError, OSError):
                answer = None
            if answer is not None and not answer.retryable:
                del self.unanswered[key]
                if answer.ok:
                    self.acknowledged.append(payload)
                    self.progress.set()
                else:
                    self.refused.append((payload, f"{answer.status} {answer.message}"))
                return
            if stop is not None and stop.is_set():
                return
            self.resends += 1
            await asyncio.sleep(self.pause_s)

    def _make(self) -> Payload:
        traces = [self.maker.trace() for _ in range(self.traces_per_request)]
        return self.maker.spans(*(span for trace in traces for span in trace.all_spans))


def _ids(payloads: object) -> set[tuple[bytes, bytes]]:
    return {(span.trace_id, span.span_id) for payload in payloads for span in payload.all_spans}  # type: ignore[attr-defined]
