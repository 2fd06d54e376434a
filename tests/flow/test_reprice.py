"""Stored calls are priced anew, and every sum follows."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from house import House, open_house, until
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PRICES = {"override": [{"name": "mine", "model": "my-model", "input": 1, "output": 2}]}
DEARER = {"override": [{"name": "mine", "model": "my-model", "input": 3, "output": 2}]}
TOKENS = (1000, 100)
SUMS = (
    "SELECT sum(total_cost_usd) FROM llm_metrics",
    "SELECT sum(total_cost_usd) FROM llm_rollups",
    "SELECT sum(total_cost_usd) FROM traces",
)


def body(first: int, last: int, parent: int = 0) -> bytes:
    """Calls numbered from `first` to `last`, all in one trace, inside the span `parent`."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(first, last + 1):
        span = scope.spans.add(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name="chat")
        if parent:
            span.parent_span_id = parent.to_bytes(8, "big")
        span.start_time_unix_nano = time.time_ns() - 10**9 * number
        span.end_time_unix_nano = span.start_time_unix_nano + 10**8
        said: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "my-model"}
        for key, value in said.items():
            span.attributes.add(key=key).value.string_value = value
        for key, count in zip(("input", "output"), TOKENS, strict=True):
            span.attributes.add(key=f"gen_ai.usage.{key}_tokens").value.int_value = count
    return request.SerializeToString()


async def sent(house: House, payload: bytes) -> None:
    async with ClientSession() as client:
        headers = {"Content-Type": "application/x-protobuf"}
        async with client.post(f"http://{house.app.addresses['otlp_http']}/v1/traces", data=payload, headers=headers) as answer:
            assert answer.status == 200
    await asyncio.to_thread(house.app.pipeline.ingest.quiesce)


async def recomputed(house: House, window: dict[str, str]) -> dict[str, Any]:
    url = f"http://{house.app.addresses['listen']}/api/v1/prices/recompute"
    async with ClientSession() as client:
        async with client.post(url, json=window) as answer:
            assert answer.status == 200, await answer.text()
        await until(lambda: house.app.reprice.progress().finished)
        async with client.get(url) as answer:
            return await answer.json()


def costs(house: House) -> list[Decimal]:
    with house.app.engine.view() as view:
        return [view.run(query).column(0)[0].as_py() for query in SUMS]


async def test_stored_calls_follow_the_prices_in_force(tmp_path: Path) -> None:
    window = {"from": str(time.time_ns() - 3600 * 10**9), "to": str(time.time_ns() + 3600 * 10**9)}
    cheap, dear = Decimal("0.0012"), Decimal("0.0032")
    async with open_house(tmp_path, prices=PRICES) as house:
        await sent(house, body(2, 21, parent=1))
        assert costs(house) == [20 * cheap] * 3
        assert (await recomputed(house, window))["changed"] == 0, "nothing changed, so nothing is written"
    async with open_house(tmp_path, prices=DEARER) as house:
        said = await recomputed(house, window)
        assert (said["state"], said["calls"], said["changed"]) == ("done", 20, 20)
        assert (Decimal(said["cost_before_usd"]), Decimal(said["cost_after_usd"])) == (20 * cheap, 20 * dear)
        assert costs(house) == [20 * dear] * 3
        # a span that wraps one of them arrives later: its revision goes on from the re-priced one
        await sent(house, body(30, 30, parent=21))
        assert costs(house) == [20 * dear] * 3, "the innermost counts"
        with house.app.engine.view() as view:
            rows = view.run("SELECT revision, counted FROM llm_calls WHERE span_id = '0000000000000015'").to_pylist()
        assert rows == [{"revision": 2, "counted": False}]
        await asyncio.to_thread(house.app.pipeline.cut)
        assert costs(house) == [20 * dear] * 3


async def test_a_window_that_cannot_be_is_refused(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house, ClientSession() as client:
        url = f"http://{house.app.addresses['listen']}/api/v1/prices/recompute"
        for wrong in ({"from": "5", "to": "4"}, {"from": "5"}, [], {"from": "x", "to": "2026-01-01T00:00:00Z"}):
            async with client.post(url, json=wrong) as answer:
                assert answer.status == 400, wrong
        async with client.get(url) as answer:
            assert await answer.json() == {"state": "none"}
