"""OpenTelemetry's consistent probability sampling in the trace state: `ot=th:…`, what was rejected before, and `rv:…`, the randomness."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.threshold import NEVER
from observatory.semconv.coded import Coded
from observatory.semconv.numbers import Numbers

# the threshold: 1 to 14 hexadecimal digits, the last ones left out when they are 0; the random value: exactly 14
_TH = r"(?:^|,)[ \t]*ot=(?:[^,]*;)?th:(?P<th>[0-9a-f]{1,14})[ \t]*(?:;|,|$)"
_RV = r"(?:^|,)[ \t]*ot=(?:[^,]*;)?rv:(?P<rv>[0-9a-f]{14})[ \t]*(?:;|,|$)"


def adjusted_count(trace_state: pa.Array) -> Numbers:
    """2^56 / (2^56 - T) for the rejection threshold T; unknown where there is none or it is malformed. One look at each distinct T."""
    rejected = thresholds(trace_state)
    counts = Numbers.empty(len(trace_state), np.float64)
    counts.values[rejected.known] = NEVER / (np.uint64(NEVER) - rejected.values[rejected.known]).astype(np.float64)
    counts.known[:] = rejected.known
    return counts


def thresholds(trace_state: pa.Array) -> Numbers:
    """T as uint64, where `th` says one."""
    return _found(trace_state, _TH)


def random_values(trace_state: pa.Array) -> Numbers:
    """R as uint64, where `rv` says one."""
    return _found(trace_state, _RV)


def says_anything(trace_state: pa.Array) -> bool:
    """Whether any row has a trace state; asks two numbers."""
    offsets = np.frombuffer(trace_state.buffers()[1], np.int32, count=len(trace_state) + 1, offset=4 * trace_state.offset)
    return bool(len(trace_state)) and bool(offsets[-1] > offsets[0])


def _found(trace_state: pa.Array, pattern: str) -> Numbers:
    numbers = Numbers.empty(len(trace_state), np.uint64)
    if len(trace_state) and says_anything(trace_state):
        rows = np.flatnonzero(pc.call_function("not_equal", [trace_state, pa.scalar("")]).to_numpy(zero_copy_only=False))
        found = pc.call_function("extract_regex", [trace_state.take(pa.array(rows))], pc.ExtractRegexOptions(pattern))
        digits = Coded.of(found.flatten()[0])
        table = np.array([int(text.ljust(14, "0"), 16) for text in digits.words] + [0], np.uint64)
        numbers.values[rows], numbers.known[rows] = table[digits.codes], digits.known
    return numbers
