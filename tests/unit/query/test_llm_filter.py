"""Questions about calls take the product's filter language, and a filter never reads sums of minutes, which do not have what it names."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from calling import MINUTE, NOW, call, relations, rollups
from test_llm_sessions import fragment, traces_of

from observatory.errors import BadRequest
from observatory.query.llm_calls import CallQuestion, list_calls
from observatory.query.llm_filter import condition
from observatory.query.llm_summary import SummaryQuestion, summarize
from observatory.query.sessions import GroupQuestion, list_groups

pytest.importorskip("observatory.query.filter")
FLOOR = NOW // MINUTE * MINUTE


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    from random import Random

    calls = [
        call(1, cost=Decimal(3), user_id="ann", session_id="a"),
        call(2, cost=None, user_id="$from_ns", session_id="b", model_name="my-own"),
        call(3, counted=False, user_id="ann", session_id="a"),
    ]
    found = duckdb.connect(config={"threads": 1})
    relations(found, calls, rollups(calls, Random(1)), [fragment(9, FLOOR + 1, session_id="z")])
    return found


def test_a_summary_of_a_filter_is_of_the_calls_themselves(con):
    window = (FLOOR, FLOOR + MINUTE)
    assert summarize(con, SummaryQuestion(*window)).source == "rollups"
    said = summarize(con, SummaryQuestion(*window, ("model",), filter="cost>1 user:ann"))
    assert (said.source, said.totals["calls"], said.totals["total_cost_usd"]) == ("calls", 1, "3")
    assert summarize(con, SummaryQuestion(*window, filter="counted:false")).totals["calls"] == 0
    assert summarize(con, SummaryQuestion(*window, filter='user:"$from_ns"')).totals["calls"] == 1


def test_lists_take_it_beside_their_own_parameters(con):
    assert [int(item["span_id"], 16) for item in list_calls(con, CallQuestion(filter="model:my-own")).items] == [2]
    page = list_calls(con, CallQuestion(filter="user:ann", counted=None, limit=1))
    rest = list_calls(con, CallQuestion(filter="user:ann", counted=None, limit=1, cursor=page.next_cursor))
    assert {int(item["span_id"], 16) for item in page.items + rest.items} == {1, 3}


def test_sessions_of_a_filter_have_a_call_that_passes_it(con):
    traces: pa.Table = traces_of(con, FLOOR, FLOOR + MINUTE)
    everything = list_groups(con, traces, GroupQuestion("session", FLOOR, FLOOR + MINUTE))
    assert {item["session_id"] for item in everything.items} == {"a", "b", "z"}
    some = list_groups(con, traces, GroupQuestion("session", FLOOR, FLOOR + MINUTE, filter="user:ann"))
    assert [item["session_id"] for item in some.items] == ["a"]


def test_what_is_not_understood_is_the_readers_to_mend():
    with pytest.raises(BadRequest, match="filter"):
        condition("cost>", {})
