"""Laws of the counters of calls: they never fall, and a total less what was revoked is what the calls that count now add up to."""

from __future__ import annotations

import time
from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from observatory.model.clock import SECOND
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.pipeline.traffic import OTHER, LlmTraffic
from tests.unit.query.calling import call, random_calls


def batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema(Signal.LLM_CALLS))


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(f"observatory_llm_{name}", labels) or 0.0


@given(st.integers(1, 30), st.integers(), st.booleans())
@settings(max_examples=40)
def test_totals_less_what_was_revoked_are_the_truth(count, seed, table):
    random = Random(seed)
    registry = CollectorRegistry()
    traffic = LlmTraffic(registry)
    now: dict[bytes, dict[str, Any]] = {}
    before: dict[tuple[str, ...], float] = {}
    for _ in range(4):
        changes: list[tuple[dict[str, Any], int]] = []
        for row in random_calls(random, count):
            old = now.pop(row["span_id"], None)
            changes += [(old, -1)] if old else []
            if random.random() < 0.8:
                now[row["span_id"]] = row
                changes.append((row, 1))
        random.shuffle(changes)
        rows, signs = [row for row, _ in changes], np.array([sign for _, sign in changes], np.int64)
        traffic.observe(pa.Table.from_batches([batch(rows)]) if table else batch(rows), signs)
        samples = {(s.name, *sorted(s.labels.values())): s.value for metric in registry.collect() for s in metric.samples}
        assert all(samples.get(name, -1) >= old for name, old in before.items())
        before = samples
    expected: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in now.values():
        expected[row["provider"] or "unknown", row["model_name"]].append(row)
    for (provider, model), rows in expected.items():
        labels = {"provider": provider, "model": model}

        def net(name: str, of: str, labels: dict[str, str] = labels, **more: str) -> float:
            return value(registry, f"{name}_total", **labels, **more) - value(registry, "revoked_total", **labels, of=of)

        assert net("calls", "calls") == len(rows)
        assert net("errors", "errors") == sum(row["is_error"] for row in rows)
        assert net("cost_usd", "cost_usd") == pytest.approx(float(sum(row["total_cost_usd"] or Decimal(0) for row in rows)), abs=1e-9)
        for kind in ("input", "output", "cache_read", "cache_write", "reasoning"):
            assert net("tokens", f"{kind}_tokens", kind=kind) == sum(row[f"{kind}_tokens"] or 0 for row in rows)


def test_a_row_that_takes_a_calls_place_is_no_call_more():
    registry = CollectorRegistry()
    traffic = LlmTraffic(registry)
    labels = {"provider": "openai", "model": "gpt-4.1"}
    traffic.observe(batch([call(1)]), np.array([1]))
    traffic.observe(batch([call(1, session_id="s", input_tokens=7), call(1)]), np.array([1, -1]))
    assert value(registry, "calls_total", **labels) == 1
    assert value(registry, "call_seconds_count", **labels) == 1
    assert value(registry, "revoked_total", **labels, of="calls") == 0
    assert value(registry, "revoked_total", **labels, of="input_tokens") == 3
    traffic.observe(batch([call(1)]), np.array([-1]))
    assert value(registry, "calls_total", **labels) == 1
    assert value(registry, "revoked_total", **labels, of="calls") == 1


def test_models_beyond_the_most_are_one_series():
    registry = CollectorRegistry()
    traffic = LlmTraffic(registry, series=3)
    traffic.observe(batch([call(n, model_name=f"m{n}") for n in range(1, 8)]), np.ones(7, np.int64))
    traffic.observe(batch([call(9, model_name="m1")]), np.ones(1, np.int64))
    assert value(registry, "calls_total", provider="openai", model="m1") == 2
    assert value(registry, "calls_total", provider=OTHER, model=OTHER) == 4
    assert generate_latest(registry).count(b"observatory_llm_calls_total{") == 4


def test_how_long_calls_took_is_told_by_bucket():
    registry = CollectorRegistry()
    traffic = LlmTraffic(registry)
    traffic.observe(
        batch([call(1, duration_ns=SECOND), call(2, duration_ns=SECOND + 1), call(3, duration_ns=900 * SECOND)]), np.ones(3, np.int64)
    )
    labels = {"provider": "openai", "model": "gpt-4.1"}
    found = [value(registry, "call_seconds_bucket", **labels, le=edge) for edge in ("0.5", "1.0", "2.5", "300.0", "+Inf")]
    assert found == [0, 1, 2, 2, 3]
    assert value(registry, "call_seconds_sum", **labels) == pytest.approx(902)


def test_nothing_observed_is_nothing_told():
    registry = CollectorRegistry()
    LlmTraffic(registry).observe(batch([]), np.zeros(0, np.int64))
    assert b"observatory_llm_calls_total{" not in generate_latest(registry)


@pytest.mark.timed
def test_it_costs_little_beside_measuring():
    registry = CollectorRegistry()
    traffic = LlmTraffic(registry)
    rows = batch(random_calls(Random(1), 2000)).take(pa.array(np.tile(np.arange(2000), 16)))
    began = time.perf_counter()
    traffic.observe(rows, np.ones(rows.num_rows, np.int64))
    assert time.perf_counter() - began < 0.5  # 32,000 calls: 10 ms at rest
