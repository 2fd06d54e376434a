"""What a trace says of its calls: subtrees are what walking up from every span gives, whatever the parents are; money is exact."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from calling import NOW, call, relations
from hypothesis import given, settings, strategies as st

from observatory.query.named import named
from observatory.query.render import Renderer
from observatory.query.trace_calls import head_facts, said_of_calls, subtree_sums, told_of_calls


@st.composite
def forests(draw: st.DrawFn) -> list[int]:
    count = draw(st.integers(0, 40))
    return [draw(st.integers(-1, count - 1)) for _ in range(count)]  # cycles and spans that are their own parent among them


def walked(parents: list[int], values: list[int]) -> list[int]:
    """By walking up from every node. A node of a cycle is a root."""
    roots = set()
    for node in range(len(parents)):
        at, seen = parents[node], set()
        while at >= 0 and at != node and at not in seen:
            seen.add(at)
            at = parents[at]
        if at == node:
            roots.add(node)
    sums = [0] * len(parents)
    for node, value in enumerate(values):
        at = node
        while True:
            sums[at] += value
            if at in roots or parents[at] < 0:
                break
            at = parents[at]
    return sums


@given(forests(), st.randoms())
def test_a_subtree_is_all_that_is_below(parents, random):
    values = [random.randrange(-(10**15), 10**15) for _ in parents]
    ones = np.ones(len(parents), np.int64)
    found = subtree_sums(np.array(parents, np.int64), [np.array(values, np.int64), ones])
    assert found[0].tolist() == walked(parents, values)
    assert found[1].tolist() == walked(parents, [1] * len(parents))


def spans(parents: list[int], errors: set[int] = frozenset()) -> pa.Table:
    ids = [(n + 1).to_bytes(8, "big") for n in range(len(parents))]
    return pa.table(
        {
            "span_id": pa.array(ids, pa.binary(8)),
            "parent_span_id": pa.array([None if p < 0 else (p + 1).to_bytes(8, "big") for p in parents], pa.binary(8)),
            "status_code": pa.array([2 if n in errors else 0 for n in range(len(parents))], pa.int32()),
        }
    )


def calls_table(rows: list[dict[str, Any]]) -> pa.Table:
    rows = [{**row, "trace_id": b"t" * 16} for row in rows]
    with duckdb.connect(config={"threads": 1}) as con:
        relations(con, rows, [])
        params = {"low": NOW, "high": NOW, "trace_id": (b"t" * 16).hex()}
        return con.sql(named("trace_calls"), params=params).to_arrow_table()


def said(table: pa.Table, calls: pa.Table, **more: Any) -> list[dict[str, Any]]:
    renderer = Renderer()
    texts = said_of_calls(table, told_of_calls(table, calls, **more), renderer).to_pylist()
    renderer.close()
    return [{} if text is None else json.loads("{" + text[1:] + "}") for text in texts]


def test_every_span_tells_its_call_and_its_subtree():
    # 0 agent -> 1 wrapper (not counted) -> 2 call, 3 unpriced call; 4 alone
    rows = [
        call(2, counted=False, not_counted_reason="wraps_call", model_name="gpt-4.1"),
        call(3, cost=Decimal("0.000000000003")),
        call(4, cost=None, input_tokens=None, output_tokens=2**60),
    ]
    found = said(spans([-1, 0, 1, 1, -1], errors={3}), calls_table(rows))
    assert found[4] == {}
    assert found[0] == {
        "subtree": {
            "llm_calls": 2, "error_count": 1, "input_tokens": 10, "output_tokens": str(2**60 + 5), "total_tokens": 30,
            "total_cost_usd": "0.000000000003", "unpriced_calls": 1,
        }
    }  # fmt: skip
    assert (found[1]["call"]["counted"], found[1]["call"]["not_counted_reason"]) == (False, "wraps_call")
    assert found[1]["subtree"] == found[0]["subtree"]
    assert found[2]["call"]["total_cost_usd"] == "0.000000000003"
    assert found[2]["call"]["price_source"] == "bundled"
    assert (found[3]["call"]["total_cost_usd"], found[3]["call"]["unpriced_reason"]) == (None, "unknown_model")
    assert "subtree" not in found[2] and "subtree" not in found[3]  # nothing is below them: they are their own calls
    alone = said(spans([-1, 0]), calls_table(rows), subtrees=False)
    assert list(alone[1]) == ["call"]


def test_the_head_adds_up_what_counts_also_without_its_span():
    rows = [call(1), call(2, model_name="b", cost=None), call(3, counted=False), call(900, model_name=None)]
    assert head_facts(calls_table(rows)) == {
        "llm_calls": 3, "input_tokens": 30, "output_tokens": 15, "total_tokens": 45, "total_cost_usd": "0.006", "unpriced_calls": 1,
        "models": ["b", "gpt-4.1"],
    }  # fmt: skip
    assert head_facts(calls_table([]))["total_cost_usd"] == "0"
    assert head_facts(calls_table([call(1, cost=None)]))["total_cost_usd"] is None


@given(forests().filter(bool), st.randoms())
@settings(max_examples=30)
def test_roots_add_up_to_the_head(parents, random):
    parents = [p if p < n else -1 for n, p in enumerate(parents)]
    rows = [
        call(n + 1, cost=Decimal(random.randrange(3, 10**12) // 3 * 3).scaleb(-12)) for n in range(len(parents)) if random.random() < 0.5
    ]
    calls = calls_table(rows)
    found = said(spans(parents), calls)
    roots = [
        item.get("subtree") or {**item["call"], "llm_calls": 1} for item, parent in zip(found, parents, strict=True) if parent < 0 and item
    ]
    head = head_facts(calls)
    assert sum(item["llm_calls"] for item in roots) == head["llm_calls"]
    assert sum(Decimal(item["total_cost_usd"]) for item in roots) == Decimal(head["total_cost_usd"])


@pytest.mark.timed
def test_30_000_spans_cost_milliseconds():
    count, random = 30_000, Random(1)
    parents = [-1, *(max(0, n - random.randrange(1, 30)) for n in range(1, count))]
    table = spans(parents)
    each_other = pa.array([f"{n:016x}" for n in range(1, count, 2)])
    calls = calls_table([call(1)]).take(pa.array([0] * len(each_other))).set_column(0, "span_id", each_other)
    renderer = Renderer()
    best = 9.0
    for _ in range(5):
        began = time.process_time()
        texts = said_of_calls(table, told_of_calls(table, calls), renderer)
        head_facts(calls)
        best = min(best, time.process_time() - began)
    renderer.close()
    assert texts.null_count < count
    assert best < 0.5  # 0.05 on a machine at rest
