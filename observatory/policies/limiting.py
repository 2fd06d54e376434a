"""Keep so many spans, or bytes, a second: by one threshold over the traces that complete together.

The Collector keeps whatever comes first until a bucket of tokens is empty; what it keeps stands for nothing. Here the tokens buy a share
of all that completes in a tick, so that each kept trace stands for 1 / share. The share depends on what was kept before and on the sizes
now, never on a trace's own randomness, and is never 0: estimates are without bias. The price is that the limit holds on average: a tick may
keep more than its tokens, which is a debt that the next ones pay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.contracts import Nanos, Settles, State, Votes
from observatory.model.clock import SECOND
from observatory.model.threshold import threshold_of
from observatory.policies.reason import Reason, numbers

_LEAST = 1 / 64  # seconds' worth of the rate that a tick may always spend, in debt too: 6 % of a tick's


@dataclass(frozen=True, slots=True)
class _Limiting(Reason):
    rate: float
    burst: float

    @property
    def settles(self) -> Settles:
        """When its size is known."""
        return Settles.AT_END

    @property
    def by_chance(self) -> bool:
        """Above the rate."""
        return True

    @property
    def remembers(self) -> bool:
        """What is left to spend."""
        return True

    def _vote(self, sizes: np.ndarray, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        offered = float(sizes.sum())
        allowed = allowance(self.rate, self.burst, offered, state, now)
        threshold = threshold_of(allowed / offered) if offered > allowed else 0
        kept = numbers(traces, "randomness") >= np.uint64(threshold)
        state["tokens"] -= float(sizes[kept].sum())
        return Votes.sample_where(kept, threshold)


@dataclass(frozen=True, slots=True)
class RateLimiting(_Limiting):
    """Traces of `rate` spans a second on average, `burst` spans at once after a quiet time."""

    name: str = "rate_limiting"

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE for the share that the tokens buy."""
        return self._vote(numbers(traces, "span_count"), traces, state, now)


@dataclass(frozen=True, slots=True)
class BytesLimiting(_Limiting):
    """Traces of `rate` bytes a second on average, `burst` bytes at once after a quiet time."""

    name: str = "bytes_limiting"

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE for the share that the tokens buy."""
        return self._vote(numbers(traces, "bytes"), traces, state, now)


def allowance(rate: float, burst: float, offered: float, state: State, now: Nanos) -> float:
    """How much of what is offered may be kept in expectation; above 0. Fills the bucket; who keeps takes from `state["tokens"]`.

    All of it when the bucket holds enough. Else the emptier the bucket, the less of it (x² / burst of x tokens): under steady overload it
    settles where a tick spends what it gained, with tokens left for what chance keeps too much.
    """
    passed = max(now - state.get("at", now), 0) / SECOND
    tokens = min(state.get("tokens", burst) + passed * rate, burst)
    state["tokens"], state["at"] = tokens, now
    if offered <= tokens:
        return offered
    return max(tokens * tokens / burst if tokens > 0 else 0.0, rate * _LEAST)
