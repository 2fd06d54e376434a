"""The votes of all policies become one decision a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from observatory.contracts import DROP, SAMPLE, Votes
from observatory.model.threshold import UNKNOWN
from observatory.policies.reason import numbers

MOST_POLICIES = 64
"""Policies of one sampler: a bit each."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """One row a trace. `kept`: bool. `threshold`: uint64, under which a kept trace was kept, UNKNOWN where that cannot be told; UNKNOWN for
    the others. `decided_by`: uint64, bit n for the n-th policy: those that said SAMPLE of a kept trace, those that said DROP of a vetoed
    one, none of a trace that nobody wanted.
    """

    kept: np.ndarray
    threshold: np.ndarray
    decided_by: np.ndarray


class Verdicts(NamedTuple):
    """What some of the policies said so far, one row a trace: bits of those that said SAMPLE and of those that said DROP (uint64), and the
    lowest threshold of the former, UNKNOWN when there is none.
    """

    sampled: np.ndarray
    dropped: np.ndarray
    threshold: np.ndarray

    @staticmethod
    def none(rows: int) -> Verdicts:
        """Nobody said anything."""
        return Verdicts(np.zeros(rows, np.uint64), np.zeros(rows, np.uint64), np.full(rows, UNKNOWN, np.uint64))

    def heard(self, number: int, votes: Votes) -> Verdicts:
        """With the votes of the policy of this number."""
        bit, yes = np.uint64(1 << number), votes.choice == SAMPLE
        return Verdicts(
            self.sampled | np.where(yes, bit, np.uint64(0)),
            self.dropped | np.where(votes.choice == DROP, bit, np.uint64(0)),
            np.where(yes, np.minimum(self.threshold, votes.threshold), self.threshold),
        )

    def rows(self, which: np.ndarray) -> Verdicts:
        """Of some of the traces."""
        return Verdicts(self.sampled[which], self.dropped[which], self.threshold[which])

    def decided(self, randomness: np.ndarray, incoming: np.ndarray) -> Decisions:
        """What becomes of them: DROP wins; else one SAMPLE keeps, under the client's threshold (`incoming`) if that is higher.

        A trace whose client says that it would not have been sampled (its randomness is below its own threshold) has an unknown count, as
        the specification has it.
        """
        kept = (self.sampled > 0) & (self.dropped == 0)
        threshold = np.maximum(self.threshold, incoming)
        threshold[~kept | (randomness < threshold)] = UNKNOWN
        return Decisions(kept, threshold, np.where(self.dropped > 0, self.dropped, self.sampled))


def combine(votes: Sequence[Votes], traces: pa.RecordBatch) -> Decisions:
    """One decision of the votes of all policies, in their order, of all rows of `traces`."""
    verdicts = Verdicts.none(traces.num_rows)
    for number, each in enumerate(votes):
        verdicts = verdicts.heard(number, each)
    return verdicts.decided(numbers(traces, "randomness"), numbers(traces, "threshold"))


def names_of(decided_by: int, policies: Sequence[str]) -> list[str]:
    """The names of the policies whose bits are set."""
    return [name for number, name in enumerate(policies) if decided_by >> number & 1]
