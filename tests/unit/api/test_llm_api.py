"""Questions about calls over HTTP: storage is real, and the relations of calls are made from rows of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from asking import Asked, open_asked
from span_blocks import as_objects

from observatory.testing.spans import Maker
from tests.unit.query.calling import MINUTE, NOW, call

FLOOR = NOW // MINUTE * MINUTE


@pytest.fixture
async def asked(tmp_path: Path, stored: list[dict[str, Any]]) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


async def test_a_summary_says_what_it_is_of(asked, stored):
    stored += [call(1, start_ns=FLOOR), call(2, start_ns=FLOOR + 1, model_name="b", cost=None), call(3, start_ns=FLOOR + MINUTE)]
    said = await asked.get("/api/v1/llm/summary", group_by="model,minute", **{"from": FLOOR, "to": FLOOR + MINUTE}, tz="Asia/Kolkata")
    assert (said["source"], said["exact"], said["groups"], said["group_by"]) == ("rollups", False, 2, ["minute", "model"])
    assert (said["from"], said["tz"]) == ("2026-11-23T10:48:00.000000000Z", "Asia/Kolkata")
    assert "sampled or not" in said["population"]
    assert [(item["group"], item["calls"], item["total_cost_usd"]) for item in said["items"]] == [
        ({"time": "2026-11-23T16:18:00+05:30", "model": "gpt-4.1"}, 1, "0.003"),
        ({"time": "2026-11-23T16:18:00+05:30", "model": "b"}, 1, None),
    ]
    assert (said["totals"]["calls"], said["totals"]["unpriced_calls"], said["totals"]["input_tokens"]) == (2, 1, 20)
    exactly = await asked.get("/api/v1/llm/summary", group_by="user")
    assert (exactly["source"], exactly["exact"], exactly["totals"]["latency_ms"]["p95"]) == ("calls", True, 2000.0)


async def test_the_dearest_of_a_dimension_are_told_at_once(asked, stored):
    stored += [call(1, user_id="ann", cost=Decimal(2)), call(2, user_id="bob"), call(3, user_id="bob", cost=None), call(4, cost=None)]
    said = await asked.get("/api/v1/llm/top", by="user", limit=2)
    assert (said["by"], said["groups"]) == ("user", 3)
    assert [(item["name"], item["calls"], item["total_cost_usd"], item["unpriced_calls"]) for item in said["items"]] == [
        ("ann", 1, "2", 0),
        ("bob", 2, "0.003", 1),
    ]


async def test_calls_are_listed_with_what_does_not_count(asked, stored):
    stored += [
        call(1),
        call(2, counted=False, not_counted_reason="wraps_call"),
        call(3, cost=None),
        call(4, cost=Decimal(2), user_id="ann"),
    ]

    async def spans(**parameters: str) -> list[int]:
        return [int(item["span_id"], 16) for item in (await asked.get("/api/v1/llm/calls", **parameters))["items"]]

    assert sorted(await spans()) == [1, 3, 4]
    assert sorted(await spans(counted="all")) == [1, 2, 3, 4]
    assert await spans(counted="false") == [2]
    assert await spans(unpriced="true") == [3]
    assert await spans(user="ann") == [4]
    assert await spans(sort="-cost") == [4, 1, 3]
    first = await asked.get("/api/v1/llm/calls", limit=2, sort="cost")
    rest = await asked.get("/api/v1/llm/calls", limit=2, sort="cost", cursor=first["next_cursor"])
    assert [int(item["span_id"], 16) for item in first["items"] + rest["items"]] == [3, 1, 4]
    assert (await asked.get("/api/v1/llm/calls", counted="false"))["items"][0]["not_counted_reason"] == "wraps_call"


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/api/v1/llm/summary?group_by=colour", "group_by"),
        ("/api/v1/llm/summary?group_by=day&tz=Mars", "tz"),
        ("/api/v1/llm/summary?order=name", "order"),
        ("/api/v1/llm/top?by=day", "by"),
        ("/api/v1/llm/summary?limit=0", "limit"),
        ("/api/v1/llm/summary?group_by=minute&from=0&to=1769851800000000000", "group_by"),
        ("/api/v1/llm/calls?counted=maybe", "counted"),
        ("/api/v1/llm/calls?sort=name", "sort"),
        ("/api/v1/llm/calls?cursor=x", "cursor"),
        ("/api/v1/llm/calls?unprised=true", "unprised"),
    ],
)
async def test_bad_questions_are_told_where_they_are_wrong(asked, path, where):
    said = await asked.get(path, 400)
    assert said["error"]["where"] == where


async def test_a_month_is_forecast_from_its_days(asked, stored):
    now, day = asked.clock.now(), 86_400 * 10**9
    stored += [call(n, start_ns=now - n * day, cost=Decimal(3)) for n in range(1, 8)]
    said = await asked.get("/api/v1/llm/forecast")
    assert (said["history_days"], said["tz"], said["complete"]) == (7, "UTC", False)
    assert float(said["forecast"]["low_usd"]) == float(said["forecast"]["high_usd"]) == float(said["forecast"]["total_usd"])
    assert len(said["days"]) >= 28
    assert (await asked.get("/api/v1/llm/forecast", month="1971-01"))["reason"] == "the month is over"
    assert (await asked.get("/api/v1/llm/forecast", 400, month="2999-01"))["error"]["where"] == "month"


async def test_sessions_and_users_are_of_calls_and_of_traces(asked, stored):
    make = Maker(3, now=NOW)
    span = make.span("turn", attributes={"session.id": "s2", "user.id": "bob"})
    await asked.store(make.spans(span))
    stored += [call(1, session_id="s1", user_id="ann", cost=Decimal(1)), call(2, session_id="s/1", user_id="ann", cost=None)]
    said = await asked.get("/api/v1/sessions", sort="-cost")
    first = said["items"][0]
    assert (first["session_id"], first["calls"], first["total_cost_usd"]) == ("s1", 1, "1")
    assert {item["session_id"] for item in said["items"]} == {"s1", "s/1", "s2"}
    assert {item["session_id"] for item in (await asked.get("/api/v1/sessions", user="ann"))["items"]} == {"s1", "s/1"}
    one = await asked.get("/api/v1/sessions/s2")
    assert [(item["trace_id"], item["root_name"]) for item in one["trace_items"]] == [(span.trace_id.hex(), "turn")]
    assert (await asked.get("/api/v1/sessions/s%2F1"))["unpriced_calls"] == 1
    await asked.get("/api/v1/sessions/nobody", 404)
    assert {item["user_id"] for item in (await asked.get("/api/v1/users"))["items"]} == {"ann", "bob"}
    ann = await asked.get("/api/v1/users/ann", tz="Europe/Berlin")
    assert [(day["day"], day["calls"], day["total_cost_usd"]) for day in ann["days"]] == [("2026-11-23T00:00:00+01:00", 2, "1")]
    assert [(model["model"], model["calls"]) for model in ann["models"]] == [("gpt-4.1", 2)]
    assert {item["session_id"] for item in ann["sessions"]} == {"s1", "s/1"}


async def test_a_trace_tells_its_calls(asked, stored):
    make = Maker(4, now=NOW)
    root = make.span("agent", duration_s=3)
    child = make.span("chat", parent=root, duration_s=1, attributes={"session.id": "s9"})
    await asked.store(make.spans(root, child))
    stored.append(call(1, trace_id=child.trace_id, span_id=child.span_id, start_ns=child.start_time_unix_nano, user_id="ann"))
    said = await asked.get(f"/api/v1/traces/{root.trace_id.hex()}", view="tree")
    assert (said["llm_calls"], said["total_cost_usd"], said["models"], said["session_id"], said["user_id"]) == (
        1, "0.003", ["gpt-4.1"], "s9", "ann",
    )  # fmt: skip
    (block,) = (await asked.get(f"/api/v1/traces/{root.trace_id.hex()}", view="columns"))["blocks"]
    assert as_objects(block) == said["spans"]
    above, below = said["spans"]
    assert "call" not in above
    assert (above["subtree"]["llm_calls"], above["subtree"]["total_tokens"]) == (1, 15)
    assert (below["call"]["counted"], below["call"]["total_tokens"]) == (True, 15)
    assert "subtree" not in below  # nothing is below it
    full = await asked.get(f"/api/v1/traces/{root.trace_id.hex()}/spans/{child.span_id.hex()}")
    assert full["call"] == below["call"]
