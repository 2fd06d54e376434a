"""Consistent probability sampling in 56 bits, as OpenTelemetry's trace state says it: keep a trace when its randomness R >= threshold T.

A threshold is how much is *rejected*: 0 keeps all, 2^56 none; the probability is (2^56 - T) / 2^56, and a kept trace stands for its
inverse. Source: OpenTelemetry specification, trace/tracestate-probability-sampling.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

NEVER = 1 << 56
"""The threshold that rejects every trace."""

UNKNOWN = (1 << 64) - 1
"""In place of a threshold: kept with a probability that cannot be told, so that its adjusted count is null."""

_MASK = np.uint64(NEVER - 1)


def randomness(trace_ids: pa.Array) -> np.ndarray:
    """The low 56 bits of every trace id (binary of 16, no nulls) as uint64."""
    return randomness_of(np.frombuffer(trace_ids.buffers()[1], np.uint64, offset=trace_ids.offset * 16, count=2 * len(trace_ids))[1::2])


def randomness_of(last: np.ndarray) -> np.ndarray:
    """The same of the second halves of trace ids (`traceids.Ids.low`), as they lie in memory."""
    return last.view(">u8").astype(np.uint64) & _MASK


def threshold_of(probability: float) -> int:
    """The threshold that keeps this share, 0 … 1; a share below 2^-56 keeps nothing."""
    return min(max(round((1.0 - probability) * NEVER), 0), NEVER)


def adjusted_counts(thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(how many traces one stands for as float64, whether that is known) of thresholds (uint64)."""
    known = thresholds < np.uint64(NEVER)
    return NEVER / (np.uint64(NEVER) - np.where(known, thresholds, np.uint64(0))).astype(np.float64), known


def threshold_for(adjusted_count: float) -> int:
    """The threshold of a count: the way back of `adjusted_counts`.

    Below a count of 8 a double has not all 56 bits: there the last two of 14 digits are rounded, to where the count is the same if that can
    be, else down. A kept trace then lies below its threshold once in 10^15 times.
    """
    kept = round(NEVER / adjusted_count)
    if kept < 1 << 53:
        return NEVER - kept
    rounded = NEVER - (kept + 128) // 256 * 256
    return rounded if NEVER / (NEVER - rounded) == adjusted_count else max(NEVER - kept - 32, 0) // 256 * 256
