"""Calls of models, as rows that may be revised: the key is (start_ns, trace_id, span_id), and the highest revision is the truth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from observatory.model.arrays import one
from observatory.model.money import picodollars
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.storage.grouping import numbers

KEY = ("start_ns", "trace_id", "span_id", "revision")
"""What `latest` reads of `schema(LLM_CALLS)`."""

SUMMED = ("counted", "total_cost_usd")
"""What `sums_of` reads."""


def latest(rows: pa.Table) -> np.ndarray:
    """Which rows are the highest revision of their call, as booleans; one row when a revision is there twice."""
    if not rows.num_rows:
        return np.zeros(0, bool)
    start, revision = numbers(rows, "start_ns"), numbers(rows, "revision")
    trace, span = _words(one(rows, "trace_id"), 2), _words(one(rows, "span_id"), 1)
    order = np.lexsort((revision, span[:, 0], trace[:, 1], trace[:, 0], start))
    same = np.ones(len(order) - 1, bool)
    for words in (start, span[:, 0], trace[:, 1], trace[:, 0]):
        same &= words[order[1:]] == words[order[:-1]]
    kept = np.ones(len(order), bool)
    kept[order[:-1][same]] = False  # a later one follows
    return kept


def sums_of(rows: pa.Table) -> dict[str, int]:
    """What a merge must keep of the rows that stay: how many, how many count, and their cost in 10^-12 dollars."""
    cost = picodollars(one(rows, "total_cost_usd"))
    return {"calls": rows.num_rows, "counted": int(numbers(rows, "counted").sum()), "total_cost_usd": sum(cost.tolist())}


def fold(rows: pa.Table) -> pa.RecordBatch:
    """Rows of `schema(LLM_CALLS)` without those that a higher revision among them replaces, in the order of their starts.

    Associative, and independent of order but for rows that start together.
    """
    kept = rows.filter(pa.array(latest(rows)))
    order = pa.array(np.argsort(numbers(kept, "start_ns"), kind="stable"))
    ordered = kept.unify_dictionaries().combine_chunks().take(order)
    batches = ordered.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema(Signal.LLM_CALLS))


def _words(ids: pa.Array, words: int) -> np.ndarray:
    """Ids of `8 * words` bytes as rows of native numbers; only equality means anything."""
    return np.frombuffer(ids.buffers()[1], np.uint64, words * len(ids), ids.offset * 8 * words).reshape(-1, words)
