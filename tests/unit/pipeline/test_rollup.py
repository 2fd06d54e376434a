"""Spans are summed by minute as they come, and a minute of a service has no more than its share of keys."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
from hypothesis import given, settings, strategies as st
from prometheus_client import CollectorRegistry
from rows import NOW, rows, span_rows

from observatory.model.batch import Batch
from observatory.model.clock import MINUTE
from observatory.model.signal import Signal
from observatory.pipeline.rollup import LIMIT, OTHER, Bounded, RollupCalls, RollupSpans
from observatory.storage.rollups import fold, span_rollups, sums_of
from observatory.testing.contracts import check_stage


def total(batch: pa.RecordBatch, column: str) -> int:
    return sum(batch.column(column).to_pylist())


def test_the_stage_keeps_the_law_of_stages() -> None:
    rng = random.Random(1)
    batches = [Batch(Signal.SPANS, span_rows(n, rng), seq) for seq, n in enumerate((1, 40, 7), 1)]
    check_stage(RollupSpans, batches, accounts_for=lambda given: total(given.rows, "count"))


def spans(names: list[str], service: str = "a", at: int = NOW) -> pa.RecordBatch:
    return span_rollups(pa.Table.from_batches([rows(Signal.SPANS, [{"name": n, "service_name": service, "start_ns": at} for n in names])]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xy"), st.integers(0, 2)), min_size=1), max_size=6))
def test_a_service_and_minute_has_its_limit_and_first_come_are_kept(ticks: list[list[tuple[str, str, int]]]) -> None:
    bounded, let_in = Bounded(Signal.SPAN_ROLLUPS, limit=3), {}
    for tick in ticks:
        made = pa.Table.from_batches([spans([name], service, NOW + minute * MINUTE) for name, service, minute in tick])
        made = fold(Signal.SPAN_ROLLUPS, made)
        found = bounded(made, NOW)
        assert sums_of(Signal.SPAN_ROLLUPS, pa.Table.from_batches([made])) == sums_of(Signal.SPAN_ROLLUPS, pa.Table.from_batches([found]))
        for row in found.to_pylist():
            if row["name"] != OTHER:
                let_in.setdefault((row["service_name"], row["start_ns"]), set()).add(row["name"])
        for row in made.to_pylist():
            names = let_in.get((row["service_name"], row["start_ns"]), set())
            assert row["name"] in names or len(names) == 3, "none is turned away while there is room"
    assert all(len(names) <= 3 for names in let_in.values())


def test_beyond_the_limit_all_is_one_row_and_counted() -> None:
    registry = CollectorRegistry()
    bounded = Bounded(Signal.SPAN_ROLLUPS, registry)
    made = bounded(spans([f"GET /{i}" for i in range(LIMIT + 500)]), NOW)
    assert made.num_rows == LIMIT + 1
    assert [row["count"] for row in made.to_pylist() if row["name"] == OTHER] == [500]
    again = bounded(spans(["GET /1", *(f"GET /{i}" for i in range(9000, 9100))]), NOW)
    assert sorted(again.column("count").to_pylist()) == [1, 100]
    assert bounded.beyond == 600 == registry.get_sample_value("observatory_span_rollups_other_total")
    assert bounded(spans(["new"], at=NOW + MINUTE), NOW).column("name").to_pylist() == ["new"], "each minute has its own share"


def test_what_no_row_comes_of_is_forgotten() -> None:
    bounded = Bounded(Signal.SPAN_ROLLUPS, limit=1)
    for minute in range(30):
        bounded(spans(["a", "b"], at=NOW + minute * MINUTE), NOW + minute * MINUTE)
    assert len(bounded._keys) == len(bounded._scopes) == len(bounded._sizes) == len(bounded._scope_of_key) <= 11


def test_a_call_is_taken_back_where_it_was_added() -> None:
    bounded = RollupCalls()
    bounded._bounded = Bounded(Signal.LLM_ROLLUPS, limit=2)
    calls = pa.Table.from_batches([rows(Signal.LLM_CALLS, [{"model_name": f"m{i}", "total_cost_usd": None} for i in range(5)])])
    added = bounded(calls, np.ones(5))
    back = [bounded(calls.slice(i, 1), -np.ones(1)) for i in (4, 2, 0, 1, 3)]
    assert sorted(added.column("model_name").to_pylist())[0] == OTHER and added.num_rows == 3
    assert fold(Signal.LLM_ROLLUPS, pa.Table.from_batches([added, *back])).num_rows == 0
