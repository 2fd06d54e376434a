"""OTLP's cases about keeping: refused when full, stored once however often it is sent, whole or not at all, nothing lost of a span."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from house import House, open_house, until
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observatory.testing.clients import PATHS, compress
from observatory.testing.resending import ResendingClient
from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker, Payload, key_values

MIB = 1024 * 1024
UNAVAILABLE = 14

doors = pytest.mark.parametrize("door", ["http", "grpc"])


@contextmanager
def stalled_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within, the journal's write waits, as on a disk that hangs."""
    gate, write = threading.Event(), house.app.pipeline.journal.append

    def append(*args: Any) -> Any:
        gate.wait(30)
        return write(*args)

    monkeypatch.setattr(house.app.pipeline.journal, "append", append)
    try:
        yield
    finally:
        gate.set()


def export(house: House, door: str, payload: Payload) -> Any:
    return house.http.export(payload) if door == "http" else house.grpc.export(payload)


@doors
@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"ingest": {"queue_bytes": MIB}}, "queue is full"),
        ({"receivers": {"max_request_bytes": MIB, "max_in_flight_bytes": MIB, "retry_after_s": 2.5}}, "the limit is 1,048,576"),
    ],
)
async def test_28_full_is_503_with_retry_after_and_29_the_resend_is_stored_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: str, sections: dict[str, Any], says: str
):
    make = Maker()
    first, second = make.flat(10, size=70_000), make.flat(10, size=70_000)  # 0.7 MB each: one has room
    async with open_house(tmp_path, **sections) as house, asyncio.TaskGroup() as group:
        with stalled_disk(house, monkeypatch):
            waiting = group.create_task(export(house, door, first))
            await until(lambda: house.metric("observatory_ingest_queue_bytes") > 0)
            refused = await export(house, door, second)
            assert refused.status == (503 if door == "http" else "UNAVAILABLE")
            assert refused.retryable
            assert refused.error is not None and refused.error.code == UNAVAILABLE
            assert says in refused.message
            asked = 2.5 if "receivers" in sections else 1.0
            assert refused.retry_info_s == asked
            assert refused.retry_after_s == (3.0 if (door, asked) == ("http", 2.5) else asked)  # HTTP knows whole seconds
        assert (await waiting).ok
        again = await export(house, door, second)
        assert again.ok and not again.partial
        assert len({row["span_id"] for row in await house.stored(20)}) == 20


@doors
async def test_28_over_the_memory_limit_exports_are_refused_and_questions_answered(tmp_path: Path, door: str):
    async with open_house(tmp_path, receivers={"memory_limit_bytes": MIB}) as house:
        refused = await export(house, door, Maker().trace())
        assert refused.retryable and "memory is short" in refused.message
        async with aiohttp.ClientSession() as session, session.get(f"http://{house.app.addresses['listen']}/api/v1/status") as answer:
            assert answer.status == 200


@doors
async def test_29_after_a_lost_reply_the_resend_is_answered_alike_and_stored_once(house: House, monkeypatch: pytest.MonkeyPatch, door: str):
    make = Maker()
    payload = make.spans(*make.trace().all_spans, make.span(span_id=b"bad"))
    with stalled_disk(house, monkeypatch):
        lost = asyncio.create_task(export(house, door, payload))
        await until(lambda: house.metric("observatory_ingest_queue_bytes") > 0)
        lost.cancel()  # the client hangs up before it is answered
        await asyncio.wait([lost])
    await house.stored(8)
    answers = [await export(house, door, payload) for _ in range(3)]
    assert {(answer.ok, answer.partial, answer.rejected) for answer in answers} == {(True, True, 1)}
    assert len(await house.stored(8)) == 8


@doors
async def test_29_the_same_bytes_twice_at_once_are_stored_once(house: House, door: str):
    payload = Maker().flat(100)

    async def until_answered() -> Any:
        while (answer := await export(house, door, payload)).retryable:
            pass
        return answer

    assert all(answer.ok for answer in await asyncio.gather(*(until_answered() for _ in range(8))))
    await house.stored(100)


@doors
@pytest.mark.parametrize("seed", range(5))
async def test_30_valid_and_invalid_mixed_are_counted_exactly(house: House, door: str, seed: int):
    make = Maker(seed)
    bad = ({"trace_id": bytes(16)}, {"trace_id": b"x" * 15}, {"span_id": b"x" * 9}, {"span_id": b""}, {"parent": b"x"})
    chosen = [make.random.choice([None, *bad]) for _ in range(60)]
    spans = [make.span("good") if fields is None else make.span("bad", **fields) for fields in chosen]
    answer = await export(house, door, make.spans(*spans))
    good = chosen.count(None)
    assert (answer.ok, answer.partial, answer.rejected) == (True, True, 60 - good)
    rows = await house.stored(good)
    assert [row["span_id"] for row in rows] == [span.span_id for span, fields in zip(spans, chosen, strict=True) if fields is None]


async def test_30_all_invalid_is_a_partial_success_with_nothing_stored(house: House):
    make = Maker()
    answer = await house.http.export(make.spans(make.span(trace_id=b""), make.span(trace_id=b"")), "json")
    assert (answer.status, answer.partial, answer.rejected) == (200, True, 2)
    assert (await house.http.export(make.trace())).ok
    await house.stored(8)


async def test_31_acknowledged_survives_kill_9_and_32_unanswered_is_whole_or_absent(tmp_path: Path):
    server = await asyncio.to_thread(ServerProcess(tmp_path / "data").start)
    try:
        client, stop = ResendingClient(lambda: server.otlp_http), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(client.run(stop))
            await until(lambda: len(client.acknowledged) >= 20)
            await asyncio.to_thread(server.kill9)
            stop.set()
        acknowledged, unanswered = client.acknowledged_ids, list(client.unanswered.values())
        assert acknowledged and not client.refused
        server = await asyncio.to_thread(ServerProcess(tmp_path / "data").start)
        rows = await ids_of(server)
        stored = set(rows)
        assert len(rows) == len(stored)
        assert acknowledged <= stored
        for payload in unanswered:
            ids = {(span.trace_id, span.span_id) for span in payload.all_spans}
            assert ids <= stored or not ids & stored
        assert stored <= acknowledged | client.unanswered_ids
        await client.finish()
        rows = await ids_of(server)
        assert len(rows) == len(set(rows))
        assert set(rows) == client.acknowledged_ids
    finally:
        await asyncio.to_thread(server.kill9)


async def ids_of(server: ServerProcess) -> list[tuple[bytes, bytes]]:
    asked = {"query": "select trace_id, span_id from spans"}
    async with aiohttp.ClientSession() as session, session.post(f"{server.api}/api/v1/sql", json=asked) as answer:
        said = await answer.json()
        assert answer.status == 200 and not said["truncated"], said
        return [(bytes.fromhex(trace), bytes.fromhex(span)) for trace, span in said["rows"]]


async def test_33_many_calls_at_once_on_one_connection_are_each_answered(house: House):
    payloads = [Maker(seed).trace(spans=2 + seed % 20) for seed in range(300)]  # more than a connection may have open
    answers = await asyncio.gather(*(house.grpc.export(payload) for payload in payloads))
    assert all(answer.ok and not answer.partial for answer in answers)
    expected = {span_id for payload in payloads for span_id in payload.span_ids}
    rows = await house.stored(sum(len(payload.all_spans) for payload in payloads))
    assert {row["span_id"] for row in rows} == expected


async def test_33_many_connections_at_once_are_each_answered(house: House):
    payloads = [Maker(seed).trace() for seed in range(200)]
    answers = await asyncio.gather(
        *(house.http.export(payload, "json" if i % 2 else "protobuf", "gzip") for i, payload in enumerate(payloads))
    )
    assert all(answer.ok for answer in answers)
    await house.stored(1600)


def rich(make: Maker) -> Payload:
    """A request that sets every field of OTLP's spans."""
    first = make.span("first", attributes={"k": "v"})
    span = make.span(
        "second",
        parent=first,
        kind=Span.SPAN_KIND_CONSUMER,
        error="broken",
        attributes={
            "text": "ü🙂",
            "int": -5,
            "double": 0.1,
            "bool": False,
            "bytes": b"\x00\xff",
            "list": [1, ["x"]],
            "map": {"a": None},
            "none": None,
        },
        trace_state="vendor=1,ot=th:8",
        flags=0x301,
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
        events=[Span.Event(time_unix_nano=make.now, name="e", attributes=key_values({"i": 1}), dropped_attributes_count=4)],
        links=[
            Span.Link(
                trace_id=b"L" * 16,
                span_id=b"l" * 8,
                trace_state="l=1",
                attributes=key_values({"why": "x"}),
                dropped_attributes_count=5,
                flags=0x100,
            )
        ],
    )
    payload = make.spans(
        first, span, resource={"host": {"id": 1}}, scope="s", scope_version="2", scope_attributes={"sa": [1]}, schema_url="https://schema/1"
    )
    resource = payload.message.resource_spans[0]  # type: ignore[union-attr]
    resource.resource.dropped_attributes_count = 6
    resource.scope_spans[0].scope.dropped_attributes_count = 7
    resource.scope_spans[0].schema_url = "https://schema/2"
    return payload


@pytest.mark.parametrize("way", ["protobuf", "json", "grpc"])
async def test_36_every_field_of_a_span_round_trips(house: House, way: Any):
    payload = rich(Maker())
    answer = await (house.grpc.export(payload) if way == "grpc" else house.http.export(payload, way, "gzip"))
    assert answer.ok and not answer.partial
    row = (await house.stored(2))[1]
    span = payload.all_spans[1]
    assert row["attributes"] == {
        "text": ("s", "ü🙂"),
        "int": ("i", "-5"),
        "double": ("d", "0.1"),
        "bool": ("b", "false"),
        "bytes": ("y", "AP8="),
        "list": ("a", '[1,["x"]]'),
        "map": ("k", '{"a":null}'),
        "none": ("e", ""),
    }
    expected = {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "trace_state": "vendor=1,ot=th:8",
        "flags": 0x301,
        "name": "second",
        "kind": 5,
        "start_ns": span.start_time_unix_nano,
        "duration_ns": 1_000_000_000,
        "status_code": 2,
        "status_message": "broken",
        "dropped_attributes_count": 1,
        "dropped_events_count": 2,
        "dropped_links_count": 3,
        "resource": '{"service.name":"app","host":{"id":1}}',
        "resource_dropped_attributes_count": 6,
        "resource_schema_url": "https://schema/1",
        "scope_name": "s",
        "scope_version": "2",
        "scope_attributes": '{"sa":[1]}',
        "scope_dropped_attributes_count": 7,
        "scope_schema_url": "https://schema/2",
        "service_name": "app",
        "events": [
            {
                "time_ns": span.events[0].time_unix_nano,
                "name": "e",
                "attributes": [("i", "1")],
                "attribute_types": "i",
                "dropped_attributes_count": 4,
            }
        ],
        "links": [
            {
                "trace_id": b"L" * 16,
                "span_id": b"l" * 8,
                "trace_state": "l=1",
                "attributes": [("why", "x")],
                "attribute_types": "s",
                "dropped_attributes_count": 5,
                "flags": 0x100,
            }
        ],
    }
    assert {key: row[key] for key in expected} == expected


async def test_the_api_port_takes_otlp_as_the_otlp_port_does(house: House):
    url = f"http://{house.app.addresses['listen']}{PATHS[Maker().trace().signal]}"
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "Expect": "100-continue"}
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=compress("gzip", Maker().trace().protobuf), headers=headers) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        async with session.get(url) as answer:
            assert (answer.status, (await answer.json())["code"]) == (405, 12)
    await house.stored(8)
