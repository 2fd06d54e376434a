"""Sums by minute: what a count by hand says, in any order, with calls revised and taken back in between."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from storage_makers import NOW, rows, values

from observatory.model.clock import HOUR, MINUTE
from observatory.model.histogram import bucket_of
from observatory.model.schema import COSTS, schema
from observatory.model.signal import Signal
from observatory.storage.rollups import MOST_USD, SHAPES, fold, llm_rollups, span_rollups, sums_of, tokens_per_1000_s

SEEDS = st.integers(0, 10_000)
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens")


def table(*batches: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches(batches)


def spread(signal: Signal, n: int, rng: random.Random) -> pa.RecordBatch:
    """Rows of some minutes around an hour's end, with few different keys."""
    made = table(*(rows(signal, 1, rng, at=NOW // HOUR * HOUR + rng.randrange(-3, 3) * MINUTE) for _ in range(n)))
    for name in ("application", "service_name", "environment", "provider", "name", "project"):
        if name in made.schema.names:
            at = made.schema.get_field_index(name)
            some = pa.array([rng.choice(["a", "b"]) for _ in range(n)]).dictionary_encode()
            made = made.set_column(at, made.schema.field(name), some.cast(made.schema.field(name).type))
    return made.unify_dictionaries().combine_chunks().to_batches()[0]


def key(signal: Signal, row: dict) -> tuple:
    minute = row["start_ns"] // MINUTE * MINUTE
    kind = {"observation_kind": "other"} if row.get("observation_kind", "") is None else {}
    return tuple((row | kind | {"start_ns": minute})[name] for name in SHAPES[signal].keys)


def histogram(observed: Counter) -> tuple[list, list]:
    found = sorted((bucket, n) for bucket, n in observed.items() if n)
    return [bucket for bucket, _ in found], [n for _, n in found]


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 60))
def test_spans_are_counted_by_minute_and_key(seed: int, n: int) -> None:
    given_ = table(spread(Signal.SPANS, n, random.Random(seed)))
    made = span_rollups(given_)
    assert made.schema.equals(schema(Signal.SPAN_ROLLUPS))
    made.validate(full=True)
    expected: dict[tuple, list[dict]] = {}
    for row in given_.to_pylist():
        expected.setdefault(key(Signal.SPAN_ROLLUPS, row), []).append(row)
    found = {key(Signal.SPAN_ROLLUPS, row): row for row in made.to_pylist()}
    assert found.keys() == expected.keys() and len(found) == made.num_rows
    for at, spans_ in expected.items():
        row = found[at]
        assert row["count"] == len(spans_)
        assert row["error_count"] == sum(s["status_code"] == 2 for s in spans_)
        assert row["duration_ns_sum"] == sum(s["duration_ns"] for s in spans_)
        assert row["received_at"] == max(s["received_at"] for s in spans_)
        buckets = Counter(bucket_of(np.array([s["duration_ns"] for s in spans_])).tolist())
        assert (row["duration_ns_buckets"], row["duration_ns_counts"]) == histogram(buckets)
    assert all(a["start_ns"] <= b["start_ns"] for a, b in pairwise(made.to_pylist())), "by minute"


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_calls_are_summed_by_minute_and_key(seed: int) -> None:
    rng = random.Random(seed)
    calls = spread(Signal.LLM_CALLS, 40, rng)
    sign = np.array([rng.choice([1, 1, 1, -1]) for _ in range(40)])
    made = llm_rollups(table(calls), sign)
    made.validate(full=True)
    expected: dict[tuple, list[tuple[int, dict]]] = {}
    for s, row in zip(sign.tolist(), calls.to_pylist(), strict=True):
        expected.setdefault(key(Signal.LLM_ROLLUPS, row), []).append((s, row))
    found = {key(Signal.LLM_ROLLUPS, row): row for row in made.to_pylist()}
    assert len(found) == made.num_rows
    for at, signed in expected.items():
        row = found[at]
        assert row["calls"] == sum(s for s, _ in signed)
        assert row["error_calls"] == sum(s * c["is_error"] for s, c in signed)
        assert row["unpriced_calls"] == sum(s for s, c in signed if c["unpriced_reason"] is not None)
        for name in TOKENS:
            assert row[name] == sum(s * (c[name] or 0) for s, c in signed)
        for name in COSTS:
            assert row[name] == sum((s * (c[name] or 0) for s, c in signed), Decimal(0))
        ttft: Counter = Counter()
        for s, c in signed:
            if c["ttft_ns"] is not None:
                ttft[int(bucket_of(np.array([c["ttft_ns"]]))[0])] += s
        assert (row["ttft_ns_buckets"], row["ttft_ns_counts"]) == histogram(ttft)


@pytest.mark.parametrize(
    ("streaming", "ttft_ns", "output_tokens", "expected"),
    [
        (True, 2 * 10**9, 100, 100_000 / 8),  # 100 tokens in the 8 s after the first
        (False, 2 * 10**9, 100, 100_000 / 10),  # it came at once, so all of the 10 s made it
        (None, None, 100, 100_000 / 10),
        (True, 0, 100, 100_000 / 10),
        (True, 2 * 10**9, 1, 1_000 / 10),  # one token has no time between tokens
        (True, 10 * 10**9, 100, 100_000 / 10),  # all came with the first chunk
        (True, 2 * 10**9, 0, None),
        (True, 2 * 10**9, None, None),
    ],
)
def test_speed_is_of_the_time_that_tokens_took(streaming, ttft_ns, output_tokens, expected) -> None:
    (row,) = rows(Signal.LLM_CALLS, 1, random.Random(1)).to_pylist()
    row |= {"streaming": streaming, "ttft_ns": ttft_ns, "output_tokens": output_tokens, "duration_ns": 10**10}
    speed, moving = tokens_per_1000_s(pa.Table.from_pylist([row], schema(Signal.LLM_CALLS)))
    assert (speed[0] if moving[0] else None) == (expected if expected is None else pytest.approx(expected))


def made_of(signal: Signal, seed: int, parts: int) -> list[pa.RecordBatch]:
    rng = random.Random(seed)
    if signal is Signal.SPAN_ROLLUPS:
        return [span_rollups(table(spread(Signal.SPANS, 12, rng))) for _ in range(parts)]
    return [llm_rollups(table(spread(Signal.LLM_CALLS, 12, rng)), np.array([rng.choice([1, -1]) for _ in range(12)])) for _ in range(parts)]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(SHAPES)), SEEDS)
def test_folding_in_any_order_gives_the_same(signal: Signal, seed: int) -> None:
    a, b, c = made_of(signal, seed, 3)
    whole = values([fold(signal, table(a, b, c))])
    assert values([fold(signal, table(fold(signal, table(c, a)), b))]) == whole
    assert values([fold(signal, table(b, fold(signal, table(a, c))))]) == whole
    assert sums_of(signal, table(a, b, c)) == sums_of(signal, table(fold(signal, table(a, b, c))))
    fold(signal, table(a, b, c)).validate(full=True)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_what_is_taken_back_is_gone(seed: int) -> None:
    rng = random.Random(seed)
    calls = [spread(Signal.LLM_CALLS, 10, rng) for _ in range(3)]
    there = [llm_rollups(table(c), np.ones(10)) for c in calls]
    back = [llm_rollups(table(c), -np.ones(10)) for c in reversed(calls)]
    assert fold(Signal.LLM_ROLLUPS, table(*there, *back)).num_rows == 0
    assert llm_rollups(table(*calls, *calls), np.repeat([1, -1], 30)).num_rows == 0
    kept = fold(Signal.LLM_ROLLUPS, table(*there, back[0]))
    assert values([kept]) == values([fold(Signal.LLM_ROLLUPS, table(*there[:2]))])


def test_a_change_within_a_bucket_is_not_lost() -> None:
    """Same minute, key and bucket, one nanosecond more: calls, tokens, money and histograms cancel, the sum of durations does not."""
    calls = rows(Signal.LLM_CALLS, 1, random.Random(1)).to_pylist() * 2
    calls = [c | {"duration_ns": 10**9 + i, "output_tokens": None} for i, c in enumerate(calls)]
    (row,) = llm_rollups(pa.Table.from_pylist(calls, schema(Signal.LLM_CALLS)), np.array([-1, 1])).to_pylist()
    assert (row["calls"], row["duration_ns_buckets"], row["duration_ns_sum"]) == (0, [], 1)


def test_sums_that_do_not_fit_stay_apart_and_nothing_is_lost() -> None:
    calls = rows(Signal.LLM_CALLS, 1, random.Random(1)).to_pylist() * 3
    most = Decimal(MOST_USD).scaleb(-12)
    calls = [c | {"total_cost_usd": most, "input_tokens": 2**62} for c in calls]
    made = llm_rollups(pa.Table.from_pylist(calls, schema(Signal.LLM_CALLS)), np.ones(3))
    made.validate(full=True)
    folded = fold(Signal.LLM_ROLLUPS, table(made))
    folded.validate(full=True)
    assert folded.num_rows == 3
    sums = sums_of(Signal.LLM_ROLLUPS, table(folded))
    assert (sums["calls"], sums["total_cost_usd"], sums["input_tokens"]) == (3, 3 * MOST_USD, 3 * 2**62)


def test_nonsense_times_have_a_minute() -> None:
    spans = rows(Signal.SPANS, 3, random.Random(1)).to_pylist()
    spans = [s | {"start_ns": at, "duration_ns": -5} for s, at in zip(spans, (-(2**63), 2**63 - 1, -1), strict=True)]
    made = span_rollups(pa.Table.from_pylist(spans, schema(Signal.SPANS)))
    assert made.column("start_ns").to_pylist() == [-(2**63 // MINUTE) * MINUTE, -MINUTE, (2**63 - 1) // MINUTE * MINUTE]
    assert made.column("duration_ns_sum").to_pylist() == [0, 0, 0]


@pytest.mark.parametrize("signal", list(SHAPES))
def test_nothing_gives_nothing(signal: Signal) -> None:
    assert fold(signal, schema(signal).empty_table()).num_rows == 0
    assert span_rollups(schema(Signal.SPANS).empty_table()).num_rows == 0
    assert llm_rollups(schema(Signal.LLM_CALLS).empty_table(), np.zeros(0)).num_rows == 0
