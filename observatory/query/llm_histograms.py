"""Histograms of minutes added up by group, and their quantiles.

Bucket i holds values in (2^(i/64), 2^((i+1)/64)]. Counts are signed: what was taken back must meet its like before anything is ranked.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

SCALE = 64
_WIDTH = 1 << 13  # bucket numbers kept apart: -1 (for 1) to 8190 (beyond 2^127)
_TABLE = 1 << 22  # cells of all groups, up to which they are counted in one table of 32 MB: 4 ns a cell of a row; sorting takes 80
_TOGETHER = 1 << 20  # cells sorted in one go


class Histograms:
    """The histograms of so many groups, numbered from 0."""

    def __init__(self, groups: int) -> None:
        self._table = np.zeros(groups * _WIDTH, np.int64) if groups * _WIDTH <= _TABLE else None
        self._cells: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []
        self._waiting = 0

    def add(self, group: np.ndarray, buckets: pa.ListArray, counts: pa.ListArray) -> None:
        """Rows of stored histograms, and the group of each."""
        cells = np.repeat(group * _WIDTH + 1, np.diff(buckets.offsets.to_numpy()))
        cells += np.minimum(buckets.flatten().to_numpy(), _WIDTH - 2)
        numbers = counts.flatten().to_numpy()
        if self._table is not None:
            np.add.at(self._table, cells, numbers)
            return
        self._cells.append(cells)
        self._counts.append(numbers)
        self._waiting += len(cells)
        if self._waiting >= _TOGETHER:
            self._fold()

    def quantiles(self, shares: tuple[float, ...]) -> dict[int, list[float]]:
        """Of every group that has observations, the value below or at which each share lies: the middle of the bucket that holds rank
        ceil(share * n), within 0.55 %."""
        cells, counts = self._added()
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
        found = Histograms(1)
        cells, counts = self._added()
        found._table = np.zeros(_WIDTH, np.int64)
        np.add.at(found._table, cells % _WIDTH, counts)
        return found

    def _added(self) -> tuple[np.ndarray, np.ndarray]:
        """The cells, ascending, and what each adds up to."""
        if self._table is not None:
            cells = np.flatnonzero(self._table)
            return cells, self._table[cells]
        if not self._cells:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._fold()
        return self._cells[0], self._counts[0]

    def _fold(self) -> None:
        cells, place = np.unique(np.concatenate(self._cells), return_inverse=True)
        counts = np.zeros(len(cells), np.int64)
        np.add.at(counts, place, np.concatenate(self._counts))
        self._cells, self._counts, self._waiting = [cells], [counts], 0
