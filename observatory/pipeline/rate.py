"""How fast a growing total grows, over the last seconds."""

from __future__ import annotations

from collections import deque

from observatory.model.clock import SECOND, Nanos

WINDOW = 5 * SECOND


class Rate:
    """Told a total now and then, it knows the rate over the last five seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[Nanos, int]] = deque()

    def note(self, now: Nanos, total: int) -> None:
        """`total` at `now`."""
        self._seen.append((now, total))
        while len(self._seen) > 2 and self._seen[1][0] <= now - WINDOW:
            self._seen.popleft()

    @property
    def per_second(self) -> float:
        """The rate; 0.0 until it was told twice."""
        if len(self._seen) < 2 or self._seen[-1][0] == self._seen[0][0]:
            return 0.0
        (began, low), (ended, high) = self._seen[0], self._seen[-1]
        return (high - low) * SECOND / (ended - began)
