"""A server that is killed and started again under a client that never stops sending, and what must hold each time it is back."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from child import stored

from observatory.testing.resending import ResendingClient
from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

# Small files and quick cuts, so that every round crosses journal rotation, segment publication and merging many times.
RESTLESS = """
[journal]
file_bytes = 2097152
[cut]
segment_age_s = 0.4
segment_bytes = 262144
"""
NOWHERE = "http://127.0.0.1:9"


class Restless:
    """Runs the rounds. `start` makes a server that is not started yet; `after_kill` changes the disk between death and rebirth."""

    def __init__(self, start: Callable[[], ServerProcess], seed: int) -> None:
        self._start, self.chance = start, random.Random(seed)
        self.server: ServerProcess | None = None
        self._url = NOWHERE
        self.client = ResendingClient(lambda: self._url, maker=Maker(seed), connections=4)

    @contextlib.asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Send until the block ends, then until everything is answered; check once more, and leave no server behind."""
        stop = asyncio.Event()
        running = asyncio.create_task(self.client.run(stop))
        try:
            yield
            stop.set()
            await running
            await self.client.finish()
            await asyncio.to_thread(self.check)
            assert not self.client.unanswered
        finally:
            running.cancel()
            if self.server is not None and self.server.running:
                self.server.kill9()

    async def begin(self) -> None:
        """Start the server, check what it found on its disk, and let the client at it."""
        self.server = self._start()
        await asyncio.to_thread(self.server.start)
        await asyncio.to_thread(self.check)
        self._url = self.server.otlp_http

    async def disturb(self, longest_s: float = 1.0) -> None:
        """Kill -9 at a random moment after something new was acknowledged."""
        assert self.server is not None
        self.client.progress.clear()
        await asyncio.wait_for(self.client.progress.wait(), 30)
        await asyncio.sleep(self.chance.uniform(0, longest_s))  # the moment is the test's input, nothing is waited for
        await asyncio.to_thread(self.server.kill9)
        self._url = NOWHERE
        self.server.__exit__(None, None, None)

    async def die_while_starting(self) -> None:
        """Start, and kill -9 at a random moment of recovery."""
        server = self._start()
        starting = asyncio.create_task(asyncio.to_thread(server.start))
        await asyncio.sleep(self.chance.uniform(0.1, 1.2))  # the moment is the test's input, nothing is waited for
        if hasattr(server, "process"):
            await asyncio.to_thread(server.kill9)
        with contextlib.suppress(RuntimeError):
            await starting
            await asyncio.to_thread(server.kill9)

    def check(self) -> None:
        """Every acknowledged span once; of every request without an answer all spans or none; nothing else."""
        assert self.server is not None
        found = stored(self.server)
        doubled = [pair for pair, times in found.items() if times > 1]
        assert not doubled, f"{len(doubled)} spans are stored more than once, such as {doubled[0]}"
        acknowledged = self.client.acknowledged_ids
        missing = acknowledged - found.keys()
        assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged spans are missing"
        for payload in list(self.client.unanswered.values()):
            ids = {(span.trace_id, span.span_id) for span in payload.all_spans}
            there = len(ids & found.keys())
            assert there in (0, len(ids)), f"{there} of the {len(ids)} spans of a request without an answer are visible"
        assert not found.keys() - acknowledged - self.client.unanswered_ids, "spans that nobody sent"
        assert not self.client.refused, self.client.refused[0][1]


def configuration(path: Path, text: str = RESTLESS) -> str:
    """The text as a file beside the data directory; its name."""
    file = path / "config.toml"
    file.write_text(text)
    return str(file)
