"""Asking the policies, and making one verdict of their votes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from observatory.contracts import DROP, SAMPLE, Policy, Settles, State
from observatory.model.clock import Nanos
from observatory.model.threshold import NEVER, UNKNOWN

_NONE = np.uint64(NEVER)
_UNKNOWN = np.uint64(UNKNOWN)


class Verdicts(NamedTuple):
    """Row for row: `by`, a bit for each policy that keeps it; the lowest of their thresholds, or `NEVER`; whether one vetoes."""

    by: np.ndarray
    threshold: np.ndarray
    drop: np.ndarray

    @property
    def keep(self) -> np.ndarray:
        """Where it is kept, if this is final."""
        return (self.by != 0) & ~self.drop

    def and_with(self, other: Verdicts) -> Verdicts:
        """What both together say."""
        return Verdicts(self.by | other.by, lowest(self.threshold, other.threshold), self.drop | other.drop)


class Plan:
    """The policies in their order, and what each remembers."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies = tuple(policies)
        self.states: dict[str, State] = {policy.name: {} for policy in policies}
        self._once = self._of(Settles.AT_ONCE)
        self._grows = self._of(Settles.GROWS)
        self._end = self._of(Settles.AT_END)
        self.settles_at_once = len(self._once) == len(self.policies)
        self._may_still_veto = any(policy.vetoes for _, policy in (*self._grows, *self._end))
        self._floor = min((policy.least_threshold for _, policy in self._end), default=UNKNOWN)

    def names(self, by: int) -> str:
        """The policies of a mask, parted by commas."""
        return ",".join(policy.name for bit, policy in enumerate(self.policies) if by >> bit & 1)

    def at_first_sight(self, traces: pa.RecordBatch, now: Nanos) -> Verdicts:
        """Of those that settle at once."""
        return self._ask(self._once, traces, now)

    def early(self, traces: pa.RecordBatch, once: Verdicts, now: Nanos) -> tuple[Verdicts, np.ndarray]:
        """(what is known so far, where that is final)."""
        if self.settles_at_once:
            return once, np.ones(traces.num_rows, bool)
        if self._may_still_veto:
            return once, once.drop
        floor = np.full(traces.num_rows, self._floor, np.uint64)
        verdicts = once
        for bit, policy in self._grows:
            one = self._ask([(bit, policy)], traces, now)
            floor = np.where(one.by != 0, floor, np.minimum(floor, np.uint64(policy.least_threshold)))
            verdicts = verdicts.and_with(one)
        return verdicts, verdicts.drop | (verdicts.by != 0) & (verdicts.threshold <= floor)

    def at_end(self, traces: pa.RecordBatch, once: Verdicts, now: Nanos) -> Verdicts:
        """The last word."""
        return once.and_with(self._ask((*self._grows, *self._end), traces, now))

    def _of(self, settles: Settles) -> list[tuple[int, Policy]]:
        return [(bit, policy) for bit, policy in enumerate(self.policies) if policy.settles is settles]

    def _ask(self, some: Sequence[tuple[int, Policy]], traces: pa.RecordBatch, now: Nanos) -> Verdicts:
        rows = traces.num_rows
        verdicts = Verdicts(np.zeros(rows, np.uint64), np.full(rows, _NONE), np.zeros(rows, bool))
        for bit, policy in some:
            votes = policy.vote(traces, self.states[policy.name], now)
            sampled = votes.choice == SAMPLE
            one = Verdicts(sampled * np.uint64(1 << bit), np.where(sampled, votes.threshold, _NONE), votes.choice == DROP)
            verdicts = verdicts.and_with(one)
        return verdicts


def lowest(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """The threshold of traces that either keeps: the lower one; unknown when one is, unless the other keeps all. `NEVER` keeps none."""
    known = np.minimum(one, two)
    unknown = (one == _UNKNOWN) | (two == _UNKNOWN)
    return np.where(unknown & (known != 0), _UNKNOWN, known)


def raised(threshold: np.ndarray, incoming: np.ndarray) -> np.ndarray:
    """The threshold of what came with one already: the higher one."""
    return np.where(threshold == _UNKNOWN, _UNKNOWN, np.maximum(threshold, incoming))
