"""Keeps stories happening: a stretch of history at once, then live ones at a steady rate."""

from __future__ import annotations

import asyncio
import random
import time

from observatory.cli.traffic.scene import Live, Past, Scene
from observatory.cli.traffic.stories import STORIES, play
from observatory.cli.traffic.telemetry import Telemetry

SECOND = 1_000_000_000


class Generator:
    """Traffic for the OTLP/HTTP address `url`; the same `seed` plays the same stories."""

    def __init__(self, url: str, seed: int = 1) -> None:
        self._telemetry = Telemetry(url)
        self._dice = random.Random(seed)

    async def history(self, traces: int, seconds: float) -> None:
        """Stories that began within the last `seconds`, told at once."""
        now = time.time_ns()
        for begin in sorted(self._dice.uniform(60, max(seconds, 61)) for _ in range(traces))[::-1]:
            await self._play(Past(now - round(begin * SECOND)))
        await asyncio.to_thread(self._telemetry.flush)

    async def live(self, per_second: float) -> None:
        """Stories as they happen, `per_second` new ones on average, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(self._dice.expovariate(per_second))
                group.create_task(self._play(Live()))

    async def close(self) -> None:
        """Send what waits."""
        await asyncio.to_thread(self._telemetry.close)

    async def _play(self, pace: Live | Past) -> None:
        story = self._dice.choices([story for story, _ in STORIES], [weight for _, weight in STORIES])[0]
        dice = random.Random(self._dice.random())
        await play(Scene(self._telemetry, self._telemetry.service("shop-gateway", "3.8.1"), pace, dice), story)
