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


def hex_text(ids: pa.Array) -> pa.Array:
    """Binary of one width as text of hex digits."""
    width, data = ids.type.byte_width, ids.buffers()[1]  # no data where every value is null
    raw = np.zeros(len(ids) * width, np.uint8)
    if len(ids) and data is not None:
        raw = np.frombuffer(data, np.uint8, len(ids) * width, ids.offset * width)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)[np.stack((raw >> 4, raw & 15), axis=1)]
    ends = np.arange(len(ids) + 1, dtype=np.int32) * 2 * width
    bits = pa.py_buffer(np.packbits(np.asarray(ids.is_valid()), bitorder="little").tobytes()) if ids.null_count else None
    return pa.Array.from_buffers(pa.string(), len(ids), [bits, pa.py_buffer(ends.tobytes()), pa.py_buffer(digits.tobytes())])
