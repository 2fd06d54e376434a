"""Keep everything up to so many spans a second, and above that a fair share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.contracts import Nanos, Settles, State, Votes
from observatory.model.clock import SECOND
from observatory.model.threshold import threshold_of
from observatory.policies.reason import Reason, numbers


@dataclass(frozen=True, slots=True)
class Budget(Reason):
    """All traces while no more than `spans_per_second` arrive, averaged over some seconds; above that the share that keeps so many.

    The threshold follows what arrives, never what was kept: nothing oscillates, and it does not depend on any trace's randomness. It moves
    with the average, so that a burst shorter than `averaged_over_s` is kept. What other policies keep comes on top.
    """

    spans_per_second: float
    averaged_over_s: float = 10.0
    name: str = "budget"

    @property
    def settles(self) -> Settles:
        """By the id and what arrived before."""
        return Settles.AT_ONCE

    @property
    def by_chance(self) -> bool:
        """Above the budget."""
        return True

    @property
    def remembers(self) -> bool:
        """What arrived."""
        return True

    def arrived(self, spans: int, state: State, now: Nanos) -> None:
        """Move the average, in which what arrived τ seconds ago counts for e^(-τ / averaged_over_s)."""
        passed = max(now - state.get("at", now), 0) / SECOND
        faded = math.exp(-passed / self.averaged_over_s)
        state["rate"] = state.get("rate", 0.0) * faded + spans / self.averaged_over_s
        state["at"] = now

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE for the share that fits."""
        rate = state.get("rate", 0.0)
        threshold = threshold_of(self.spans_per_second / rate) if rate > self.spans_per_second else 0
        return Votes.sample_where(numbers(traces, "randomness") >= np.uint64(threshold), threshold)
