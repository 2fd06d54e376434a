"""Share one rate among policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.contracts import ABSTAIN, DROP, SAMPLE, Nanos, Settles, State, Votes
from observatory.model.threshold import UNKNOWN, threshold_of
from observatory.policies.compound import Several
from observatory.policies.limiting import allowance
from observatory.policies.reason import numbers


@dataclass(frozen=True, slots=True)
class Composite(Several):
    """Traces of `rate` spans a second on average, wanted by one of `parts`; the first that says SAMPLE answers for a trace.

    Each part has its `percents` of the rate, and what one does not use goes to the others in their order. A tick's threshold is one for
    each part, as in `limiting`. Behind a part that decides by chance counts are unknown: who comes second was also left over by chance.
    """

    percents: tuple[float, ...]
    rate: float
    name: str = "composite"

    @property
    def settles(self) -> Settles:
        """When sizes are known."""
        return Settles.AT_END

    @property
    def least_threshold(self) -> int:
        """The lowest of its parts'."""
        return min(part.least_threshold for part in self.parts)

    @property
    def by_chance(self) -> bool:
        """Above the rate."""
        return True

    @property
    def remembers(self) -> bool:
        """What is left to spend."""
        return True

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE for the share of each part's traces that its tokens buy."""
        votes = self.votes(traces, state, now)
        choices = np.array([each.choice for each in votes])
        wanted = choices == SAMPLE
        first = np.where(wanted.any(axis=0), wanted.argmax(axis=0), -1)
        sizes, randomness = numbers(traces, "span_count").astype(float), numbers(traces, "randomness")
        offered = np.array([sizes[first == part].sum() for part in range(len(votes))])
        limits = self._limits(offered, state, now)
        choice, threshold = np.full(len(first), ABSTAIN, np.int8), np.zeros(len(first), np.uint64)
        chance_before = False
        for part, vote in enumerate(votes):
            mine = first == part
            choice[mine & (randomness >= np.uint64(limits[part]))] = SAMPLE
            own = np.maximum(vote.threshold, np.uint64(limits[part]))
            threshold[mine] = UNKNOWN if chance_before else own[mine]
            chance_before = chance_before or self.parts[part].by_chance
        state["tokens"] -= float(sizes[choice == SAMPLE].sum())
        choice[(choices == DROP).any(axis=0)] = DROP
        return Votes(choice, threshold)

    def _limits(self, offered: np.ndarray, state: State, now: Nanos) -> list[int]:
        total = allowance(self.rate, 2 * self.rate, float(offered.sum()), state, now)
        due = total * np.array(self.percents) / 100
        spent = np.minimum(offered, due)
        left = total - spent.sum()
        for part, missing in enumerate(offered - spent):
            more = min(max(left, 0.0), missing)
            spent[part] += more
            left -= more
        return [threshold_of(may / all_) if may < all_ else 0 for may, all_ in zip(spent.tolist(), offered.tolist(), strict=True)]
