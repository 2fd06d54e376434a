"""Exponential histograms of scale 6 as columns: sparse, signed, and exact under addition in any order.

Bucket i holds values in (2^(i/64), 2^((i+1)/64)], so a bucket is 1.1 % wide and its geometric middle is at most 0.55 % off. The values are
numbers of a fine unit (nanoseconds, tokens per 1,000 s): everything below 1 counts as 1. Counts are signed, because a call that turns out
not to count is taken back; buckets that add up to nothing are left out, so what cancels leaves empty lists.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

SCALE = 64  # buckets for each doubling

_BOUNDS = 2.0 ** (np.arange(SCALE) / SCALE)
"""Lower ends of the buckets of [1, 2). A table and no logarithm: what is taken back must meet the bucket it was put in, on any machine."""

_DENSE = 16  # cells of a table for each value, up to which counting in a table beats sorting
_BUCKETS = pa.list_(pa.field("item", pa.int32(), nullable=False))
_COUNTS = pa.list_(pa.field("item", pa.int64(), nullable=False))


class Histograms(NamedTuple):
    """One histogram a row: `buckets` (list of int32, ascending, distinct) and `counts` (list of int64, none is 0), of equal lengths."""

    buckets: pa.ListArray
    counts: pa.ListArray


def bucket_of(values: np.ndarray) -> np.ndarray:
    """The bucket of every value (int64 or float64, no NaN) as int64; a value below 1 is taken for 1, which is in bucket -1."""
    mantissa, exponent = np.frexp(np.maximum(values, 1).astype(np.float64))  # value = mantissa * 2^exponent, mantissa in [0.5, 1)
    above = np.searchsorted(_BOUNDS, 2 * mantissa, side="left")  # 0 for a power of two: it is the upper end of the bucket below
    return SCALE * (exponent.astype(np.int64) - 1) + above - 1


def middle(buckets: np.ndarray) -> np.ndarray:
    """What stands for a value of each bucket: its geometric middle."""
    return 2.0 ** ((np.asarray(buckets, np.float64) + 0.5) / SCALE)


def counted(group: np.ndarray, buckets: np.ndarray, counts: np.ndarray | None, groups: int) -> Histograms:
    """Histograms of `groups` groups from single observations: the group of each, its bucket, and how often it counts (once when None)."""
    if not len(group):
        return none(groups)
    low = int(buckets.min())
    width = int(buckets.max()) - low + 1
    cells = group * width + (buckets - low)
    if groups * width <= _DENSE * len(cells):
        table = np.zeros(groups * width, np.int64)
        np.add.at(table, cells, 1 if counts is None else counts)
        found = np.flatnonzero(table)
        sums = table[found]
    else:
        found, place = np.unique(cells, return_inverse=True)
        sums = np.zeros(len(found), np.int64)
        np.add.at(sums, place, 1 if counts is None else counts)
        found, sums = found[sums != 0], sums[sums != 0]
    offsets = pa.array(np.searchsorted(found, np.arange(groups + 1, dtype=np.int64) * width).astype(np.int32))
    return Histograms(
        pa.ListArray.from_arrays(offsets, pa.array((found % width + low).astype(np.int32)), type=_BUCKETS),
        pa.ListArray.from_arrays(offsets, pa.array(sums), type=_COUNTS),
    )


def added(group: np.ndarray, rows: Histograms, groups: int) -> Histograms:
    """The histograms of the rows of each group added together; `group` has the group of every row."""
    owner = np.repeat(group, np.diff(rows.buckets.offsets.to_numpy()))
    return counted(owner, rows.buckets.flatten().to_numpy().astype(np.int64), rows.counts.flatten().to_numpy(), groups)


def none(groups: int) -> Histograms:
    """Empty histograms."""
    offsets = pa.array(np.zeros(groups + 1, np.int32))
    return Histograms(
        pa.ListArray.from_arrays(offsets, pa.array([], pa.int32()), type=_BUCKETS),
        pa.ListArray.from_arrays(offsets, pa.array([], pa.int64()), type=_COUNTS),
    )


def quantile(buckets: np.ndarray, counts: np.ndarray, q: float) -> float | None:
    """The value below or at which a share `q` of the observations lies, within 0.55 %; None without observations.

    Of one added-up histogram: buckets ascend, no count is negative. It is the value of rank ceil(q * n), at least 1.
    """
    total = int(counts.sum())
    if total <= 0:
        return None
    rank = max(int(np.ceil(q * total)), 1)
    return float(middle(buckets[np.searchsorted(np.cumsum(counts), rank, side="left")]))
