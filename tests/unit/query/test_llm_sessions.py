"""Laws of sessions and users: the pages are what brute force over calls and traces gives, in any order; one session is its traces."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pytest
from calling import NOW, call, random_calls, relations
from hypothesis import given, settings, strategies as st

from observatory.errors import NotFound
from observatory.model.clock import SECOND
from observatory.query.llm_calls import CallQuestion, list_calls
from observatory.query.llm_summary import SummaryQuestion, summarize
from observatory.query.sessions import SORTS, GroupQuestion, list_groups, one_group, traces_of
from observatory.query.traces import EVER

TOKENS = ("input_tokens", "output_tokens", "total_tokens")


def fragment(number: int, start: int, **more: Any) -> dict[str, Any]:
    return {
        "trace_id": number.to_bytes(16, "big"), "project": "default", "start_ns": start, "end_ns": start + SECOND, "span_count": 2,
        "error_count": 0, "has_root": True, "root_start_ns": start, "root_name": f"root {number}", "services": [], "received_at": 0,
        "open": False, "models": [], **more,
    }  # fmt: skip


def world(seed: int, count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    random = Random(seed)
    calls = random_calls(random, count, span_ns=50 * SECOND)
    for row in calls:
        row["trace_id"] = random.randrange(1, 8).to_bytes(16, "big")
    fragments = [
        fragment(
            random.randrange(1, 12),
            NOW + random.randrange(50 * SECOND),
            session_id=random.choice([None, "s1", "s3"]),
            user_id=random.choice([None, "ann", "eve"]),
            error_count=random.randrange(3),
        )
        for _ in range(random.randrange(10))
    ]
    return calls, fragments


def connection(calls: list[dict[str, Any]], fragments: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    relations(con, calls, [], fragments)
    return con


def brute_force(calls: list[dict[str, Any]], fragments: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    key, other = ("session_id", "user_id") if kind == "session" else ("user_id", "session_id")
    traces: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
    for row in fragments:
        traces[row["trace_id"]].append(row)
    found: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"traces": set(), "others": set(), "calls": [], "error_spans": 0, "first": [], "last": []}
    )
    for trace_id, rows in traces.items():
        rows.sort(key=lambda row: row["start_ns"])
        mine = next((row[key] for row in rows if row[key] is not None), None)
        if mine is None:
            continue
        group = found[mine]
        group["traces"].add(trace_id)
        group["others"] |= {next((row[other] for row in rows if row[other] is not None), None)} - {None}
        group["error_spans"] += sum(row["error_count"] for row in rows)
        group["first"].append(min(row["start_ns"] for row in rows))
        group["last"].append(max(row["end_ns"] for row in rows))
    for row in calls:
        if row["counted"] and row[key] is not None:
            group = found[row[key]]
            group["traces"].add(row["trace_id"])
            group["others"] |= {row[other]} - {None}
            group["calls"].append(row)
            group["first"].append(row["start_ns"])
            group["last"].append(row["start_ns"] + row["duration_ns"])
    return found


@given(st.integers(0, 30), st.integers(), st.sampled_from(SORTS), st.integers(1, 3), st.sampled_from(["session", "user"]))
@settings(max_examples=30)
def test_pages_are_what_brute_force_gives(count, seed, sort, limit, kind):
    calls, fragments = world(seed, count)
    con = connection(calls, fragments)
    traces = traces_of(con, NOW, NOW + 100 * SECOND)
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = list_groups(con, traces, GroupQuestion(kind, NOW, NOW + 100 * SECOND, None, sort, limit, cursor))
        assert len(page.items) <= limit
        found += page.items
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    expected = brute_force(calls, fragments, kind)
    assert sorted(item[f"{kind}_id"] for item in found) == sorted(expected)
    for item in found:
        group = expected[item[f"{kind}_id"]]
        cost = sum((row["total_cost_usd"] or Decimal(0) for row in group["calls"]), Decimal(0))
        unpriced = sum(row.get("unpriced_reason") is not None for row in group["calls"])
        assert (item["traces"], item["calls"], item["error_spans"]) == (len(group["traces"]), len(group["calls"]), group["error_spans"])
        assert item["errors"] == sum(row["is_error"] for row in group["calls"])
        assert [item[name] for name in TOKENS] == [sum(row[name] or 0 for row in group["calls"]) for name in TOKENS]
        assert item["total_cost_usd"] is None if unpriced and not cost else Decimal(item["total_cost_usd"]) == cost
        assert item["unpriced_calls"] == unpriced
        assert item["models"] == sorted({row["model_name"] for row in group["calls"]})
        assert item["users" if kind == "session" else "sessions"] == sorted(group["others"])
        assert item["duration_ms"] == pytest.approx((max(group["last"]) - min(group["first"])) / 1e6)
    if sort.removeprefix("-") == "calls":
        order = [item["calls"] for item in found]
        assert order == sorted(order, reverse=sort.startswith("-"))


def test_a_session_is_its_traces_in_order():
    def of(number: int, trace: int, second: int, **more: Any) -> dict[str, Any]:
        return call(number, trace_id=trace.to_bytes(16, "big"), start_ns=NOW + second * SECOND, session_id="s", user_id="ann", **more)

    calls = [of(3, 2, 20), of(1, 1, 0, duration_ns=9 * SECOND), of(2, 1, 5, duration_ns=SECOND, cost=None), call(4, session_id="other")]
    con = connection(calls, [fragment(1, NOW, session_id="s", error_count=1), fragment(3, NOW + 40 * SECOND, session_id="s")])
    traces = traces_of(con, NOW, NOW + 100 * SECOND)
    said = one_group(con, traces, GroupQuestion("session", NOW, NOW + 100 * SECOND, id="s"))
    assert (said["session_id"], said["traces"], said["calls"], said["users"], said["total_cost_usd"]) == ("s", 3, 3, ["ann"], "0.006")
    assert [int(item["trace_id"], 16) for item in said["trace_items"]] == [1, 2, 3]
    first, second, third = said["trace_items"]
    assert (int(first["first_call_span_id"], 16), int(first["last_call_span_id"], 16)) == (1, 1)  # the first began first and ended last
    assert (first["root_name"], first["error_spans"], first["unpriced_calls"], first["total_cost_usd"]) == ("root 1", 1, 1, "0.003")
    assert (second["root_name"], second["span_count"]) == (None, None)
    assert (third["calls"], third["models"], third["first_call_span_id"]) == (0, [], None)
    with pytest.raises(NotFound, match="no session 'x'"):
        one_group(con, traces, GroupQuestion("session", id="x"))


def test_the_sessions_of_one_user():
    calls = [call(1, session_id="a", user_id="ann"), call(2, session_id="b", user_id="bob"), call(3, session_id="b", user_id="ann")]
    con = connection(calls, [fragment(9, NOW, session_id="c", user_id="ann"), fragment(8, NOW, session_id="d", user_id="bob")])
    page = list_groups(con, traces_of(con, NOW, NOW + SECOND), GroupQuestion("session", NOW, NOW + SECOND, other="ann"))
    assert sorted((item["session_id"], item["calls"]) for item in page.items) == [("a", 1), ("b", 1), ("c", 0)]


def test_a_call_at_the_end_of_time_breaks_no_list():
    calls = [call(1, session_id="a", start_ns=2**63 - 5, duration_ns=2**62, input_tokens=2**63 - 1, total_tokens=2**63 - 1, ttft_ns=1)]
    calls += [call(2, session_id="a", start_ns=-(2**63), total_tokens=2**63 - 1)]
    con = connection(calls, [])
    traces = traces_of(con, *EVER)
    for sort in SORTS:
        (item,) = list_groups(con, traces, GroupQuestion("session", sort=sort)).items
        assert item["total_tokens"] == str(2**63 - 1)
    assert one_group(con, traces, GroupQuestion("session", id="a"))["traces"] == 2
    assert list_calls(con, CallQuestion(sort="-tokens")).items[0]["total_tokens"] == str(2**63 - 1)
    assert summarize(con, SummaryQuestion(dimensions=("user",))).totals["total_tokens"] == str(2**63 - 1)
