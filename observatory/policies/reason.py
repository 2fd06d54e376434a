"""What most policies have in common, so that each file says only what is its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from observatory.contracts import Nanos, Settles, SpanTest, State, Votes

NONE: Mapping[str, Any] = MappingProxyType({})


class Reason:
    """A reason to keep traces: it looks for something that, once seen, stays seen; it is certain, vetoes nothing and asks spans nothing."""

    __slots__ = ()

    name: str

    @property
    def settles(self) -> Settles:
        """When the vote is final."""
        return Settles.GROWS

    @property
    def vetoes(self) -> bool:
        """Whether it may say DROP."""
        return False

    @property
    def least_threshold(self) -> int:
        """The lowest threshold it says SAMPLE under."""
        return 0

    @property
    def by_chance(self) -> bool:
        """Whether randomness has a part in its vote: then its opposite has no threshold."""
        return False

    @property
    def remembers(self) -> bool:
        """Whether its votes change its state: then it must be asked once about a trace."""
        return False

    @property
    def tests(self) -> Mapping[str, SpanTest]:
        """The questions to spans, by column."""
        return NONE

    @property
    def keys(self) -> Mapping[str, str]:
        """The hashes needed, by column."""
        return NONE

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """One vote a row."""
        # each policy has its own; declared here so that what is made of a list of reasons (`And`, `Plan`, `replay`) is known to be askable
        raise NotImplementedError


def numbers(traces: pa.RecordBatch, column: str) -> np.ndarray:
    """A column of the trace table; booleans too."""
    return np.asarray(traces.column(column))
