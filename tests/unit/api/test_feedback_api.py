"""Feedback from the request to the list: what is acknowledged is told, also of traces that come later, beside evaluations by event."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asking import Asked, open_asked

from observatory.contracts import Export, Signal
from observatory.receivers.config import ReceiversConfig
from observatory.testing.spans import Maker

PATH = "/api/v1/feedback"
T, S = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = {"trace_id": T, "name": "helpful", "score": 1}
CAPTURE = Path(__file__).parents[2] / "data" / "captures" / "handmade" / "evaluation"


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


async def cut(asked: Asked) -> None:
    await asyncio.to_thread(asked.pipeline.ingest.quiesce)
    await asyncio.to_thread(asked.pipeline.cut)


async def listed(asked: Asked, **parameters: Any) -> list[dict[str, Any]]:
    return (await asked.get(PATH, **parameters))["items"]


async def test_feedback_is_told_as_it_was_said_from_the_journal_and_from_segments(asked: Asked):
    said = {**GOOD, "span_id": S, "label": "good", "comment": "näh\n", "user_id": "u1", "time": "2026-11-23T10:48:10.5Z", "id": "mine"}
    assert await asked.post(PATH, said) == {"accepted": 1, "rejected": 0, "errors": []}
    expected = {
        "feedback_id": "mine", "time": "2026-11-23T10:48:10.500000000Z", "time_ns": "1795430890500000000", "trace_id": T, "span_id": S,
        "response_id": None, "name": "helpful", "score": 1.0, "label": "good", "comment": "näh\n", "user_id": "u1", "source": "api",
        "error_type": None, "project": "default",
    }  # fmt: skip
    for _ in range(2):
        page = await asked.get(PATH)
        (item,) = page.pop("items")
        assert item.pop("received_at").endswith("000Z")
        assert item == expected
        assert page == {"next_cursor": None, "from": None, "to": None}
        await cut(asked)
    assert asked.metric("observatory_ingest_rows_total", signal="feedback") == 1
    answer = await asked.sql("SELECT trace_id, score, label, source FROM feedback WHERE name = 'helpful'")
    assert answer["rows"] == [[T, 1.0, "good", "api"]]


async def test_a_mistake_refuses_its_object_alone_and_is_named(asked: Asked):
    answer = await asked.post(PATH, [GOOD, {**GOOD, "score": "1", "tarce_id": 1}, {**GOOD, "score": 0.5}, 7])
    assert answer == {
        "accepted": 2,
        "rejected": 2,
        "errors": [
            {"where": "[1].tarce_id", "message": "unknown field; did you mean `trace_id`?"},
            {"where": "[1].score", "message": 'expected a finite number, got "1"'},
            {"where": "[3]", "message": "expected an object, got 7"},
        ],
    }
    assert sorted(item["score"] for item in await listed(asked)) == [0.5, 1.0]
    assert asked.metric("observatory_ingest_rejected_rows_total", signal="feedback") == 2


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        (b"{", "body", "body: no JSON: "),
        (b"", "body", "body: no JSON: "),
        (b"[]", "body", "body: expected 1 to 1,000 objects, got 0"),
        (b"\xff", "body", "body: no JSON: "),
        ([{**GOOD, "score": "x"}], "[0].score", '[0].score: expected a finite number, got "x"'),
        ({**GOOD, "score": "x", "label": 2}, "score", 'score: expected a finite number, got "x"; label: expected text, got 2'),
    ],
)
async def test_when_nothing_is_usable_the_request_is(asked: Asked, body: Any, where: str, message: str):
    error = (await asked.post(PATH, body, 400))["error"]
    assert (error["code"], error["where"]) == ("bad_request", where)
    assert error["message"].startswith(message)
    assert await listed(asked) == []


async def test_a_resend_is_acknowledged_once_and_an_id_replaces_what_it_said_before(asked: Asked):
    for _ in range(2):
        assert (await asked.post(PATH, {**GOOD, "id": "vote"}))["accepted"] == 1
    assert asked.metric("observatory_ingest_rows_total", signal="feedback") == 1
    await cut(asked)
    await asked.post(PATH, {**GOOD, "id": "vote", "score": 0, "time": "2026-01-31T09:30:00Z"})
    assert [(item["score"], item["time"][:10]) for item in await listed(asked)] == [(0.0, "2026-01-31")]
    since = await listed(asked, **{"from": "2026-06-01T00:00:00Z"})
    assert since == [], "what was replaced is in no window"


async def test_feedback_of_a_trace_that_comes_later_by_its_id_or_its_response(asked: Asked):
    make = Maker(3)
    span = make.span("chat", attributes={"gen_ai.operation.name": "chat", "gen_ai.response.id": "resp_7"})
    trace_id = span.trace_id.hex()
    await asked.post(PATH, {"response_id": "resp_7", "name": "late", "label": "yes"})
    await asked.post(PATH, {"trace_id": trace_id, "name": "early", "score": 1})
    await asked.post(PATH, {"trace_id": T, "response_id": "resp_7", "name": "of another trace", "score": 1})
    await asked.post(PATH, {"response_id": "resp_8", "name": "of another response", "score": 1})
    assert [item["name"] for item in await listed(asked, trace_id=trace_id)] == ["early"]
    await asked.store(make.spans(span))
    for _ in range(2):
        found = {item["name"]: (item["trace_id"], item["span_id"]) for item in await listed(asked, trace_id=trace_id.upper())}
        assert found == {"early": (trace_id, None), "late": (trace_id, span.span_id.hex())}
        await cut(asked)


async def test_pages_tell_everything_once_while_more_comes(asked: Asked):
    start = 1_795_430_890_000_000_000
    votes = [{**GOOD, "score": n, "name": "even" if n % 2 == 0 else "odd", "time": start + n // 3} for n in range(20)]
    await asked.post(PATH, votes[:9])
    await cut(asked)
    await asked.post(PATH, votes[9:])
    told: list[dict[str, Any]] = []
    cursor = {}
    while True:
        page = await asked.get(PATH, limit=3, **cursor)
        told += page["items"]
        if page["next_cursor"] is None:
            break
        await asked.post(PATH, {**GOOD, "score": 100 + len(told), "time": start + 1000})  # later than all pages: it shifts none
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(item["score"] for item in told) == list(range(20))
    assert [item["time_ns"] for item in told] == sorted((item["time_ns"] for item in told), reverse=True)
    window = {"from": str(start + 2), "to": str(start + 4)}
    assert sorted(item["score"] for item in await listed(asked, **window)) == list(range(6, 12))
    assert {item["score"] for item in await listed(asked, name="odd", **window)} == {7, 9, 11}


async def test_evaluations_that_come_as_events_are_feedback(asked: Asked):
    """What really happened stands in the capture's own meta.json."""
    bodies = {Signal.SPANS: (CAPTURE / "001.traces.pb").read_bytes(), Signal.LOGS: (CAPTURE / "002.logs.pb").read_bytes()}
    expected = json.loads((CAPTURE / "meta.json").read_text())["expected"]["evaluations"]
    for signal, body in bodies.items():
        await asked.pipeline.ingest.put(Export(signal, body, asked.clock.now()))
    (trace_id,), *_ = (await asked.sql("SELECT trace_id FROM spans"))["rows"]
    for _ in range(2):
        items = await listed(asked, trace_id=trace_id)
        told = [[item["name"], item["score"], item["label"]] for item in items[::-1]]
        assert told == [evaluation[:3] for evaluation in expected]
        assert [item["error_type"] for item in items] == ["timeout", None, None]
        assert len({item["span_id"] for item in items}) == 1, "the span of the response"
        assert {item["source"] for item in items} == {"event"}
        linked = await asked.sql("SELECT name, trace_id IS NOT NULL, response_id FROM feedback ORDER BY time_ns")
        response = "chatcmpl-eval-1"
        assert linked["rows"] == [["Relevance", True, response], ["Groundedness", False, response], ["Toxicity", False, response]]
        assert len({item["feedback_id"] for item in items}) == 3
        ids = [item["feedback_id"] for item in items]
        await cut(asked)
    assert [item["feedback_id"] for item in await listed(asked)] == ids, "an event's id is the same wherever it lies"


async def test_other_log_records_are_no_feedback(asked: Asked):
    await asked.store(Maker(1).logs("a", "b"))
    assert await listed(asked) == []


@pytest.mark.parametrize("encoding", ["gzip", "zstd-unknown"])
async def test_a_body_may_be_compressed(asked: Asked, encoding: str):
    body = gzip.compress(json.dumps(GOOD).encode())
    status = 200 if encoding == "gzip" else 415
    await asked.post(PATH, body, status, **{"content-encoding": encoding})
    assert len(await listed(asked)) == (status == 200)


async def test_keys_guard_it_as_they_guard_exports(tmp_path: Path):
    receivers = ReceiversConfig.model_validate({"api_keys": ["secret"]})
    async with open_asked(tmp_path / "data", receivers=receivers) as asked:
        for headers in ({}, {"authorization": "Bearer wrong"}):
            error = (await asked.post(PATH, GOOD, 401, **headers))["error"]
            assert error["code"] == "unauthenticated"
        assert (await asked.post(PATH, GOOD, authorization="Bearer secret"))["accepted"] == 1
        assert len(await listed(asked)) == 1


async def test_the_doors_of_the_api_hold(asked: Asked):
    await asked.post(PATH, GOOD, 403, origin="https://evil.example")
    await asked.post(PATH, GOOD, 421, host="evil.example")
    await asked.post(PATH, GOOD, 415, **{"content-type": "text/plain"})
    await asked.post(f"{PATH}?x=1", GOOD, 400)
    async with asked.client.put(PATH, json=GOOD) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD,POST")
    assert await listed(asked) == []


async def test_what_is_too_large_or_has_no_room_says_so(tmp_path: Path):
    receivers = ReceiversConfig(max_request_bytes=4096, max_json_bytes=2048, max_in_flight_bytes=4096)
    async with open_asked(tmp_path / "data", receivers=receivers) as asked:
        error = (await asked.post(PATH, {**GOOD, "comment": "x" * 2048}, 413))["error"]
        assert "2,048 bytes" in error["message"]
        asked.pipeline.ingest.refuse("the disk is full")
        async with asked.client.post(PATH, json=GOOD) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert (await response.json())["error"]["message"] == "the disk is full"
        asked.pipeline.ingest.refuse(None)
        assert (await asked.post(PATH, GOOD))["accepted"] == 1


async def test_questions_with_mistakes_are_refused(asked: Asked):
    for parameters, where in (({"trace_id": "x"}, "trace_id"), ({"limit": 0}, "limit"), ({"cursor": "x"}, "cursor"), ({"nmae": 1}, "nmae")):
        assert (await asked.get(PATH, 400, **parameters))["error"]["where"] == where
