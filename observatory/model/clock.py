"""Time. `now` is the wall clock at start plus monotonic time, so a clock that is set never makes time go back or jump while we run."""

from __future__ import annotations

import time
from typing import Protocol

Nanos = int
"""Nanoseconds since 1970, UTC."""

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    """Where `now` comes from; stages never hold one, they are told."""

    def now(self) -> Nanos:
        """Nanoseconds since 1970."""
        ...


class SystemClock:
    """The wall clock at start plus monotonic time since."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> Nanos:
        """Nanoseconds since 1970; never decreases."""
        return self._offset + time.monotonic_ns()
