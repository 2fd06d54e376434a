"""Law: the pages of a list, one behind the other, are what brute force over all fragments gives, for any data, filter and order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from observatory.errors import BadRequest
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.query import traces
from observatory.query.filter import FilterError, parse, to_mask
from observatory.query.llm_figures import usd_text
from observatory.query.traces import EVER, TraceQuestion, list_services, list_traces, sort_names, spans_asked
from observatory.storage.fragmentstarts import COLUMNS, MomentStarts, Starts
from observatory.storage.fragmentsums import MomentSums, Sums

SERVICES = ["api", "worker", "llm"]
FILTERS = [
    *("", "", "", "tokens>10", "cost>0.25 or -cost:*", "model:gpt-4o", "model:*mini -state:open", "status:error", "service:(api or llm)"),
    *("root_service:api", "name:*2", "user:u42", "duration>3ns", "calls:0", "trace:*7", "received:1970-01-01 project:default"),
]


@st.composite
def fragments(draw: st.DrawFn) -> list[dict]:
    rows = []
    for number in range(draw(st.integers(0, 12))):
        trace_id = bytes([number, draw(st.integers(0, 255))]) * 8
        for part in range(draw(st.integers(1, 3))):
            start = draw(st.integers(0, 20))
            root_start = start + draw(st.integers(0, 3))
            rows.append(
                {
                    "trace_id": trace_id,
                    "project": "default",
                    "start_ns": start,
                    "end_ns": start + draw(st.integers(0, 9)),
                    "span_count": draw(st.integers(1, 4)),
                    "error_count": draw(st.sampled_from([0, 0, 0, 1])),
                    "has_root": draw(st.booleans()),
                    "root_start_ns": root_start,
                    "root_name": f"root {part}",
                    "service_name": draw(st.sampled_from([*SERVICES, None])),
                    "services": sorted(draw(st.sets(st.sampled_from(SERVICES)))),
                    "received_at": 0,
                    "llm_calls": draw(st.integers(0, 2)),
                    "input_tokens": draw(st.integers(-5, 20)),
                    "output_tokens": draw(st.integers(0, 3)),
                    "total_cost_usd": draw(st.sampled_from([Decimal(0), Decimal("0.25"), Decimal("0.000000000001")])),
                    "unpriced_calls": draw(st.integers(0, 2)),
                    "models": sorted(draw(st.sets(st.sampled_from(["gpt-4o", "gpt-4o-mini"])))),
                    "session_id": draw(st.sampled_from(["s1", "s2", None])),
                    "user_id": draw(st.sampled_from(["u42", None])),
                    "adjusted_count": None,
                    "decided_by": None,
                    "open": draw(st.booleans()),
                }
            )
    return draw(st.permutations(rows))


def picked(items: list[dict], question: TraceQuestion) -> list[bool]:
    """What the filter's mask says of whole traces, as `brute_force` adds them up."""
    columns = schema(Signal.TRACES).append(pa.field("open", pa.bool_()))
    rows = pa.Table.from_pylist([item["stored"] for item in items], columns)
    return to_mask(question.filter, rows, "traces", 0).to_pylist()


def brute_force(rows: list[dict], question: TraceQuestion) -> list[dict]:
    by_trace: dict[bytes, list[dict]] = {}
    for row in rows:
        by_trace.setdefault(row["trace_id"], []).append(row)
    found = []
    for trace_id, parts in by_trace.items():
        start = min(part["start_ns"] for part in parts)
        roots = [part for part in parts if part["has_root"]] or parts
        root = min(roots, key=lambda part: (part["root_start_ns"], part["root_name"]))
        item = {
            "trace_id": trace_id.hex(),
            "root_name": root["root_name"],
            "services": sorted({service for part in parts for service in part["services"]}),
            "start_ns": start,
            "duration_ns": max(part["end_ns"] for part in parts) - start,
            "span_count": sum(part["span_count"] for part in parts),
            "error_count": sum(part["error_count"] for part in parts),
            "state": "open" if any(part["open"] for part in parts) else "kept",
            **{name: sum(part[name] for part in parts) for name in ("llm_calls", "input_tokens", "output_tokens", "unpriced_calls")},
            "models": sorted({model for part in parts for model in part["models"]}),
            **{name: first_named(parts, name) for name in ("session_id", "user_id")},
            "adjusted_count": None,
            "decided_by": None,
        }
        cost = sum(part["total_cost_usd"] for part in parts)
        item["total_cost_usd"] = usd_text(cost) if item["llm_calls"] > item["unpriced_calls"] else None
        item["stored"] = {
            **item,
            "trace_id": trace_id,
            "project": "default",
            "service_name": root["service_name"],
            "end_ns": start + item["duration_ns"],
            "total_cost_usd": cost,
            "received_at": 0,
            "open": item["state"] == "open",
        }
        keep = question.from_ns <= start < question.to_ns
        keep &= question.service is None or question.service in item["services"]
        keep &= question.status is None or (question.status == "error") == (item["error_count"] > 0)
        keep &= question.min_duration_ns is None or item["duration_ns"] >= question.min_duration_ns
        if keep:
            found.append(item)
    found = [item for item, said in zip(found, picked(found, question), strict=True) if said]
    found.sort(key=lambda item: (ranked(item, question.column), item["trace_id"]), reverse=question.descending)
    for item in found:
        del item["stored"]
    return found


def ranked(item: dict, column: str) -> int:
    """What a list is ordered by: what costs nothing that is known comes below what costs nothing."""
    if column == "cost_rank":
        return -1 if item["total_cost_usd"] is None else int(item["stored"]["total_cost_usd"] * 10**12)
    return item["input_tokens"] + item["output_tokens"] if column == "token_rank" else item[column]


def first_named(parts: list[dict], name: str) -> str | None:
    named = sorted((not part["has_root"], part["root_start_ns"], part[name]) for part in parts if part[name] is not None)
    return named[0][2] if named else None


def told(item: dict) -> dict:
    """An item as `brute_force` says it."""
    unsaid = ("service_name", "start", "duration_ms")
    return {key: int(value) if key.endswith("_ns") else value for key, value in item.items() if key not in unsaid}


def relation(rows: list[dict]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    columns = schema(Signal.TRACES).append(pa.field("open", pa.bool_()))
    con.register("trace_fragments", pa.Table.from_pylist(rows, columns))
    return con


@given(
    fragments(),
    st.sampled_from(sort_names()),
    st.integers(1, 5),
    st.one_of(st.none(), st.sampled_from(SERVICES)),
    st.sampled_from([None, "ok", "error"]),
    st.one_of(st.none(), st.integers(0, 12)),
    st.sampled_from([EVER, (5, 15), (0, 10), (12, EVER[1])]),
    st.booleans(),
    st.sampled_from(FILTERS),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_pages_are_what_brute_force_gives(rows, sort, limit, service, status, min_duration, window, rare, asked, known):
    question = TraceQuestion(*window, service, status, min_duration, sort, limit, filter=parse(asked), now=0)
    con = relation(rows)
    starts = MomentStarts([starts_of(rows[::2]), starts_of(rows[1::2])]) if known else None
    sums = MomentSums([sums_of(rows[::2]), sums_of(rows[1::2])]) if known else None
    rounds, traces._WALK_ROUNDS = traces._WALK_ROUNDS, () if rare else (1, 3)
    found, cursor = [], None
    try:
        while True:
            page = list_traces(con, replace(question, cursor=cursor), starts, sums)
            assert len(page.items) <= limit
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
            assert len(page.items) == limit
    finally:
        traces._WALK_ROUNDS = rounds
        con.close()
    expected = brute_force(rows, question)
    assert [told(item) for item in found] == expected


def starts_of(rows: list[dict]) -> Starts:
    return Starts(pa.Table.from_pylist(rows, schema(Signal.TRACES)).select(list(COLUMNS)))


def sums_of(rows: list[dict]) -> Sums:
    return Sums(pa.Table.from_pylist(rows, schema(Signal.TRACES)))


def fragment(number: int, start: int, **facts) -> dict:
    row = {"trace_id": number.to_bytes(16, "big"), "project": "", "start_ns": start, "end_ns": start + 1, "span_count": 1, "error_count": 0}
    row |= {
        "has_root": True,
        "root_start_ns": start,
        "root_name": "r",
        "service_name": "api",
        "services": ["api"],
        "received_at": 0,
        **dict.fromkeys(("llm_calls", "input_tokens", "output_tokens", "unpriced_calls"), 0),
        "total_cost_usd": Decimal(0),
        "models": [],
        "open": False,
    }
    return row | facts


def test_a_walk_that_meets_ties_and_rare_filters_still_gives_whole_pages():
    # 2,000 traces of one nanosecond: no edge of a walk is complete, so the list has to fall back to grouping
    rows = [fragment(number + 1, 100, error_count=int(number % 700 == 0)) for number in range(2000)]
    con = relation(rows)
    page = list_traces(con, TraceQuestion(limit=50))
    assert [item["trace_id"] for item in page.items] == [number.to_bytes(16, "big").hex() for number in range(2000, 1950, -1)]
    errors = list_traces(con, TraceQuestion(limit=50, status="error"))
    assert [int(item["trace_id"], 16) for item in errors.items] == [1401, 701, 1]


def test_new_traces_do_not_shift_the_pages_behind_a_cursor():
    rows = [fragment(number, number) for number in range(1, 21)]
    first = list_traces(relation(rows), TraceQuestion(limit=10))
    more = [fragment(number, number) for number in range(21, 40)]
    second = list_traces(relation(rows + more), TraceQuestion(limit=10, cursor=first.next_cursor))
    assert [int(item["trace_id"], 16) for item in first.items + second.items] == list(range(20, 0, -1))


@pytest.mark.parametrize("sort", ["-start", "-duration"])
@pytest.mark.parametrize("known", [False, True])
def test_no_nanosecond_is_lost_where_traces_lie_apart(sort, known):
    day, now = 86_400 * 10**9, 1_795_430_890_363_536_205
    rows = [fragment(n, now - n * day - n, end_ns=now - n * day + 5 * n) for n in range(1, 31)]
    rows += [fragment(n, now - n * day + 7 * n, end_ns=now - n * day + 9 * n) for n in range(1, 31)]
    page = list_traces(relation(rows), TraceQuestion(sort=sort, limit=30), MomentStarts([starts_of(rows)]) if known else None)
    assert sorted(int(item["duration_ns"]) for item in page.items) == [10 * n for n in range(1, 31)]
    assert {item["span_count"] for item in page.items} == {2}


def test_times_at_both_ends_of_int64_are_listed():
    page = list_traces(relation([fragment(1, -(2**63), end_ns=2**63 - 1), fragment(2, 2**63 - 2, end_ns=0)]), TraceQuestion())
    assert [(item["start_ns"], item["start"][:4]) for item in page.items] == [(str(2**63 - 2), "2262"), (str(-(2**63)), "1677")]


@pytest.mark.parametrize("sort", sort_names())
@pytest.mark.parametrize("known", [False, True])
def test_one_trace_whose_end_wrapped_does_not_spoil_the_list(sort, known):
    """A span that ends past 2262 has an end before its start, by more than int64 holds."""
    rows = [fragment(1, 2**63 - 2, end_ns=-(2**63) + 8), fragment(2, 10, end_ns=20)]
    sums = MomentSums([sums_of(rows)]) if known else None
    durations = {
        item["start_ns"]: int(item["duration_ns"]) for item in list_traces(relation(rows), TraceQuestion(sort=sort), None, sums).items
    }
    assert durations == {str(2**63 - 2): -(2**63), "10": 10}


def test_sums_are_left_to_sql_where_they_could_wrap_or_too_many_are_alike():
    ask = {"window": EVER, "count": 1, "largest": True, "behind": None}
    huge = MomentSums([sums_of([fragment(n, n, input_tokens=2**62) for n in range(3)])])
    assert huge.first("token_rank", **ask) is None and huge.first("span_count", **ask) is None
    alike = MomentSums([sums_of([fragment(n, n, input_tokens=1) for n in range(5000)])])
    assert alike.first("token_rank", **ask) is None
    assert MomentSums([sums_of([fragment(n, n, input_tokens=n) for n in range(5000)])]).first("token_rank", **ask).to_pylist() == [
        (4999).to_bytes(16, "big")
    ]
    assert len(MomentSums([sums_of([])]).first("token_rank", **ask)) == 0


@pytest.mark.parametrize("cursor", ["", "x", "bm8", "WyItc3RhcnQiXQ", "WyJzdGFydCIsMSwiMDAiXQ", "WyItc3RhcnQiLDEsInh4Il0", "ä"])
def test_a_foreign_cursor_is_refused(cursor):
    with pytest.raises(BadRequest, match="cursor"):
        list_traces(relation([]), TraceQuestion(cursor=cursor))


def test_services_are_counted():
    rows = [fragment(1, 1, services=["api", "llm"]), fragment(1, 2, services=["api"]), fragment(2, 3, services=["api"]), fragment(3, 99)]
    assert list_services(relation(rows), 0, 50) == [{"name": "api", "count": 3}, {"name": "llm", "count": 1}]


def span(number: int, start: int, **attributes: str) -> dict:
    return {
        "trace_id": number.to_bytes(16, "big").hex(),
        "start_ns": start,
        "provider": attributes.pop("provider", None),
        "attributes": attributes,
    }


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("attr.route:a", {1, 2}),
        ("-attr.route:a", {3}),
        ("attr.route:a attr.route:b", {1}),  # each condition by itself: a of one span, b of another
        ("attr.route!=a", {1}),
        ("attr.route:a -provider:openai", {2}),
        ("attr.route:a status:error", {2}),
    ],
)
@pytest.mark.parametrize("sort", ["-start", "duration"])
def test_conditions_of_spans_pick_traces_with_such_a_span(text, numbers, sort):
    con = relation([fragment(1, 5), fragment(2, 6, error_count=1), fragment(3, 7)])
    rows = [span(1, 5, route="a"), span(1, 6, route="b", provider="openai"), span(2, 6, route="a"), span(3, 7)]
    columns = {"trace_id": pa.string(), "start_ns": pa.int64(), "provider": pa.string(), "attributes": pa.map_(pa.string(), pa.string())}
    con.register("spans", pa.Table.from_pylist(rows, pa.schema(columns)))
    question = TraceQuestion(sort=sort, filter=parse(text))
    asked = spans_asked(question)
    assert asked is not None and "attributes" in asked
    assert {int(item["trace_id"], 16) for item in list_traces(con, question).items} == numbers
    assert {int(item["trace_id"], 16) for item in list_traces(con, replace(question, from_ns=6)).items} == numbers - {1}


def test_spans_are_read_only_for_conditions_of_spans():
    assert spans_asked(TraceQuestion(filter=parse("cost>0 or (status:error -model:*)"))) is None
    with pytest.raises(FilterError, match="no field"):
        spans_asked(TraceQuestion(filter=parse("colour:red")))
