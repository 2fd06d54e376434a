"""Keep slow traces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.contracts import Nanos, Settles, State, Votes
from observatory.policies.reason import Reason, numbers


@dataclass(frozen=True, slots=True)
class Latency(Reason):
    """Traces that last longer than `above_ns` and, if `at_most_ns` is given, not longer than that: above < duration <= at most.

    The duration is the whole trace's: from the earliest start to the latest end.
    """

    above_ns: int
    at_most_ns: int | None = None
    name: str = "latency"

    @property
    def settles(self) -> Settles:
        """A trace only gets longer; with an upper bound it may outgrow what it matched."""
        return Settles.GROWS if self.at_most_ns is None else Settles.AT_END

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE within the bounds."""
        took = durations(traces)
        within = took > self.above_ns
        return Votes.sample_where(within if self.at_most_ns is None else within & (took <= self.at_most_ns))


def durations(traces: pa.RecordBatch) -> np.ndarray:
    """Latest end minus earliest start in nanoseconds; held at the ends of int64, for clients that send nonsense."""
    start, end = numbers(traces, "start_ns"), numbers(traces, "end_ns")
    took = end - start
    took[(start < 0) & (end >= 0) & (took < 0)] = np.iinfo(np.int64).max
    took[(start >= 0) & (end < 0) & (took >= 0)] = np.iinfo(np.int64).min
    return took
