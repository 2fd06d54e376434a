"""Summaries of traces: equal to a brute-force count, and folding is associative."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from rows import span_rows

from observatory.model.batch import Batch
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.model.traceids import ids_of
from observatory.pipeline.summarize import Summarize
from observatory.storage.traces import SPAN_COLUMNS, fold, in_order, summarize
from observatory.testing.contracts import check_stage


def brute(spans: list[dict]) -> dict[bytes, tuple]:
    traces: dict[bytes, list[dict]] = {}
    for span in spans:
        traces.setdefault(span["trace_id"], []).append(span)
    return {
        key: (
            min(s["start_ns"] for s in group),
            max(s["start_ns"] + s["duration_ns"] for s in group),
            len(group),
            sum(s["status_code"] == 2 for s in group),
            any(s["parent_span_id"] is None for s in group),
            min((s["parent_span_id"] is not None, s["start_ns"]) for s in group)[1],
            sorted({s["service_name"] for s in group if s["service_name"] is not None}),
        )
        for key, group in traces.items()
    }


def said(rows: pa.RecordBatch) -> dict[bytes, tuple]:
    keys = ("start_ns", "end_ns", "span_count", "error_count", "has_root", "root_start_ns", "services")
    return {row["trace_id"]: tuple(row[key] for key in keys) for row in rows.to_pylist()}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), traces=st.integers(1, 12))
def test_summaries_count_what_is_there(seed: int, n: int, traces: int) -> None:
    spans = span_rows(n, random.Random(seed), traces)
    rows = summarize(pa.Table.from_batches([spans]))
    assert rows.schema == schema(Signal.TRACES)
    assert said(rows) == brute(spans.to_pylist())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), pieces=st.integers(1, 5))
def test_folding_pieces_in_any_order_is_summarising_the_whole(seed: int, pieces: int) -> None:
    rng = random.Random(seed)
    spans = span_rows(50, rng, 8)
    parts = [spans.slice(i * 50 // pieces, (i + 1) * 50 // pieces - i * 50 // pieces).select(SPAN_COLUMNS) for i in range(pieces)]
    rng.shuffle(parts)
    folded = fold(pa.Table.from_batches([summarize(pa.Table.from_batches([part])) for part in parts]))
    assert said(folded) == said(summarize(pa.Table.from_batches([spans])))


def test_nothing_gives_nothing() -> None:
    assert summarize(schema(Signal.SPANS).empty_table()).num_rows == 0
    assert fold(schema(Signal.TRACES).empty_table()).num_rows == 0


def test_summarize_keeps_the_law_of_stages() -> None:
    rng = random.Random(1)
    batches = [Batch(Signal.SPANS, span_rows(n, rng), seq) for seq, n in enumerate((1, 40, 7), 1)]
    check_stage(Summarize, batches, accounts_for=lambda given: sum(given.rows.column("span_count").to_pylist()))


IDS = {"random": (1 << 64, 1 << 64), "of 64 bits": (1, 1 << 64), "of a time": (1 << 64, 1), "tiny": (1 << 8, 1 << 8)}


@pytest.mark.parametrize("kind", IDS)
def test_rows_of_a_trace_lie_together_the_one_that_names_it_first(kind: str) -> None:
    """As `lexsort` has them, whatever ids tracers make; within a trace in the same order."""
    dice = np.random.default_rng(5)
    rows, traces = 3000, 700
    owner = dice.integers(0, traces, rows)
    high, low = (dice.integers(0, most, traces, np.uint64)[owner] for most in IDS[kind])
    rootless, start = dice.random(rows) < 0.6, dice.integers(0, 50, rows)
    ids = pa.Array.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(np.column_stack((high, low)))])
    group, order, first = in_order(ids_of(ids), rootless, start)
    assert groups(high, low, order) == groups(high, low, np.lexsort((start, rootless, low, high)))
    changes = (high[order][1:] != high[order][:-1]) | (low[order][1:] != low[order][:-1])
    assert first.tolist() == [0, *(np.flatnonzero(changes) + 1)]
    assert len(first) == len(groups(high, low, order)), "no trace is in two places"
    assert group[order].tolist() == np.repeat(np.arange(len(first)), np.diff([*first, rows])).tolist()


def groups(high: np.ndarray, low: np.ndarray, order: np.ndarray) -> dict[tuple[int, int], list[int]]:
    found: dict[tuple[int, int], list[int]] = {}
    for row in order.tolist():
        found.setdefault((int(high[row]), int(low[row])), []).append(row)
    return found
