"""How slow this machine is now: limits of time are for the machine their figures were measured on, with nothing else to do."""

from __future__ import annotations

import time

_USUAL_S = 0.11  # two million rounds there


def slowness() -> float:
    """1 on that machine or a faster one, 2 where the same work takes twice as long, by its processor or by what else runs."""
    took = []
    for _ in range(3):
        began, total = time.perf_counter(), 0
        for number in range(2_000_000):
            total += number * number & 7
        took.append(time.perf_counter() - began)
    return max(1.0, sorted(took)[1] / _USUAL_S)
