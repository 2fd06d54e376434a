"""Who is whose parent, for the spans of the last minutes: two generations of sorted keys, so that memory has a bound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from observatory.model.clock import Nanos


class Found(NamedTuple):
    """What is known of some keys, row for row. `known` is False for spans that did not arrive, or are forgotten."""

    known: np.ndarray
    parent: np.ndarray  # key of the parent, 0 for a root
    row: np.ndarray  # the number of the candidate it is, -1 for a plain span


class Links:
    """At most `2 × spans` of them: when one generation is full or `age` old, the one before it is forgotten."""

    def __init__(self, spans: int, age: Nanos) -> None:
        self._spans, self._age = spans, age
        self._now, self._before = _Generation(), _Generation()
        self._since: Nanos | None = None
        self.forgotten = 0

    def __len__(self) -> int:
        return self._now.size + self._before.size

    def add(self, keys: np.ndarray, parents: np.ndarray, rows: np.ndarray, now: Nanos) -> None:
        """Remember spans; `rows` as in `Found`."""
        if not len(keys):
            return
        if self._since is None:
            self._since = now
        if self._now.size + len(keys) > self._spans or now - self._since > self._age:
            self.forgotten += self._before.size
            self._before, self._now, self._since = self._now, _Generation(), now
        self._now.add(keys, parents, rows)

    def find(self, keys: np.ndarray) -> Found:
        """What is known of these spans; of one that came more than once, what the last time said."""
        found = Found(np.zeros(len(keys), bool), np.zeros(len(keys), np.uint64), np.full(len(keys), -1, np.int64))
        for run in (*self._now.runs[::-1], *self._before.runs[::-1]):  # the latest first: most parents came with their children
            missing = np.flatnonzero(~found.known) if found.known.any() else slice(None)
            asked = keys[missing]
            if not len(asked):
                break
            at = np.maximum(np.searchsorted(run[0], asked, side="right") - 1, 0)
            hit = run[0][at] == asked
            where = np.flatnonzero(hit) if isinstance(missing, slice) else missing[hit]
            found.known[where] = True
            found.parent[where] = run[1][at[hit]]
            found.row[where] = run[2][at[hit]]
        return found

    def find_latest(self, keys: np.ndarray) -> np.ndarray:
        """The highest row of each key, for keys that are added again with a higher row each time; -1 for none."""
        rows = np.full(len(keys), -1, np.int64)
        for run in (*self._before.runs, *self._now.runs):
            at = np.searchsorted(run[0], keys, side="right") - 1
            hit = (at >= 0) & (run[0][np.maximum(at, 0)] == keys)
            rows[hit] = np.maximum(rows[hit], run[2][at[hit]])
        return rows


class _Generation:
    """Sorted runs (key, parent, row), each at least twice as long as the next, so that a key is moved a few times only."""

    def __init__(self) -> None:
        self.runs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.size = 0

    def add(self, *columns: np.ndarray) -> None:
        order = np.argsort(columns[0], kind="stable")
        run = (columns[0][order], columns[1][order], columns[2][order])
        self.size += len(order)
        while self.runs and len(self.runs[-1][0]) < 2 * len(run[0]):
            run = _merged(self.runs.pop(), run)
        self.runs.append(run)


def _merged(one: tuple[np.ndarray, ...], two: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    keys = np.concatenate((one[0], two[0]))
    order = np.argsort(keys, kind="stable")  # two sorted runs: one pass
    return keys[order], np.concatenate((one[1], two[1]))[order], np.concatenate((one[2], two[2]))[order]
