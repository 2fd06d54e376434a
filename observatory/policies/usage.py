"""Keep traces by what their calls of models took: dollars, tokens, and time to the first token."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from observatory.contracts import Nanos, Settles, State, Votes
from observatory.policies.reason import Reason, numbers


@dataclass(frozen=True, slots=True)
class Cost(Reason):
    """Traces whose calls cost more than so many 10^-12 dollars; calls without a known price cost nothing.

    At the end only: a call that turns out to wrap another takes its cost back.
    """

    above_picodollars: int
    name: str = "cost"

    @property
    def settles(self) -> Settles:
        """Costs may shrink."""
        return Settles.AT_END

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE above the amount."""
        return Votes.sample_where(numbers(traces, "cost") > self.above_picodollars)


@dataclass(frozen=True, slots=True)
class Tokens(Reason):
    """Traces whose calls took more than so many tokens, in and out together; at the end only, as with costs."""

    above: int
    name: str = "tokens"

    @property
    def settles(self) -> Settles:
        """Sums may shrink."""
        return Settles.AT_END

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE above the sum; halves are compared as floats, so that absurd counts cannot wrap."""
        took = numbers(traces, "input_tokens").astype(float) + numbers(traces, "output_tokens").astype(float)
        return Votes.sample_where(took > self.above)


@dataclass(frozen=True, slots=True)
class TimeToFirstToken(Reason):
    """Traces of which some call waited longer than so many nanoseconds for its first token."""

    above_ns: int
    name: str = "ttft"

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE above the time."""
        return Votes.sample_where(numbers(traces, "ttft_ns") > self.above_ns)
