"""Asking the policies: which may be asked when, and when what they said is final."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from observatory.contracts import Paced, Policy, Settles, State
from observatory.model.clock import Nanos
from observatory.model.threshold import UNKNOWN
from observatory.policies.combine import Verdicts, names_of


class Plan:
    """The policies in their order, and what each remembers."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies = tuple(policies)
        self.states: dict[str, State] = {policy.name: {} for policy in policies}
        self._once, self._grows, self._end = (self._of(settles) for settles in (Settles.AT_ONCE, Settles.GROWS, Settles.AT_END))
        self.settles_at_once = len(self._once) == len(self.policies)
        self._may_still_veto = any(policy.vetoes for _, policy in (*self._grows, *self._end))
        self._floor = min((policy.least_threshold for _, policy in self._end), default=UNKNOWN)

    @property
    def fingerprint(self) -> list[str]:
        """Equal for the same policies, told the same, in the same order: then votes that were stored are theirs."""
        return [repr(policy) for policy in self.policies]

    def names(self, by: int) -> list[str]:
        """The policies of these bits."""
        return names_of(by, [policy.name for policy in self.policies])

    def arrived(self, spans: int, now: Nanos) -> None:
        """At every tick, before anything is asked: so many spans came."""
        for policy in self.policies:
            if isinstance(policy, Paced):
                policy.arrived(spans, self.states[policy.name], now)

    def at_first_sight(self, traces: pa.RecordBatch, now: Nanos) -> Verdicts:
        """Of those that settle at once."""
        return self._ask(self._once, Verdicts.none(traces.num_rows), traces, now)

    def early(self, traces: pa.RecordBatch, once: Verdicts, now: Nanos) -> tuple[Verdicts, np.ndarray]:
        """(what is known so far, where that is final): where all have settled, where one forbids it for good, and where it is kept and none
        that is still to be heard could forbid it or lower its threshold.
        """
        if self.settles_at_once:
            return once, np.ones(traces.num_rows, bool)
        if self._may_still_veto:
            return once, once.dropped != 0
        verdicts, floor = once, np.full(traces.num_rows, self._floor, np.uint64)
        for number, policy in self._grows:
            verdicts = self._ask([(number, policy)], verdicts, traces, now)
            silent = verdicts.sampled & np.uint64(1 << number) == 0
            floor = np.where(silent, np.minimum(floor, np.uint64(policy.least_threshold)), floor)
        kept = (verdicts.sampled != 0) & (verdicts.threshold <= floor)
        return verdicts, kept | (verdicts.dropped != 0)

    def counted(self, traces: pa.RecordBatch, verdicts: Verdicts, now: Nanos) -> Verdicts:
        """With the votes of those that count every trace, of traces that are decided before their end."""
        return self._ask([(number, policy) for number, policy in self._end if policy.remembers], verdicts, traces, now)

    @property
    def counts(self) -> bool:
        """Whether `counted` asks anybody."""
        return any(policy.remembers for _, policy in self._end)

    def at_end(self, traces: pa.RecordBatch, once: Verdicts, now: Nanos) -> Verdicts:
        """The last word."""
        return self._ask((*self._grows, *self._end), once, traces, now)

    def _of(self, settles: Settles) -> list[tuple[int, Policy]]:
        return [(number, policy) for number, policy in enumerate(self.policies) if policy.settles is settles]

    def _ask(self, some: Sequence[tuple[int, Policy]], verdicts: Verdicts, traces: pa.RecordBatch, now: Nanos) -> Verdicts:
        for number, policy in some:
            verdicts = verdicts.heard(number, policy.vote(traces, self.states[policy.name], now))
        return verdicts
