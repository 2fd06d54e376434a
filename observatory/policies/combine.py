"""The votes of all policies become one decision a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def combine(votes: Sequence[Votes], traces: pa.RecordBatch) -> Decisions:
    """DROP wins; else one SAMPLE keeps. The threshold is the lowest under which anyone keeps it, or the client's own if that is higher.

    `votes` are of the policies in their order, of all rows of `traces`. A trace whose client says that it would not have been sampled
    (its randomness is below its own threshold) has an unknown count, as the specification has it.
    """
    rows = traces.num_rows
    sampled, dropped, threshold = np.zeros(rows, np.uint64), np.zeros(rows, np.uint64), np.full(rows, UNKNOWN, np.uint64)
    for number, each in enumerate(votes):
        bit, yes = np.uint64(1 << number), each.choice == SAMPLE
        sampled |= np.where(yes, bit, np.uint64(0))
        dropped |= np.where(each.choice == DROP, bit, np.uint64(0))
        threshold = np.where(yes, np.minimum(threshold, each.threshold), threshold)
    kept = (sampled > 0) & (dropped == 0)
    threshold = np.maximum(threshold, numbers(traces, "threshold"))
    impossible = numbers(traces, "randomness") < threshold
    threshold[~kept | impossible] = UNKNOWN
    return Decisions(kept, threshold, np.where(dropped > 0, dropped, sampled))


def names_of(decided_by: int, policies: Sequence[str]) -> list[str]:
    """The names of the policies whose bits are set."""
    return [name for number, name in enumerate(policies) if decided_by >> number & 1]
