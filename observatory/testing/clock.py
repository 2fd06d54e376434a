"""A clock that goes when it is told to."""

from __future__ import annotations

from observatory.model.clock import SECOND, Nanos

NOON = 1_767_268_800 * SECOND
"""2026-01-01T12:00:00Z, where a `StepClock` starts unless told otherwise."""


class StepClock:
    """A `Clock` for tests: `now()` stays where it is until `advance` moves it."""

    def __init__(self, start: Nanos = NOON) -> None:
        self._now = start

    def now(self) -> Nanos:
        """Nanoseconds since 1970."""
        return self._now

    def advance(self, seconds: float) -> Nanos:
        """Move on by `seconds` (to the nanosecond) and return the new time. Raises ValueError when asked to go back."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back: {seconds} s")
        self._now += round(seconds * SECOND)
        return self._now
