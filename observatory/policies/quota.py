"""Keep some traces of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.contracts import Nanos, Settles, State, Votes
from observatory.model.clock import SECOND
from observatory.policies.reason import Reason, numbers

KEYS = {
    "user": "user_id",
    "session": "session_id",
    "service": "service_name",
    "route": "http.route",
}
"""Columns and attributes by the name people give; other names are meant as they are (`model`, `operation`, any attribute)."""

MOST_KEYS = 500_000
"""Keys counted in an hour, 16 bytes each; traces of further ones are not kept by this policy until the next hour."""

_HOUR = 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Quota(Reason):
    """The first `traces` traces of each value of a column or attribute, in each hour (UTC). Traces without a value are left to others.

    Every trace is counted when it completes, whatever becomes of it. What it keeps was certain to be kept, so it stands for itself.
    """

    by: str
    traces: int
    name: str = "quota"

    @property
    def settles(self) -> Settles:
        """Each trace is counted once."""
        return Settles.AT_END

    @property
    def remembers(self) -> bool:
        """How many there were."""
        return True

    @property
    def keys(self) -> Mapping[str, str]:
        """The one value."""
        return {f"key={self.by!r}": self.by}

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE for those within the quota, in the order of rows."""
        if state.get("hour") != now // _HOUR:
            state.update(hour=now // _HOUR, keys=np.zeros(0, np.uint64), counts=np.zeros(0, np.int64))
        asked = numbers(traces, next(iter(self.keys)))
        keys, place, times = np.unique(asked, return_inverse=True, return_counts=True)
        before = _counted(state, keys)
        within = (before[place] + _ordinal(place, times) < self.traces) & (asked != 0)
        known = keys != 0
        _count(state, keys[known], times[known])
        full = ~np.isin(asked, state["keys"])
        return Votes.sample_where(within & ~full)


def _ordinal(place: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How many rows of the same group come before each row."""
    order = np.argsort(place, kind="stable")
    found = np.empty(len(place), np.int64)
    found[order] = np.arange(len(place)) - np.repeat(np.cumsum(times) - times, times)
    return found


def _counted(state: State, keys: np.ndarray) -> np.ndarray:
    where = np.searchsorted(state["keys"], keys)
    there = np.isin(keys, state["keys"])
    found = np.zeros(len(keys), np.int64)
    found[there] = state["counts"][where[there]]
    return found


def _count(state: State, keys: np.ndarray, times: np.ndarray) -> None:
    there = np.isin(keys, state["keys"])
    counts = state["counts"].copy()
    counts[np.searchsorted(state["keys"], keys[there])] += times[there]
    fresh = np.flatnonzero(~there)[: MOST_KEYS - len(counts)]
    where = np.searchsorted(state["keys"], keys[fresh])
    state["keys"] = np.insert(state["keys"], where, keys[fresh])
    state["counts"] = np.insert(counts, where, times[fresh])
