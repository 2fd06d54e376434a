"""Histograms of minutes added up by group, and their quantiles.

Bucket i holds values in (2^(i/64), 2^((i+1)/64)]. Counts are signed: what was taken back must meet its like before anything is ranked.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

SCALE = 64
_WIDTH = 1 << 13  # bucket numbers kept apart: -1 (for 1) to 8190 (beyond 2^127)
_TOGETHER = 1 << 20  # cells added up in one go: 10 ms of Python's lock
_DENSE = 8  # cells of a table for each value, up to which counting in a table beats sorting


class Histograms:
    """The histograms of groups, numbered from 0."""

    def __init__(self) -> None:
        self._cells: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []
        self._waiting = 0

    def add(self, group: np.ndarray, buckets: pa.ListArray, counts: pa.ListArray) -> None:
        """Rows of stored histograms, and the group of each. 10 ns a bucket of a row."""
        owner = np.repeat(group * _WIDTH + 1, np.diff(buckets.offsets.to_numpy()))
        if not len(owner):
            return
        self._cells.append(owner + np.minimum(buckets.flatten().to_numpy(), _WIDTH - 2))
        self._counts.append(counts.flatten().to_numpy())
        self._waiting += len(owner)
        if self._waiting >= _TOGETHER:
            self._fold()

    def quantiles(self, shares: tuple[float, ...]) -> dict[int, list[float]]:
        """Of every group that has observations, the value below or at which each share lies: the middle of the bucket that holds rank
        ceil(share * n), within 0.55 %."""
        if not self._cells:
            return {}
        self._fold()
        cells, counts = self._cells[0], self._counts[0]
        cells, counts = cells[counts > 0], counts[counts > 0]
        group = cells // _WIDTH
        first = np.flatnonzero(np.diff(group, prepend=-1))
        if not len(first):
            return {}
        upto = np.cumsum(counts)
        before = upto[first] - counts[first]
        total = np.add.reduceat(counts, first)
        ranks = [np.maximum(np.ceil(share * total), 1).astype(np.int64) for share in shares]
        middles = [2.0 ** ((cells[np.searchsorted(upto, before + rank)] % _WIDTH - 0.5) / SCALE) for rank in ranks]
        return dict(zip(group[first].tolist(), np.column_stack(middles).tolist(), strict=True))

    def whole(self) -> Histograms:
        """All groups together, as group 0."""
        found = Histograms()
        found._cells, found._counts = [cells % _WIDTH for cells in self._cells], list(self._counts)
        return found

    def _fold(self) -> None:
        cells, counts = _added(np.concatenate(self._cells), np.concatenate(self._counts))
        self._cells, self._counts, self._waiting = [cells], [counts], 0


def _added(cells: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct cells, ascending, and the sum of the counts of each. Exact to 2^53 calls in a cell."""
    low = int(cells.min())
    width = int(cells.max()) - low + 1
    if width <= _DENSE * len(cells):
        table = np.bincount(cells - low, counts, width)
        found = np.flatnonzero(table)
        return found + low, table[found].astype(np.int64)
    found, place = np.unique(cells, return_inverse=True)
    return found, np.bincount(place, counts, len(found)).astype(np.int64)
