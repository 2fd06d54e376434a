"""Law: the pages of the list of calls, one behind the other, are what brute force gives, for any calls and order; each call once."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import duckdb
import pytest
from calling import NOW, call, random_calls, relations
from hypothesis import given, settings, strategies as st

from observatory.errors import BadRequest
from observatory.model.clock import SECOND
from observatory.query.llm_calls import SORTS, CallQuestion, list_calls

KEYS = {
    "start": lambda row: row["start_ns"],
    "duration": lambda row: row["duration_ns"],
    "cost": lambda row: -1 if row["total_cost_usd"] is None else int(row["total_cost_usd"] * 10**12),
    "tokens": lambda row: -1 if row["total_tokens"] is None else row["total_tokens"],
}


@given(
    st.integers(0, 25), st.integers(), st.sampled_from(SORTS), st.integers(1, 7), st.sampled_from([True, False, None]), st.booleans(),
    st.booleans(), st.sampled_from([None, "ann"]),
)  # fmt: skip
@settings(max_examples=40)
def test_pages_are_what_brute_force_gives(count, seed, sort, limit, counted, unpriced, crowded, user):
    calls = random_calls(Random(seed), count, span_ns=3 if crowded else 100 * SECOND)
    con = duckdb.connect(config={"threads": 1})
    relations(con, calls, [])
    window = (NOW + 1, NOW + 90 * SECOND)
    found, cursor = [], None
    while True:
        page = list_calls(con, CallQuestion(*window, counted, unpriced, None, None, user, sort, limit, cursor))
        assert len(page.items) <= limit
        found += page.items
        if page.next_cursor is None:
            break
        assert len(page.items) == limit
        cursor = page.next_cursor
    expected = [
        row
        for row in calls
        if window[0] <= row["start_ns"] < window[1]
        and counted in (None, row["counted"])
        and not (unpriced and row.get("unpriced_reason") is None)
        and user in (None, row["user_id"])
    ]
    key = KEYS[sort.removeprefix("-")]
    expected.sort(key=lambda row: (key(row), row["trace_id"], row["span_id"]), reverse=sort.startswith("-"))
    assert [item["span_id"] for item in found] == [row["span_id"].hex() for row in expected]


def test_a_call_is_told_whole():
    con = duckdb.connect(config={"threads": 1})
    relations(
        con, [call(7, cost=Decimal("0.000000000003"), ttft_ns=1_500_000, tags=["a"], input_tokens=2**60, reported_cost_usd=Decimal(1))], []
    )
    (item,) = list_calls(con, CallQuestion()).items
    assert item["total_cost_usd"] == "0.000000000003"
    assert (item["reported_cost_usd"], item["input_tokens"], item["ttft_ms"], item["tags"]) == ("1", str(2**60), 1.5, ["a"])
    assert (item["trace_id"], item["start"]) == (f"{7:032x}", "2026-11-23T10:48:10.363536205Z")
    assert (item["counted"], item["not_counted_reason"], item["unpriced_reason"]) == (True, None, None)


def test_a_cursor_belongs_to_its_order():
    con = duckdb.connect(config={"threads": 1})
    relations(con, [call(1), call(2)], [])
    cursor = list_calls(con, CallQuestion(limit=1)).next_cursor
    with pytest.raises(BadRequest, match="cursor: belongs to the order"):
        list_calls(con, CallQuestion(limit=1, sort="cost", cursor=cursor))
