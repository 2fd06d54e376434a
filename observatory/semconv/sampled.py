"""How many calls one stands for: OpenTelemetry's consistent probability sampling, `ot=th:…` in the trace state."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.semconv.coded import Coded
from observatory.semconv.numbers import Numbers

# the threshold: 1 to 14 hexadecimal digits, the last ones left out when they are 0
_TH = r"(?:^|,)[ \t]*ot=(?:[^,]*;)?th:(?P<th>[0-9a-f]{1,14})[ \t]*(?:;|,|$)"


def adjusted_count(trace_state: pa.Array) -> Numbers:
    """2^56 / (2^56 - T) for the rejection threshold T; unknown where there is none or it is malformed. One look at each distinct T."""
    rows = np.flatnonzero(pc.call_function("not_equal", [trace_state, pa.scalar("")]).to_numpy(zero_copy_only=False))
    counts = Numbers.empty(len(trace_state), np.float64)
    if len(rows):
        found = pc.call_function("extract_regex", [trace_state.take(pa.array(rows))], pc.ExtractRegexOptions(_TH))
        digits = Coded.of(found.flatten()[0])
        table = np.array([_count(text) for text in digits.words] + [0.0])
        counts.values[rows], counts.known[rows] = table[digits.codes], digits.known
    return counts


def _count(digits: str) -> float:
    return 2**56 / (2**56 - int(digits.ljust(14, "0"), 16))
