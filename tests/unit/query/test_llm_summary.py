"""Laws of summaries: from calls what brute force gives, from sums of minutes the same to the last digit, quantiles within 1.1 %."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pytest
from calling import MINUTE, NOW, TOKENS, call, random_calls, relations, rollups, tokens_per_second
from hypothesis import given, settings, strategies as st

from observatory.errors import BadRequest
from observatory.model.clock import SECOND
from observatory.model.schema import COSTS
from observatory.query.buckets import buckets, zone_of
from observatory.query.llm_summary import DIMENSIONS, ORDERS, SummaryQuestion, parse_group_by, summarize, top

COLUMN = {**DIMENSIONS, "tag": "tag"}
IN_ROLLUPS = ["provider", "model", "operation", "service", "application", "environment"]
FLOOR = NOW // MINUTE * MINUTE


def asked(calls: list[dict[str, Any]], seed: int = 0) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    relations(con, calls, rollups(calls, Random(seed)))
    return con


def rank(values: list[float], q: float) -> float | None:
    return sorted(values)[max(math.ceil(q * len(values)), 1) - 1] if values else None


def figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def of(values: list[float], scale: float) -> dict[str, float | None]:
        return {f"p{round(q * 100)}": None if not values else (rank(values, q) or 0.0) * scale for q in (0.5, 0.95, 0.99)}

    costs = {name: sum((row[name] or Decimal(0) for row in rows), Decimal(0)) for name in COSTS}
    unpriced = sum(row.get("unpriced_reason") is not None for row in rows)
    speeds = [speed for speed in map(tokens_per_second, rows) if speed is not None]
    errors = sum(row["is_error"] for row in rows)
    return {
        "calls": len(rows), "errors": errors, "error_rate": errors / len(rows) if rows else None, "unpriced_calls": unpriced,
        **{name: sum(row.get(name) or 0 for row in rows) for name in TOKENS},
        **{name: None if unpriced and not costs["total_cost_usd"] else value for name, value in costs.items()},
        "latency_ms": of([row["duration_ns"] for row in rows], 1e-6),
        "ttft_ms": of([row["ttft_ns"] for row in rows if row.get("ttft_ns") is not None], 1e-6),
        "tokens_per_second": {"p50": rank(speeds, 0.5)},
    }  # fmt: skip


def brute_force(rows: list[dict[str, Any]], question: SummaryQuestion) -> dict[tuple[Any, ...], dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if not row["counted"] or not question.from_ns <= row["start_ns"] < question.to_ns:
            continue
        for tag in row["tags"] or [None]:
            groups[tuple(tag if name == "tag" else row.get(COLUMN[name]) for name in question.dimensions)].append(row)
            if "tag" not in question.dimensions:
                break
    if question.bucket is None:
        return {name: figures(found) for name, found in groups.items()}
    times = buckets(question.bucket, question.zone, question.from_ns, question.to_ns)
    return {
        (time, *name): figures([row for row in found if low <= row["start_ns"] < high])
        for time, low, high in zip(times.names(), times.edges[:-1], times.edges[1:], strict=True)
        for name, found in groups.items()
    }


def told(item: dict[str, Any]) -> dict[str, Any]:
    return {key: Decimal(value) if key in COSTS and value is not None else value for key, value in item.items() if key != "group"}


def same(item: dict[str, Any], expected: dict[str, Any], within: float) -> None:
    for key, value in expected.items():
        if isinstance(value, dict):
            for name, one in value.items():
                assert item[key][name] == (one if one is None else pytest.approx(one, rel=within, abs=1.1e-6)), (key, name)
        else:
            assert item[key] == value, key


def questions(dimensions: list[str]) -> st.SearchStrategy[SummaryQuestion]:
    return st.builds(
        SummaryQuestion,
        from_ns=st.sampled_from([FLOOR, FLOOR + 40 * MINUTE]),
        to_ns=st.sampled_from([FLOOR + 100 * MINUTE, FLOOR + 200 * MINUTE]),
        dimensions=st.lists(st.sampled_from(dimensions), unique=True, max_size=3).map(tuple),
        bucket=st.sampled_from([None, None, "5m", "15m", "hour", "6h", "day", "month"]),
        zone=st.sampled_from(["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York"]).map(zone_of),
        limit=st.just(1000),
    )


@given(st.integers(0, 60), st.integers(), questions(list(DIMENSIONS)))
@settings(max_examples=40)
def test_from_calls_it_is_what_brute_force_gives(count, seed, question):
    calls = random_calls(Random(seed), count)
    question = replace(question, from_ns=question.from_ns + 1)  # no whole minute: nothing but calls can tell
    said = summarize(asked(calls), question)
    expected = brute_force(calls, question)
    assert said.source == "calls"
    if question.dimensions or question.bucket is None:
        names = [tuple(item["group"].values()) for item in said.items]
        assert sorted(map(repr, names)) == sorted(map(repr, expected if question.dimensions else [()]))
    for item in said.items:
        same(told(item), expected.get(tuple(item["group"].values())) or figures([]), 1e-12)


@given(st.integers(0, 60), st.integers(), questions(IN_ROLLUPS), st.sampled_from(["model_name:gpt-4.1", "-provider:openai", "service:*"]))
@settings(max_examples=25)
def test_a_filter_of_what_minutes_are_summed_by_is_asked_of_the_sums(count, seed, question, filter):
    calls = random_calls(Random(seed), count)
    question = replace(question, bucket=None, filter=filter)
    said = summarize(asked(calls, seed), question)
    # nothing that is so is asked besides, but only calls know it
    expected = summarize(asked(calls), replace(question, filter=f"{filter} revision>=0"))
    assert (said.source, expected.source) == ("rollups", "calls")
    assert [item["group"] for item in said.items] == [item["group"] for item in expected.items]
    same(told({"group": {}, **said.totals}), told({"group": {}, **expected.totals}), 0.011)


@given(st.integers(0, 60), st.integers(), questions(IN_ROLLUPS))
@settings(max_examples=40)
def test_from_sums_of_minutes_it_is_the_same(count, seed, question):
    calls = random_calls(Random(seed), count)
    said = summarize(asked(calls, seed), question)
    expected = summarize(asked(calls), replace(question, filter=None, from_ns=question.from_ns - 1))
    assert (said.source, expected.source) == ("rollups", "calls")
    assert said.groups == expected.groups
    if question.bucket is not None:  # the bucket before the window belongs to the other question only
        expected.items[:] = [item for item in expected.items if item["group"]["time"] in {i["group"]["time"] for i in said.items}]
    assert [item["group"] for item in said.items] == [item["group"] for item in expected.items]
    for item, other in zip([*said.items, {"group": {}, **said.totals}], [*expected.items, {"group": {}, **expected.totals}], strict=True):
        same(told(item), told(other), 0.011)


@given(st.integers(0, 60), st.integers(), st.sampled_from(list(DIMENSIONS)), st.sampled_from(ORDERS), st.booleans())
@settings(max_examples=40)
def test_the_first_groups_are_those_of_a_summary_with_fewer_figures(count, seed, dimension, order, whole):
    question = SummaryQuestion(FLOOR + (not whole), FLOOR + 10 * MINUTE, (dimension,), order=order, limit=3)
    con = asked(random_calls(Random(seed), count), seed)
    said, expected = top(con, question), summarize(con, question)
    few = ("calls", "errors", "total_tokens", "total_cost_usd", "unpriced_calls")
    assert said.items == [{"name": item["group"][dimension], **{name: item[name] for name in few}} for item in expected.items]
    assert (said.groups, said.source) == (expected.groups, expected.source)


def test_an_empty_group_in_time_is_told_as_zeros():
    calls = [call(1, start_ns=FLOOR), call(2, start_ns=FLOOR + 3 * MINUTE, model_name="other", cost=None)]
    question = SummaryQuestion(FLOOR, FLOOR + 4 * MINUTE, ("model",), "minute")
    said = summarize(asked(calls), question)
    assert [(item["group"]["time"][14:16], item["group"]["model"], item["calls"]) for item in said.items] == [
        ("48", "gpt-4.1", 1), ("48", "other", 0), ("49", "gpt-4.1", 0), ("49", "other", 0),
        ("50", "gpt-4.1", 0), ("50", "other", 0), ("51", "gpt-4.1", 0), ("51", "other", 1),
    ]  # fmt: skip
    empty = said.items[2]
    assert (empty["total_cost_usd"], empty["error_rate"], empty["latency_ms"]["p99"]) == ("0", None, None)


@pytest.mark.parametrize("shift", [0, 1])
def test_no_price_is_never_nothing(shift):
    calls = [call(1, cost=None), call(2, cost=None, model_name="b"), call(3, model_name="b", cost=Decimal("0.5"))]
    said = summarize(asked(calls), SummaryQuestion(FLOOR + shift, FLOOR + 10 * MINUTE, ("model",)))
    assert [(item["group"]["model"], item["total_cost_usd"], item["unpriced_calls"]) for item in said.items] == [
        ("b", "0.5", 1),
        ("gpt-4.1", None, 1),
    ]
    assert (said.totals["total_cost_usd"], said.totals["unpriced_calls"]) == ("0.5", 2)


def test_a_call_is_in_the_group_of_each_of_its_tags_and_once_in_the_totals():
    calls = [call(1, tags=["a", "b", "a"]), call(2, tags=["b"]), call(3)]
    said = summarize(asked(calls), SummaryQuestion(dimensions=("tag",), order="-calls"))
    assert [(item["group"]["tag"], item["calls"]) for item in said.items] == [("b", 2), ("a", 1), (None, 1)]
    assert said.totals["calls"] == 3
    assert "each of its tags" in said.notes[0]


@pytest.mark.parametrize("from_ns", [FLOOR, FLOOR + 1])
def test_a_limit_keeps_the_largest_groups_and_says_how_many_there_are(from_ns):
    calls = [call(n, model_name=f"m{n}", cost=Decimal(n), start_ns=FLOOR + 1 + n % 2 * MINUTE) for n in range(1, 6)]
    con = asked(calls)
    said = summarize(con, SummaryQuestion(from_ns, FLOOR + 9 * MINUTE, ("model",), limit=2))
    assert [item["group"]["model"] for item in said.items] == ["m5", "m4"]
    assert (said.groups, said.totals["total_cost_usd"]) == (5, "15")
    said = summarize(con, SummaryQuestion(from_ns, FLOOR + 2 * MINUTE, ("model",), "minute", limit=2, order="cost"))
    assert [(item["group"]["model"], item["total_cost_usd"]) for item in said.items] == [("m1", "0"), ("m2", "2"), ("m1", "1"), ("m2", "0")]


def test_a_window_without_an_end_begins_and_ends_with_the_calls():
    calls = [call(1, start_ns=FLOOR + 1), call(2, start_ns=FLOOR + 2 * MINUTE)]
    con = asked(calls)
    for question in (SummaryQuestion(bucket="minute"), SummaryQuestion(bucket="minute", dimensions=("user",))):
        assert [item["calls"] for item in summarize(con, question).items] == [1, 0, 1]
    assert summarize(asked([]), SummaryQuestion(bucket="minute")).items == []


def test_more_rows_than_a_summary_has_are_refused():
    calls = [call(n, model_name=f"m{n}") for n in range(1, 20)]
    with pytest.raises(BadRequest, match=r"19 groups of 1,440 minute are more than 20,000 rows"):
        summarize(asked(calls), SummaryQuestion(FLOOR, FLOOR + 1440 * MINUTE, ("model",), "minute"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("colour", "expected provider, model"),
        ("model,model", "model is named twice"),
        ("day,hour", "at most three dimensions and one time"),
        ("model,user,tag,session", "at most three dimensions"),
    ],
)
def test_what_cannot_be_grouped_by_is_named(text, sentence):
    with pytest.raises(BadRequest, match="group_by: ") as refused:
        parse_group_by(text)
    assert sentence in str(refused.value)


def test_group_by_is_read():
    assert parse_group_by(None) == ((), None)
    assert parse_group_by("model, user,15m") == (("model", "user"), "15m")


def test_tokens_beyond_what_json_holds_are_text_and_beyond_64_bits_the_most():
    calls = [call(n, input_tokens=2**62, start_ns=FLOOR + n * SECOND) for n in range(1, 4)]
    for from_ns in (FLOOR, FLOOR + 1):
        assert summarize(asked(calls), SummaryQuestion(from_ns, FLOOR + MINUTE)).totals["input_tokens"] == str(2**63 - 1)
