"""Number columns that may be unknown: values and which of them are known, as numpy has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(slots=True)
class Numbers:
    """`values` (int64 or float64) with `known` (bool) beside them; an unknown value is 0."""

    values: np.ndarray
    known: np.ndarray

    @staticmethod
    def of(column: pa.Array) -> Numbers:
        """An int64, float64 or bool column."""
        known = np.ones(len(column), bool) if not column.null_count else column.is_valid().to_numpy(zero_copy_only=False)
        filled = column.fill_null(False if pa.types.is_boolean(column.type) else 0) if column.null_count else column
        return Numbers(filled.to_numpy(zero_copy_only=False).copy(), known.copy())

    @staticmethod
    def empty(rows: int, dtype: type = np.int64) -> Numbers:
        """Unknown in every row."""
        return Numbers(np.zeros(rows, dtype), np.zeros(rows, bool))

    def fill(self, found: Mapping[int, float]) -> Numbers:
        """The values of `found` (row -> value) where this is unknown; changes itself and returns itself."""
        for row, value in found.items():
            if not self.known[row]:
                self.values[row], self.known[row] = value, True
        return self

    def take(self, rows: np.ndarray) -> Numbers:
        """Some of the rows, by number."""
        return Numbers(self.values[rows], self.known[rows])

    def forget(self, rows: np.ndarray) -> None:
        """Unknown where `rows` is True."""
        if rows.any():
            self.values[rows], self.known[rows] = 0, False

    def array(self, type_: pa.DataType) -> pa.Array:
        """As a column of `type_`, null where unknown."""
        return pa.array(self.values, type_, mask=None if self.known.all() else ~self.known)
