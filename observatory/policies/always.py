"""Keep every trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.contracts import Nanos, Settles, State, Votes
from observatory.policies.reason import Reason


@dataclass(frozen=True, slots=True)
class Always(Reason):
    """Every trace, with certainty."""

    name: str = "always"

    @property
    def settles(self) -> Settles:
        """Nothing has to be known."""
        return Settles.AT_ONCE

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE for all."""
        return Votes.sample_where(np.ones(traces.num_rows, bool))
