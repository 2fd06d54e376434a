"""The rule that says which spans are calls that count. `docs/COST.md` states it for people, in the same order."""

from __future__ import annotations

import numpy as np

from observatory.pipeline.counting.family import related
from observatory.pipeline.counting.memory import SUM, Memory

REASONS = (
    None,
    "never",  # stands for the candidate's own `never_counts`
    "no_call",  # nothing was asked: no usage, no output, no first token, no error, no response id
    "sdk_duplicate",  # the SDK's own span of a call that an instrumentation shows
    "wraps_call",  # a span inside it is the call
    "part_of_call",  # without usage, inside a call that has it
    "duplicate_response",  # another span has the same response id
    "sums_up",  # an agent or chain whose calls are shown
)
_NEVER, _NO_CALL, _SDK, _WRAPS, _PART, _RESPONSE, _SUMS = range(1, 8)


def judge(memory: Memory, rows: np.ndarray) -> np.ndarray:
    """The reason why each row does not count, as an index of `REASONS`; 0: it counts."""
    m, at = memory, memory.at(rows)
    outer, twin = m.outer[at], m.twin[at]
    inside = (outer >= 0) & m.known(outer)
    above = m.at(np.maximum(outer, 0))
    paired = (twin >= 0) & m.known(twin)
    other = m.at(np.maximum(twin, 0))
    usage, native, sums = m.usage[at], m.native[at], m.group[at] == SUM
    kin = np.zeros(len(rows), bool)
    if paired.any():
        kin[paired] = related(m, rows[paired], twin[paired])

    found = np.zeros(len(rows), np.uint8)
    # the last that applies is said, so the weakest reasons come first
    found[paired & ~kin & ~native] = _RESPONSE
    found[inside & ~native & ~usage & ~m.error[at] & m.usage[above] & ~m.inner_usage[above] & m.call[above]] = _PART
    found[~native & (m.inner_usage[at] | (m.inner_call[at] & ~usage))] = _WRAPS
    found[sums & ~(inside | m.inner_usage[at])] = 0
    found[sums & (inside | m.inner_usage[at])] = _SUMS
    found[native & ((inside & m.call[above]) | (paired & m.call[other]))] = _SDK
    found[~m.call[at]] = _NO_CALL
    found[m.never[at]] = _NEVER
    return found
