"""Sinks for tests: a list, a refusal, a slow one."""

from __future__ import annotations

import asyncio

from observatory.contracts import Decoder, Export, Reply, Signal, Sink
from observatory.errors import ObservatoryError, Retryable


class ListSink:
    """Keeps every export. With decoders it answers as the pipeline does: rows counted, bad rows rejected, malformed bodies refused."""

    def __init__(self, decoders: dict[Signal, Decoder] | None = None) -> None:
        self.exports: list[Export] = []
        self._decoders = decoders or {}

    async def put(self, export: Export) -> Reply:
        """Keep it. Raises what the decoder said of a malformed body, which is not kept."""
        decoder = self._decoders.get(export.signal)
        if decoder is None:
            self.exports.append(export)
            return Reply(accepted=0)
        outcome = decoder([export.body], export.received_at, [export.project]).outcomes[0]
        if outcome.error is not None:
            raise outcome.error
        self.exports.append(export)
        return Reply(outcome.rows, outcome.rejected, outcome.message)


class RefusingSink:
    """Refuses everything with one error until `error` is set to None; then hands on to `next`."""

    def __init__(self, error: Exception | None = None, next: Sink | None = None) -> None:
        self.error: Exception | None = error or Retryable("the test is full", after=2.0)
        self.next = next or ListSink()
        self.refused = 0

    async def put(self, export: Export) -> Reply:
        """Raise `error`, or hand on."""
        if self.error is not None:
            self.refused += 1
            # a fresh object for each request: an exception raised twice carries both tracebacks
            raise self.error if not isinstance(self.error, ObservatoryError) else _again(self.error)
        return await self.next.put(export)


class SlowSink:
    """Holds every export until `gate` is set. `waiting` says how many are held, `entered` is set when the first one comes."""

    def __init__(self, next: Sink | None = None) -> None:
        self.next = next or ListSink()
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()
        self.waiting = 0

    async def put(self, export: Export) -> Reply:
        """Wait for the gate, then hand on."""
        self.waiting += 1
        self.entered.set()
        try:
            await self.gate.wait()
        finally:
            self.waiting -= 1
        return await self.next.put(export)


def _again(error: ObservatoryError) -> ObservatoryError:
    return Retryable(str(error), error.after) if isinstance(error, Retryable) else type(error)(str(error))
