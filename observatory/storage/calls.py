"""Calls of models, as rows that may be revised: the key is (start_ns, trace_id, span_id), and the highest revision is the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa

from observatory.model.arrays import distinct, one
from observatory.model.money import picodollars
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.storage.grouping import numbers

KEY = ("start_ns", "trace_id", "span_id", "revision")
"""What `latest` reads of `schema(LLM_CALLS)`."""

SUMMED = ("counted", "total_cost_usd")
"""What `sums_of` reads."""

_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


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


def latest_of(parts: Callable[[], Iterable[pa.Table]]) -> tuple[np.ndarray, dict[str, int]]:
    """`latest` of rows that are read part by part, and what `sums_of` says of those. `parts` gives the same `KEY` and `SUMMED` each time.

    Holds 24 bytes a row, and the keys of rows that look alike by 8 of these: a million keys at once take 160 MB.
    """
    digests, sums = [np.zeros(0, np.uint64)], sums_of(schema(Signal.LLM_CALLS).empty_table())
    for rows in parts():
        digests.append(_digests(rows))
        sums = {name: sums[name] + value for name, value in sums_of(rows).items()}
    digest = np.concatenate(digests)
    ordered = np.sort(digest)
    alike = distinct(ordered[1:][ordered[1:] == ordered[:-1]])
    kept = np.ones(len(digest), bool)
    if len(alike):
        maybe = alike[np.minimum(np.searchsorted(alike, digest), len(alike) - 1)] == digest
        ends = np.cumsum([len(part) for part in digests])
        some = pa.concat_tables(rows.filter(pa.array(maybe[end : end + rows.num_rows])) for rows, end in zip(parts(), ends, strict=False))
        kept[maybe] = stays = latest(some)
        sums = {name: sums[name] - value for name, value in sums_of(some.filter(pa.array(~stays))).items()}
    return kept, sums


def sums_of(rows: pa.Table) -> dict[str, int]:
    """What a merge must keep of the rows that stay: how many, how many count, and their cost in 10^-12 dollars."""
    cost = picodollars(one(rows, "total_cost_usd"))
    dollars = (int((cost >> 32).sum()) << 32) + int((cost & 0xFFFF_FFFF).sum())  # a sum of 64 bits would end at 9 million dollars
    return {"calls": rows.num_rows, "counted": int(numbers(rows, "counted").sum()), "total_cost_usd": dollars}


def fold(rows: pa.Table) -> pa.RecordBatch:
    """Rows of `schema(LLM_CALLS)` without those that a higher revision among them replaces, in the order of their starts.

    Associative, and independent of order but for rows that start together.
    """
    kept = rows.filter(pa.array(latest(rows)))
    order = pa.array(np.argsort(numbers(kept, "start_ns"), kind="stable"))
    ordered = kept.unify_dictionaries().combine_chunks().take(order)
    batches = ordered.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema(Signal.LLM_CALLS))


def _digests(rows: pa.Table) -> np.ndarray:
    """Equal for revisions of one call, and of rows that are none hardly ever: start and ids times odd numbers, added up."""
    trace, span = _words(one(rows, "trace_id"), 2), _words(one(rows, "span_id"), 1)
    start = numbers(rows, "start_ns").view(np.uint64)
    return start * _ODD[0] + span[:, 0] * _ODD[1] + trace[:, 0] * _ODD[2] + trace[:, 1]


def _words(ids: pa.Array, words: int) -> np.ndarray:
    """Ids of `8 * words` bytes as rows of native numbers; only equality means anything."""
    return np.frombuffer(ids.buffers()[1], np.uint64, words * len(ids), ids.offset * 8 * words).reshape(-1, words)
