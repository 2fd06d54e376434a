"""Keep traces that were judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from observatory.contracts import Nanos, State, Votes
from observatory.policies.reason import Reason, numbers


@dataclass(frozen=True, slots=True)
class Feedback(Reason):
    """Traces with feedback of a person, with the score of an evaluation, or with any of the two."""

    given: Literal["any", "feedback", "evaluation"] = "any"
    name: str = "feedback"

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE where it was given."""
        if self.given == "any":
            return Votes.sample_where(numbers(traces, "feedback") | numbers(traces, "evaluation"))
        return Votes.sample_where(numbers(traces, self.given))
