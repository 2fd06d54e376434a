"""What the API says of traces, spans and logs, over a real journal and real segments."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asking import Asked, open_asked
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from span_blocks import as_objects

from observatory.api.config import ApiConfig
from observatory.contracts import Swap
from observatory.query import trace as trace_query, trace_columns
from observatory.testing.spans import Maker, Payload, key_values

NOW = 1_795_430_890_363_536_205
T, S = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


async def test_a_trace_is_one_thing_from_journal_to_segment(asked):
    make = Maker(5, now=NOW)
    root = make.span("GET /ask", duration_s=3, kind=Span.SPAN_KIND_SERVER)
    child = make.span("chat gpt", parent=root, duration_s=1, kind=Span.SPAN_KIND_CLIENT, error="timeout")
    await asked.store(make.spans(child, service="llm"), cut=True)
    await asked.store(make.spans(root, service="web"))
    trace_id = root.trace_id.hex()

    expected = {
        "trace_id": trace_id, "root_name": "GET /ask", "service_name": "web", "services": ["llm", "web"], "start_ns": str(NOW - 3 * 10**9),
        "start": "2026-11-23T10:48:07.363536205Z", "duration_ms": 3000.0, "duration_ns": "3000000000", "span_count": 2, "error_count": 1,
    }  # fmt: skip
    sums = {
        "llm_calls": 0, "input_tokens": 0, "output_tokens": 0, "total_cost_usd": None, "unpriced_calls": 0, "models": [],
        "session_id": None, "user_id": None, "adjusted_count": 1.0, "decided_by": None,
    }  # fmt: skip
    listed = await asked.get("/api/v1/traces")
    assert listed == {"items": [{**expected, **sums, "state": "open"}], "next_cursor": None, "from": None, "to": None}
    one = await asked.get(f"/api/v1/traces/{trace_id.upper()}")
    spans = one.pop("spans")
    no_calls = {
        "llm_calls": 0, "input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "total_cost_usd": "0", "unpriced_calls": 0, "models": [],
        "session_id": None, "user_id": None, "adjusted_count": 1.0, "decided_by": None,
    }  # fmt: skip
    assert one == {**expected, **no_calls, "state": "open", "view": "full"}
    assert [(span["name"], span["kind"], span["parent_span_id"]) for span in spans] == [
        ("GET /ask", "server", None),
        ("chat gpt", "client", root.span_id.hex()),
    ]
    assert spans[1]["status"] == {"code": "error", "message": "timeout"}

    await asyncio.to_thread(asked.pipeline.cut)
    assert (await asked.get("/api/v1/traces"))["items"] == [{**expected, **sums, "state": "kept"}]
    again = await asked.get(f"/api/v1/traces/{trace_id}")
    assert (again["state"], again["spans"]) == ("kept", spans)


async def test_every_field_of_a_span_is_told(asked):
    make = Maker(1, now=NOW)
    odd = {
        "text": 'a "b" \n é \x00', "int": 12, "large": 2**53, "negative": -(2**63), "double": 1.0, "nan": float("nan"),
        "inf": float("-inf"),
        "yes": True, "bytes": b"\x00\xff", "list": ["a", 1, {"k": 2.5}], "nested": {"a": {"b": [None]}}, "empty": None,
    }  # fmt: skip
    event = Span.Event(time_unix_nano=NOW, name="gen_ai.choice", attributes=key_values({"index": 0}), dropped_attributes_count=2)
    link = Span.Link(
        trace_id=bytes.fromhex(T), span_id=bytes.fromhex(S), trace_state="a=b", attributes=key_values({"why": "retry"}), flags=1
    )
    span = make.span(
        "chat", attributes=odd, trace_state="ot=th:8", flags=257, events=[event], links=[link],
        dropped_attributes_count=3, dropped_events_count=4, dropped_links_count=5,
    )  # fmt: skip
    await asked.store(
        make.spans(span, service="llm", resource={"host": ["a"]}, scope="s", scope_version="2", scope_attributes={"x": 1}, schema_url="u")
    )
    said = await asked.get(f"/api/v1/traces/{span.trace_id.hex()}/spans/{span.span_id.hex()}")
    assert said["attributes"] == {
        "text": 'a "b" \n é \x00', "int": 12, "large": str(2**53), "negative": str(-(2**63)), "double": 1.0, "nan": "NaN",
        "inf": "-Infinity",
        "yes": True, "bytes": "AP8=", "list": ["a", 1, {"k": 2.5}], "nested": {"a": {"b": [None]}}, "empty": None,
    }  # fmt: skip
    assert said["attribute_types"] == "siiidddbyake"
    assert (said["trace_state"], said["flags"]) == ("ot=th:8", 257)
    assert said["events"] == [
        {"time_ns": str(NOW), "name": "gen_ai.choice", "attributes": {"index": 0}, "attribute_types": "i", "dropped_attributes_count": 2}
    ]
    assert said["links"] == [
        {"trace_id": T, "span_id": S, "trace_state": "a=b", "attributes": {"why": "retry"}, "attribute_types": "s", "flags": 1}
    ]
    assert [said[f"dropped_{what}_count"] for what in ("attributes", "events", "links")] == [3, 4, 5]
    assert said["resource"] == {"service.name": "llm", "host": ["a"]}
    assert said["scope"] == {"name": "s", "version": "2", "attributes": {"x": 1}, "schema_url": "u"}
    assert said["resource_schema_url"] == "u"
    whole = await asked.get(f"/api/v1/traces/{span.trace_id.hex()}")
    origins = said.pop("origins")
    assert origins["service_name"] == {"where": "resource", "key": "service.name"}
    assert whole["spans"] == [said]


async def test_the_tree_leaves_bodies_out(asked):
    make = Maker(2, now=NOW)
    payload = make.trace(service="shop")
    await asked.store(payload)
    trace_id = payload.all_spans[0].trace_id.hex()
    full, tree = await asked.get(f"/api/v1/traces/{trace_id}"), await asked.get(f"/api/v1/traces/{trace_id}", view="tree")
    assert [span["span_id"] for span in tree["spans"]] == [span["span_id"] for span in full["spans"]]
    assert not {"attributes", "events", "links", "resource", "scope"} & {key for span in tree["spans"] for key in span}
    for whole, narrow in zip(full["spans"], tree["spans"], strict=True):
        assert (narrow["event_count"], narrow["has_events"]) == (len(whole["events"]), bool(whole["events"]))
        shared = {key: narrow[key] for key in narrow if key in whole}
        assert shared == {key: whole[key] for key in shared}
    assert any("input_tokens" in span and "request_model" in span for span in tree["spans"])


@pytest.mark.parametrize("whole_bytes", [trace_query.WHOLE_BYTES, 20_000])
@pytest.mark.parametrize("block_rows", [trace_columns.BLOCK_ROWS, 3])
async def test_columns_say_what_the_tree_says(asked, monkeypatch, whole_bytes, block_rows):
    monkeypatch.setattr(trace_query, "WHOLE_BYTES", whole_bytes)
    monkeypatch.setattr(trace_columns, "BLOCK_ROWS", block_rows)
    make = Maker(21, now=NOW)
    root = make.span("root", attributes={"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 2**60}, kind=7)
    failed = make.span('wei"rd\n\x00', parent=root, error="it broke")
    orphan = make.span("", parent=make.span("never sent", parent=root))
    many = [make.span(f"step {n % 3}", parent=root) for n in range(60)]
    await asked.store(make.spans(root, failed, orphan, *many))
    traces = [make.trace(service="shop"), make.trace(20, service="shop", error="timeout")]
    for payload in traces:
        await asked.store(payload)
    for id in (root.trace_id.hex(), *(payload.all_spans[0].trace_id.hex() for payload in traces)):
        tree, said = [await asked.get(f"/api/v1/traces/{id}", view=view) for view in ("tree", "columns")]
        assert said.pop("view") == "columns" and tree.pop("view") == "tree"
        spans = [span for block in said.pop("blocks") for span in as_objects(block)]
        assert spans == tree.pop("spans")
        assert said == tree


@pytest.mark.parametrize("whole_bytes", [trace_query.WHOLE_BYTES, 20_000])
@pytest.mark.parametrize("view", ["full", "tree"])
async def test_a_span_that_was_stored_twice_is_shown_once_as_it_came_first(asked, monkeypatch, whole_bytes, view):
    monkeypatch.setattr(trace_query, "WHOLE_BYTES", whole_bytes)  # above: sorted; below: as stored, in slices
    make = Maker(3, now=NOW)
    root = make.span("root", duration_s=2)
    spans = [make.span(f"first {number}", parent=root) for number in range(300)]
    await asked.store(make.spans(root, *spans[:200]), cut=True)
    twice = [make.span("second", trace_id=root.trace_id, span_id=span.span_id, parent=root.span_id) for span in spans[100:250]]
    await asked.store(make.spans(*spans[200:]))
    await asked.store(make.spans(*twice))
    said = await asked.get(f"/api/v1/traces/{root.trace_id.hex()}", view=view)
    assert said["span_count"] == 301
    assert sorted(span["name"] for span in said["spans"]) == sorted(["root", *(f"first {number}" for number in range(300))])
    one = await asked.get(f"/api/v1/traces/{root.trace_id.hex()}/spans/{spans[120].span_id.hex()}")
    assert one["name"] == "first 120"


async def test_a_large_trace_holds_nobody_up(asked):
    make = Maker(4, now=NOW)
    root = make.span("root", duration_s=9)
    for _ in range(10):
        await asked.store(make.spans(*(make.span("step", parent=root, attributes={"n": n, "text": "x" * 200}) for n in range(1000))))
    await asked.store(make.spans(root))
    done = asyncio.create_task(asked.get(f"/api/v1/traces/{root.trace_id.hex()}"))
    answered = 0
    while not done.done():
        await asked.get("/healthz")
        answered += 1
    assert len((await done)["spans"]) == 10_001
    assert answered > 5


async def test_what_is_not_there_and_what_is_no_longer(asked):
    missing = await asked.get(f"/api/v1/traces/{T}", 404)
    assert missing["error"] == {"code": "not_found", "message": f"no trace {T} is stored here", "where": ""}
    make = Maker(6, now=NOW)
    payload = make.trace()
    trace_id = payload.all_spans[0].trace_id.hex()
    await asked.store(payload, cut=True)
    span = await asked.get(f"/api/v1/traces/{trace_id}/spans/{S}", 404)
    assert "has no span" in span["error"]["message"]
    asked.manifest.swap(Swap(drop=[segment.id for segment in asked.manifest.live()], expired="older than 7 days"))
    for path in (f"/api/v1/traces/{trace_id}", f"/api/v1/traces/{trace_id}/spans/{S}"):
        gone = await asked.get(path, 410)
        assert gone["error"]["code"] == "gone"
        assert "older than 7 days" in gone["error"]["message"]


async def test_a_damaged_segment_is_set_aside_and_the_rest_answers(asked):
    make = Maker(7, now=NOW)
    lost, kept = make.trace(service="lost"), make.trace(service="kept")
    await asked.store(lost, cut=True)
    for segment in asked.manifest.live():
        path = asked.engine.data_dir / segment.uri
        data = bytearray(path.read_bytes())
        data[4 : len(data) // 2] = b"\xff" * (len(data) // 2 - 4)
        path.write_bytes(data)
    await asked.store(kept, cut=True)
    assert [item["service_name"] for item in (await asked.get("/api/v1/traces"))["items"]] == ["kept"]
    await asked.get(f"/api/v1/traces/{lost.all_spans[0].trace_id.hex()}", 404)
    assert len((await asked.get(f"/api/v1/traces/{kept.all_spans[0].trace_id.hex()}"))["spans"]) == 8
    assert asked.engine.status()["broken"]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/api/v1/traces?limt=5", "limt"),
        ("/api/v1/traces?limit=0", "limit"),
        ("/api/v1/traces?limit=1001", "limit"),
        ("/api/v1/traces?limit=5&limit=6", "limit"),
        ("/api/v1/traces?limit=٣", "limit"),
        ("/api/v1/traces?from=yesterday", "from"),
        ("/api/v1/traces?from=2026-13-01T00:00:00Z", "from"),
        ("/api/v1/traces?to=99999999999999999999", "to"),
        ("/api/v1/traces?from=2&to=1", "from"),
        ("/api/v1/traces?status=bad", "status"),
        ("/api/v1/traces?sort=name", "sort"),
        ("/api/v1/traces?min_duration_ms=-1", "min_duration_ms"),
        ("/api/v1/traces?min_duration_ms=nan", "min_duration_ms"),
        ("/api/v1/traces?cursor=x", "cursor"),
        ("/api/v1/traces?service=%00", "service"),
        ("/api/v1/traces/xyz", "trace_id"),
        (f"/api/v1/traces/{T}0", "trace_id"),
        (f"/api/v1/traces/{'0' * 32}", "trace_id"),
        (f"/api/v1/traces/{T}?view=all", "view"),
        (f"/api/v1/traces/{T}/spans/1", "span_id"),
        ("/api/v1/logs?severity_min=25", "severity_min"),
        ("/api/v1/logs?trace_id=1", "trace_id"),
        ("/api/v1/logs?text=" + "x" * 1025, "text"),
        ("/api/v1/services?limit=3", "limit"),
        ("/api/v1/status?verbose=1", "verbose"),
    ],
)
async def test_bad_questions_are_told_where_they_are_wrong(asked, path, where):
    error = (await asked.get(path, 400))["error"]
    assert (error["code"], error["where"]) == ("bad_request", where), error
    assert error["message"].startswith(where)


async def test_times_are_read_as_rfc_3339_or_nanoseconds(asked):
    make = Maker(8, now=NOW)
    await asked.store(make.flat(1))
    start = NOW - 10**9
    for low, high, found in (
        (start, start + 1, 1),
        (start + 1, "", 0),
        ("", start, 0),
        ("2026-11-23T10:48:09.363536205Z", "2026-11-23T10:48:09.363536206Z", 1),
        ("2026-11-23T11:48:09.363536205+01:00", "", 1),
        ("2026-11-23t10:48:09.363536206z", "", 0),
    ):
        answer = await asked.get("/api/v1/traces", **{"from": low, "to": high})
        assert len(answer["items"]) == found, (low, high)
        assert answer["from"] is None or answer["from"].endswith("Z")
    plus = await asked.client.get(f"/api/v1/traces?from={quote('2026-11-23T11:48:09', safe='')}+01:00")  # an unescaped plus sign
    assert (await plus.json())["items"]


def logs(make: Maker, at: int, *bodies: str, **more: Any) -> Payload:
    """A logs request of records at that time."""
    make.now = at
    return make.logs(*bodies, **more)


async def test_pages_of_logs_are_all_logs_once_whatever_arrives_meanwhile(asked):
    make = Maker(9)
    lines = [(NOW - n * 1000, [f"line {n}.{part}" for part in range(7)]) for n in range(14)]
    await asked.store(*(logs(make, at, *bodies, service="a") for at, bodies in lines[:7]), cut=True)
    await asked.store(*(logs(make, at, *bodies, service="b") for at, bodies in lines[7:]))
    await asked.store(logs(make, NOW - 5000, *["the same"] * 9, service="c"))
    found, cursor = [], ""
    while cursor is not None:
        page = await asked.get("/api/v1/logs", limit=4, cursor=cursor)
        found += [(int(item["time_ns"]), item["body"]) for item in page["items"]]
        cursor = page["next_cursor"]
        if len(found) == 40:
            await asked.store(logs(make, NOW + 1, "newer", service="d"))
    expected = [(at, body) for at, bodies in lines for body in bodies] + [(NOW - 5000, "the same")] * 9
    assert sorted(found) == sorted(expected)
    assert [time for time, _ in found] == sorted((time for time, _ in expected), reverse=True)


async def test_logs_are_filtered(asked):
    make = Maker(10, now=NOW)
    failed = make.logs("Payment FAILED (50 %)", service="pay", trace_id=bytes.fromhex(T), span_id=bytes.fromhex(S), severity_number=17)
    undated = logs(make, NOW - 10, "undated", service="pay")
    undated.message.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = 0
    await asked.store(failed, undated, cut=True)
    await asked.store(logs(make, NOW - 1, "fine", service="shop", trace_id=bytes.fromhex(T)))

    async def bodies(**filters: Any) -> list[str]:
        return [item["body"] for item in (await asked.get("/api/v1/logs", **filters))["items"]]

    assert await bodies() == ["Payment FAILED (50 %)", "fine", "undated"]
    assert await bodies(service="shop") == ["fine"]
    assert await bodies(severity_min=17) == ["Payment FAILED (50 %)"]
    assert await bodies(text="failed (50 %") == ["Payment FAILED (50 %)"]
    assert await bodies(text="%f%") == []
    assert await bodies(trace_id=T) == ["Payment FAILED (50 %)", "fine"]
    assert await bodies(trace_id=T, span_id=S, text="payment") == ["Payment FAILED (50 %)"]
    assert await bodies(**{"from": NOW - 20, "to": NOW - 5}) == ["undated"]
    item = (await asked.get("/api/v1/logs", severity_min=17))["items"][0]
    assert (item["trace_id"], item["span_id"], item["service_name"], item["severity_number"]) == (T, S, "pay", 17)


async def test_an_answer_that_takes_too_long_is_stopped(tmp_path):
    async with open_asked(tmp_path / "data", ApiConfig(request_deadline_s=1e-6)) as asked:
        error = await asked.get("/api/v1/traces", 408)
        assert error["error"]["code"] == "deadline"
        assert json.dumps(error)


async def test_traces_are_filtered_by_what_they_and_their_spans_are(asked):
    make = Maker(7, now=NOW)
    first = make.span("GET /ask", duration_s=3, attributes={"http.route": "/ask", "user.id": "u42"})
    child = make.span("chat", parent=first, attributes={"gen_ai.provider.name": "openai", "note": "the Refund Policy"}, error="timeout")
    second = make.span("GET /list", duration_s=1, attributes={"http.route": "/list"})
    await asked.store(make.spans(first, child, service="web"), cut=True)
    await asked.store(make.spans(second, service="web"))

    async def found(text: str, **more: Any) -> list[str]:
        return [item["root_name"] for item in (await asked.get("/api/v1/traces", filter=text, **more))["items"]]

    assert await found("duration>2s") == ["GET /ask"]
    assert await found("state:open") == ["GET /list"]
    assert await found("user:u42 status:error") == ["GET /ask"]
    assert await found("http.route:*") == ["GET /list", "GET /ask"]  # one is in a segment, one in the journal
    assert await found("http.route:/list") == ["GET /list"]
    assert await found('"refund policy"') == ["GET /ask"]
    assert await found("-provider:*", sort="duration") == ["GET /list"]
    assert await found("provider:openai http.route:/ask", limit=1) == ["GET /ask"]  # of two spans

    for text in ("modle:gpt", "provider:openai modle:gpt"):
        wrong = await asked.get("/api/v1/traces", 400, filter=text)
        assert wrong["error"]["code"] == "bad_request" and wrong["error"]["where"] == "filter"
        assert "did you mean `model`?" in wrong["error"]["message"]
    assert "at character 6" in (await asked.get("/api/v1/traces", 400, filter="cost>"))["error"]["message"]
