"""The trace table that policies see, made of what a test says of its traces.

    table = trace_table([{"took_s": 7}, {"errors": 1, "id": 5}], policy)

Everything not said is that of a quiet, complete trace of one span which took a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from observatory.contracts import Policy
from observatory.model.clock import SECOND
from observatory.model.schema import TRACE_ID
from observatory.model.threshold import randomness
from observatory.testing.clock import NOON

_FIGURES = (
    "span_count", "error_count", "bytes", "llm_calls", "input_tokens", "output_tokens", "cost", "ttft_ns",
    "start_ns", "end_ns", "first_received", "last_received",
)  # fmt: skip
_TRUTHS = ("has_root", "feedback", "evaluation", "complete")
_USUAL = {"span_count": 1, "bytes": 800, "start_ns": NOON - SECOND, "end_ns": NOON, "first_received": NOON, "last_received": NOON}


def trace_id(number: int) -> bytes:
    """An id whose randomness is as good as any, the same for the same number."""
    return hashlib.sha256(number.to_bytes(8, "big")).digest()[:16]


def trace_table(traces: Sequence[Mapping[str, Any]], *policies: Policy) -> pa.RecordBatch:
    """One row a trace. Keys are columns of the table (`contracts.Policy`), `id` (a number or 16 bytes), `took_s` or, for tests and keys
    of `policies`, their columns; `yes` says yes to all tests.
    """
    rows = [_filled(number, trace) for number, trace in enumerate(traces)]
    ids = pa.array([row["trace_id"] for row in rows], TRACE_ID)
    said = randomness(ids) if rows else np.zeros(0, np.uint64)
    columns: dict[str, pa.Array] = {
        "trace_id": ids,
        "randomness": pa.array([row.get("randomness", said[at]) for at, row in enumerate(rows)], pa.uint64()),
        "threshold": pa.array([row.get("threshold", 0) for row in rows], pa.uint64()),
        **{name: pa.array([row.get(name, 0) for row in rows], pa.int64()) for name in _FIGURES},
        **{name: pa.array([row.get(name, name in ("has_root", "complete")) for row in rows], pa.bool_()) for name in _TRUTHS},
    }
    for policy in policies:
        for column in policy.tests:
            columns[column] = pa.array([row.get(column, row.get("yes", False)) for row in rows], pa.bool_())
        for column in policy.keys:
            columns[column] = pa.array([row.get(column, row.get("key", 0)) for row in rows], pa.uint64())
    return pa.RecordBatch.from_pydict(columns)


def _filled(number: int, trace: Mapping[str, Any]) -> dict[str, Any]:
    row = {**_USUAL, **trace}
    if "took_s" in row:
        row["start_ns"] = row["end_ns"] - round(row["took_s"] * SECOND)
    given = row.get("id", number)
    row["trace_id"] = given if isinstance(given, bytes) else trace_id(given)
    return row
