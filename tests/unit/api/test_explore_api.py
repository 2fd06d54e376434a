"""Rows and what stands around them, over a real journal and real segments: spans, histograms, values, failures, the tail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asking import Asked, open_asked

from observatory.api.tail import MOST_BATCHES, Listener
from observatory.model.clock import MINUTE, SECOND
from observatory.model.signal import Signal
from observatory.otlp.decode import decoders
from observatory.query import explore
from observatory.query.filter import parse
from observatory.testing.spans import Maker
from tests.unit.query.calling import call

NOW = 1_795_430_890_363_536_205
FLOOR = NOW // MINUTE * MINUTE
WINDOW = {"from": FLOOR - 60 * MINUTE, "to": FLOOR + MINUTE}


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


async def some(asked: Asked, *, cut: bool = False) -> list[Any]:
    """Three services, one of them failing: 40 spans that started in the last 40 minutes."""
    make = Maker(3, now=NOW)
    spans, payloads = [], []
    for number in range(40):
        span = make.span(
            f"work {number % 4}", duration_s=number / 10 + 0.1, error=f"no answer from 10.0.0.{number}" if number % 5 == 0 else None
        )
        span.start_time_unix_nano -= number * MINUTE
        span.end_time_unix_nano -= number * MINUTE
        spans.append(span)
        payloads.append(make.spans(span, service=f"service-{number % 3}"))
    await asked.store(*payloads, cut=cut)
    return spans


@pytest.mark.parametrize("cut", [False, True])
async def test_spans_come_page_by_page_in_either_order(asked, cut):
    spans = await some(asked, cut=cut)
    for sort, key in (("-start", lambda s: -s.start_time_unix_nano), ("duration", lambda s: s.end_time_unix_nano - s.start_time_unix_nano)):
        found, cursor = [], None
        while True:
            page = await asked.get("/api/v1/spans", sort=sort, limit=7, **({"cursor": cursor} if cursor else {}))
            found += [item["span_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert found == [span.span_id.hex() for span in sorted(spans, key=key)]


async def test_a_span_is_told_as_it_is_and_filters_are_of_spans(asked):
    spans = await some(asked)
    one = (await asked.get("/api/v1/spans", filter=f"span:{spans[5].span_id.hex()}"))["items"]
    assert [(item["name"], item["service_name"], item["status"], item["duration_ms"]) for item in one] == [
        ("work 1", "service-2", "error", 600.0)
    ]
    assert one[0]["status_message"] == "no answer from 10.0.0.5"
    failed = await asked.get("/api/v1/spans", filter="status:error service:service-0", limit=100)
    assert len(failed["items"]) == sum(n % 5 == 0 and n % 3 == 0 for n in range(40))
    assert (await asked.get("/api/v1/spans", filter="status:ok,error", limit=100))["items"] != []
    refused = await asked.get("/api/v1/spans", 400, filter="cots>1")
    assert refused["error"]["where"] == "filter"


@pytest.mark.parametrize("of", ["traces", "spans"])
@pytest.mark.parametrize("cut", [False, True])
async def test_a_histogram_counts_every_row_once_where_it_started(asked, of, cut):
    spans = await some(asked, cut=cut)
    for filter in ({}, {"filter": "service:service-1"}):
        said = await asked.get("/api/v1/histogram", of=of, slots=61, **WINDOW, **filter)
        chosen = [(n, s) for n, s in enumerate(spans) if not filter or n % 3 == 1]
        expected = [0] * 61
        for _, span in chosen:
            expected[(span.start_time_unix_nano - WINDOW["from"]) // MINUTE] += 1
        assert (said["counts"], said["slot_ns"], said["exact"]) == (expected, str(MINUTE), True)
        assert (said["total"], said["failed"]) == (len(chosen), sum(n % 5 == 0 for n, _ in chosen))


async def test_a_histogram_of_an_open_window_begins_and_ends_with_its_rows(asked):
    await some(asked)
    said = await asked.get("/api/v1/histogram", of="spans", slots=10)
    assert sum(said["counts"]) == said["total"] == 40
    nothing = await asked.get("/api/v1/histogram", of="spans", **{"from": 0, "to": 60})
    assert (nothing["total"], nothing["exact"]) == (0, True)


@pytest.mark.parametrize("of", ["traces", "spans"])
async def test_values_are_counted_the_most_frequent_first(asked, of):
    await some(asked)
    said = await asked.get("/api/v1/facets", of=of, fields="service,name,status", limit=2)
    values = {
        facet["field"]: [(value["value"], value["count"], value["standard_error"]) for value in facet["values"]] for facet in said["facets"]
    }
    assert said["exact"] is True
    assert values["service"] == [("service-0", 14, None), ("service-1", 13, None)]
    assert values["name"] == [("work 0", 10, None), ("work 1", 10, None)]
    assert dict(v[:2] for v in values["status"])["error"] == 8
    assert [facet["groups"] for facet in said["facets"]] == [3, 4, 2]
    found = await asked.get("/api/v1/facets", of=of, fields="name", prefix="ORK 3")
    assert [value["value"] for value in found["facets"][0]["values"]] == ["work 3"]
    filtered = await asked.get("/api/v1/facets", of=of, fields="service", filter='name:"work 1" -status:error')
    assert sum(value["count"] for value in filtered["facets"][0]["values"]) == 8


@pytest.mark.parametrize(
    ("fields", "sentence"), [("duration", "got 'duration'"), ("modle", "got 'modle'"), (",".join(["name"] * 13), "at most 12")]
)
async def test_fields_without_values_are_refused(asked, fields, sentence):
    assert sentence in (await asked.get("/api/v1/facets", 400, of="spans", fields=fields))["error"]["message"]


@pytest.mark.parametrize("of", ["traces", "spans"])
async def test_of_many_rows_a_sample_is_counted_and_said_to_be_one(asked, of, monkeypatch):
    make = Maker(8, now=NOW)
    payloads = []
    for number in range(40):
        flat = make.flat(50, service="even" if number % 2 else "odd")
        for span in flat.all_spans:
            moved = number * 7 * SECOND
            span.start_time_unix_nano -= moved
            span.end_time_unix_nano -= moved
        payloads.append(flat)
    await asked.store(*payloads, cut=True)
    monkeypatch.setitem(explore.MOST, of, 1000)
    said = await asked.get("/api/v1/facets", of=of, fields="service")
    assert said["exact"] is False and 0 < said["share"] < 0.6
    for value in said["facets"][0]["values"]:
        error = value["standard_error"]["count"]
        assert error > 0
        # five standard errors, and what slices differ by
        assert abs(value["count"] - 1000) < 5 * error + 250, value


async def test_fields_are_those_of_the_language(asked):
    said = await asked.get("/api/v1/fields", of="calls")
    fields = {field["name"]: field for field in said["fields"]}
    assert fields["status"]["words"] == ["ok", "error"] and fields["model_name"]["values"]
    assert (fields["cost"]["kind"], fields["cost"]["values"]) == ("money", False)


@pytest.mark.parametrize("cut", [False, True])
async def test_failures_are_put_together_where_they_began(asked, cut):
    make = Maker(5, now=NOW)
    for number in range(6):
        root = make.span("POST /ask", duration_s=3, error="upstream failed")
        child = make.span(
            "chat gpt", parent=root, duration_s=1, error=f"RateLimitError: try again in {number} s, request 4bf92f3577b3{number}0e"
        )
        await asked.store(make.spans(root, child, service="web"))
    await asked.store(make.spans(make.span("other", error="ValueError: no"), service="desk"), cut=cut)
    said = await asked.get("/api/v1/errors")
    assert (said["groups"], said["failures"]) == (2, 7)
    first, second = said["items"]
    assert (first["name"], first["error_type"], first["count"], first["traces"], first["before"]) == (
        "chat gpt",
        "RateLimitError",
        6,
        6,
        None,
    )
    assert first["pattern"] == "RateLimitError: try again in # s, request #"
    assert sum(first["slots"]) == 6 and len(first["slots"]) == 40
    assert (second["service_name"], second["message"]) == ("desk", "ValueError: no")
    assert [item["name"] for item in (await asked.get("/api/v1/errors", filter="service:desk"))["items"]] == ["other"]


async def test_what_never_failed_before_is_new(asked):
    make = Maker(6, now=NOW)
    old, again, fresh = make.span("a", error="known"), make.span("a", error="known"), make.span("b", error="never seen")
    for span, back in ((old, 3 * 86_400 * SECOND), (again, 0), (fresh, 0)):
        span.start_time_unix_nano -= back
        span.end_time_unix_nano -= back
        await asked.store(make.spans(span))
    said = await asked.get("/api/v1/errors", **{"from": NOW - 3600 * SECOND})
    assert {item["name"]: item["before"] for item in said["items"]} == {"a": 1, "b": 0}


async def test_calls_have_histograms_and_values_too(asked, stored):
    stored += [call(1, start_ns=FLOOR), call(2, start_ns=FLOOR + 1, model_name="b", is_error=True), call(3, counted=False)]
    window = {"from": FLOOR, "to": FLOOR + MINUTE}
    for filter in ({}, {"filter": "tokens>=0"}):  # from sums of minutes, and from calls
        said = await asked.get("/api/v1/histogram", of="calls", slots=1, **window, **filter)
        assert (said["counts"], said["errors"]) == ([2], [1])
    values = (await asked.get("/api/v1/facets", of="calls", fields="model_name"))["facets"][0]["values"]
    assert sorted(value["value"] for value in values) == ["b", "gpt-4.1"]


async def test_spans_are_told_as_they_become_durable(asked):
    make = Maker(9, now=NOW)
    async with asked.client.get("/api/v1/tail", params={"filter": "status:error"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert await stream.content.readuntil(b"\n\n") == b": listening\n\n"
        await asked.store(make.spans(make.span("fine"), make.span("bad", error="no"), service="shop"))
        event = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 10)
    name, data = event.decode().strip().split("\n")
    said = json.loads(data.removeprefix("data: "))
    assert name == "event: spans"
    assert (said["spans"], said["matched"], said["skipped"]) == (2, 1, 0)
    listed = (await asked.get("/api/v1/spans", filter="status:error"))["items"]
    assert said["items"] == listed  # the tail and the list say the same of a span


async def test_a_filter_that_is_none_of_spans_is_refused_before_anything_is_told(asked):
    assert (await asked.get("/api/v1/tail", 400, filter="counted:true"))["error"]["where"] == "filter"


def test_a_listener_that_falls_behind_is_told_how_much_it_did_not_see():
    rows = decoders().of(Signal.SPANS)([Maker(1).flat(10).protobuf], 1, [None]).rows
    listener = Listener(parse(""), rows=True)
    for _ in range(MOST_BATCHES + 3):
        listener.add(rows)
    said = listener.take(0)
    assert said is not None
    assert (said["spans"], said["skipped"], said["matched"], len(said["items"])) == (190, 30, 160, 50)
    assert listener.take(0) is None
