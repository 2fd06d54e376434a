"""Ids and texts as 64-bit numbers, in columns: what a few million rows are joined by.

Two of a million remembered keys are equal by chance once in 40 million runs; what happens then is that one call is judged as another.
0 is no key.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from observatory.model.arrays import one
from observatory.model.hashtable import hash_texts

_A, _B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_BITS = 1 << 18
_LOW = np.uint64(_BITS - 1)


def trace_keys(trace_ids: pa.Array) -> np.ndarray:
    """Keys of a column of 16-byte ids without nulls."""
    both = np.frombuffer(trace_ids.buffers()[1], np.uint64, 2 * len(trace_ids), trace_ids.offset * 16)
    return _mixed(_mixed(both[::2]) * _A + _mixed(both[1::2]))


def span_keys(trace_ids: pa.Array, span_ids: pa.Array) -> np.ndarray:
    """Keys of spans: an id is only unique within its trace. 0 where the span id is null."""
    return _of_spans(trace_keys(trace_ids), span_ids)


class SpanKeys(NamedTuple):
    """Keys of the same spans: of their traces, of themselves, of their parents (0 for a root)."""

    trace: np.ndarray
    span: np.ndarray
    parent: np.ndarray

    @staticmethod
    def of(spans: pa.Table) -> SpanKeys:
        """Of a table with the three ids."""
        trace = trace_keys(one(spans, "trace_id"))
        return SpanKeys(trace, *(_of_spans(trace, one(spans, name)) for name in ("span_id", "parent_span_id")))

    def at(self, places: np.ndarray) -> SpanKeys:
        """Those of some."""
        return SpanKeys(*(keys[places] for keys in self))


def text_keys(texts: pa.Array) -> np.ndarray:
    """Keys of a column of text or of a dictionary of text; 0 for null."""
    if pa.types.is_dictionary(texts.type):
        of_word = np.append(text_keys(texts.dictionary), np.uint64(0))
        codes = np.asarray(texts.indices.fill_null(len(of_word) - 1)).astype(np.int64)
        return of_word[codes]
    raw = np.zeros(len(texts), np.uint64)
    if len(texts):
        _, offsets, data = texts.buffers()
        letters = memoryview(data or b"").cast("B")
        hash_texts(letters, np.frombuffer(offsets, np.int32, len(texts) + 1, texts.offset * 4), raw)
    found = _mixed(raw)
    found[found == 0] = 1
    if texts.null_count:
        found[np.asarray(texts.is_null())] = 0
    return found


def joined(*keys: np.ndarray) -> np.ndarray:
    """One key of several, in order; 0 where the last is 0."""
    found = keys[0]
    for more in keys[1:]:
        found = _mixed(found * _A + _mixed(more))
    return np.where(keys[-1] == 0, np.uint64(0), found)


def among(keys: np.ndarray, few: np.ndarray) -> np.ndarray:
    """Which keys are among a few others. A table of bits passes over nearly all that are not: 1 ns a key."""
    found = np.zeros(len(keys), bool)
    if len(few) and len(keys):
        bits = np.zeros(_BITS, bool)
        bits[(few & _LOW).astype(np.int64)] = True
        maybe = np.flatnonzero(bits[(keys & _LOW).astype(np.int64)])
        found[maybe] = np.isin(keys[maybe], few)
    return found


def _of_spans(traces: np.ndarray, span_ids: pa.Array) -> np.ndarray:
    ids = np.frombuffer(span_ids.buffers()[1], np.uint64, len(span_ids), span_ids.offset * 8)
    found = _mixed(traces * _A + _mixed(ids))
    if span_ids.null_count:
        found[np.asarray(span_ids.is_null())] = 0
    return found


def _mixed(values: np.ndarray) -> np.ndarray:
    """Every bit of the value in every bit of the answer: ids that are small numbers differ in few."""
    values = (values ^ (values >> np.uint64(32))) * _B
    values = values ^ (values >> np.uint64(29))
    values[values == 0] = 1
    return values
