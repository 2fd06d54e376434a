"""Keep traces by their number of spans."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from observatory.contracts import Nanos, Settles, State, Votes
from observatory.policies.reason import Reason, numbers


@dataclass(frozen=True, slots=True)
class SpanCount(Reason):
    """Traces of at least and, if given, at most so many spans, both included."""

    at_least: int = 0
    at_most: int | None = None
    name: str = "span_count"

    @property
    def settles(self) -> Settles:
        """A trace only grows; with an upper bound it may outgrow what it matched."""
        return Settles.GROWS if self.at_most is None else Settles.AT_END

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE within the bounds."""
        spans = numbers(traces, "span_count")
        within = spans >= self.at_least
        return Votes.sample_where(within if self.at_most is None else within & (spans <= self.at_most))
