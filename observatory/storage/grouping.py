"""Rows grouped by several columns at once, and columns of a table as one array each. No Python object for a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa

from observatory.model.arrays import one
from observatory.model.schema import TEXT

_DENSE = 8  # cells of a table for each row, up to which looking up in a table beats sorting
_FEW = 1024


@dataclass(frozen=True, slots=True)
class Groups:
    """`of`: the group of every row, `first`: the first row of every group; int64. Groups are numbered from 0, in no particular order."""

    of: np.ndarray
    first: np.ndarray

    @property
    def count(self) -> int:
        """How many."""
        return len(self.first)


def group_by(rows: int, columns: Sequence[pa.Array | np.ndarray]) -> Groups:
    """Rows with equal values in all `columns` (dictionary arrays, where null is a value of its own, or int64 numbers) are one group.

    A dictionary that holds the same text twice gives two groups, which fold later.
    """
    code, size = np.zeros(rows, np.int64), 1
    for column in columns:
        other, others = _codes(column)
        code, size = code * others + other, size * others
        if size > _DENSE * rows + _FEW:
            code, size = _dense(code, size)
    code, size = _dense(code, size)
    first = np.empty(size, np.int64)
    first[code[::-1]] = np.arange(rows - 1, -1, -1)
    return Groups(code, first)


def _codes(column: pa.Array | np.ndarray) -> tuple[np.ndarray, int]:
    """Every value as a number below the second one."""
    if not isinstance(column, np.ndarray):
        values = cast(pa.DictionaryArray, column if pa.types.is_dictionary(column.type) else column.dictionary_encode())
        return np.asarray(values.indices.fill_null(-1)).astype(np.int64) + 1, len(values.dictionary) + 1
    if not len(column):
        return column, 1
    low, high = int(column.min()), int(column.max())
    if high - low < _DENSE * len(column) + _FEW:
        return column - low, high - low + 1
    found, code = np.unique(column, return_inverse=True)
    return code, len(found)


def _dense(code: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """The same groups numbered without gaps."""
    if size > 4 * _DENSE * len(code) + _FEW:
        found, dense = np.unique(code, return_inverse=True)
        return dense, len(found)
    there = np.zeros(size, np.int64)
    there[code] = 1
    number = np.cumsum(there) - 1
    return number[code], int(number[-1]) + 1 if size else 0


def numbers(table: pa.Table, column: str) -> np.ndarray:
    """A column of whole numbers or booleans as int64; a null is 0."""
    values = one(table, column)
    nothing = False if pa.types.is_boolean(values.type) else 0
    return np.asarray(values.fill_null(nothing) if values.null_count else values).astype(np.int64)


def in_type(values: pa.Array | np.ndarray, type_: pa.DataType) -> pa.Array:
    """The same values in the type a schema wants."""
    array = pa.array(values) if isinstance(values, np.ndarray) else values
    if array.type == type_:
        return array
    if type_ == TEXT:
        return array.dictionary_encode()
    return array.cast(type_)
