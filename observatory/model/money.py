"""Money as columns: `DECIMAL(18, 12)` is a whole number of 10^-12 dollars, and 64 bits hold it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from observatory.model.schema import USD

PICO_PER_USD = 10**12


def picodollars(values: pa.Array) -> np.ndarray:
    """A decimal column as int64 of 10^-12 dollars; a null reads as 0."""
    halves = np.frombuffer(values.buffers()[1], np.int64)[2 * values.offset : 2 * (values.offset + len(values))]
    low = halves[::2]  # little endian; the upper half is the sign again
    return np.where(np.asarray(values.is_valid()), low, 0) if values.null_count else low.copy()


def usd(pico: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """int64 of 10^-12 dollars as a decimal column; null where `valid` is False."""
    halves = np.empty(2 * len(pico), np.int64)
    halves[::2] = pico
    halves[1::2] = pico >> 63
    bits = None
    nulls = 0
    if valid is not None and not valid.all():
        bits = pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
        nulls = len(valid) - int(valid.sum())
    return pa.Array.from_buffers(USD, len(pico), [bits, pa.py_buffer(halves.tobytes())], nulls)
