"""Questions about calls over HTTP: storage is real, and the relations of calls are made from rows of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from asking import Asked, open_asked

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
