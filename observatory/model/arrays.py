"""Columns of tables as single Arrow arrays, and numbers each once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def one(table: pa.Table, column: str) -> pa.Array:
    """A column as one array, its dictionaries unified."""
    chunked = table.column(column)
    if chunked.num_chunks == 1:
        return chunked.chunk(0)
    if chunked.num_chunks == 0:
        return pa.array([], chunked.type)
    return chunked.unify_dictionaries().combine_chunks()


def whole(tables: list[pa.Table]) -> pa.Table:
    """Tables of one schema under each other, as one chunk."""
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def distinct(numbers: np.ndarray) -> np.ndarray:
    """The different numbers, sorted; numpy's own `unique` hashes, which takes four times as long."""
    ordered = np.sort(numbers)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(ordered) else ordered
