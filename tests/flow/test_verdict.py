"""What was decided of a trace is told wherever it is: in its head, in its spans, in the trace state of spans that leave by OTLP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from house import House, open_house, until

from observatory.model.signal import Signal
from observatory.model.threshold import threshold_of
from observatory.otlp import json as otlp_json
from observatory.testing.spans import Maker, Payload

CHOSEN, RANDOM = bytes(9) + b"\xff" * 7, "6e6d1a75832a2f"  # the highest randomness there is: kept by any share
HALF = {"policies": [{"name": "half", "type": "probabilistic", "percent": 50}], "quiet_s": 0.2}
ONE_PERCENT = f"{threshold_of(0.01):x}".rstrip("0")


async def ask(house: House, path: str) -> Any:
    async with ClientSession() as client, client.get(f"http://{house.app.addresses['listen']}/api/v1/{path}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def send(house: House, payload: Payload) -> None:
    assert (await house.http.export(payload)).ok
    await asyncio.to_thread(house.app.pipeline.ingest.quiesce)
    await until(house.all_decided)


def states(said: Any) -> set[str]:
    return {span.get("traceState", "") for part in said["resourceSpans"] for scope in part["scopeSpans"] for span in scope["spans"]}


@pytest.mark.parametrize("cut", [False, True])
async def test_a_decision_is_told_with_the_trace_and_its_spans(tmp_path: Path, cut: bool) -> None:
    make = Maker(1)
    root = make.span("root", trace_id=CHOSEN, trace_state=f"vendor=x,ot=rv:ffffffffffffff;th:{ONE_PERCENT}")
    child = make.span("child", parent=root)
    async with open_house(tmp_path / "first", sampling=HALF) as house:
        await send(house, make.spans(root, child))
        if cut:
            await asyncio.to_thread(house.app.pipeline.cut)
        id = CHOSEN.hex()
        for path in (f"traces/{id}", f"traces/{id}?view=tree", f"traces/{id}/spans/{root.span_id.hex()}"):
            said = await ask(house, path)
            assert (said["adjusted_count"], said["decided_by"]) == (pytest.approx(100), "half"), path
        leaving = await ask(house, f"traces/{id}/otlp")
        assert states(leaving) == {f"ot=th:{ONE_PERCENT}", f"vendor=x,ot=rv:ffffffffffffff;th:{ONE_PERCENT}"}
    body = otlp_json.to_protobuf(Signal.SPANS, json.dumps(leaving).encode())
    async with open_house(tmp_path / "second", sampling={"preset": "everything"}) as house:
        async with ClientSession() as client:
            headers = {"Content-Type": "application/x-protobuf"}
            async with client.post(f"http://{house.app.addresses['otlp_http']}/v1/traces", data=body, headers=headers) as answer:
                assert answer.status == 200
        await asyncio.to_thread(house.app.pipeline.ingest.quiesce)
        again = await ask(house, f"traces/{id}")
        assert (again["adjusted_count"], again["decided_by"]) == (pytest.approx(100), None), "what comes from another appliance is not lost"


async def test_what_this_appliance_decided_is_added_to_what_was_said(tmp_path: Path) -> None:
    make = Maker(2)
    async with open_house(tmp_path, sampling=HALF) as house:
        await send(house, make.spans(make.span("root", trace_id=CHOSEN, trace_state=f"a=1,ot=rv:{'f' * 14}")))
        assert states(await ask(house, f"traces/{CHOSEN.hex()}/otlp")) == {f"ot=th:8;rv:{'f' * 14},a=1"}


@pytest.mark.parametrize("cut", [False, True])
async def test_where_everything_is_kept_traces_and_spans_stand_for_the_same(tmp_path: Path, cut: bool) -> None:
    make = Maker(3)
    plain, thinned = make.span("plain"), make.span("thinned", trace_state=f"ot=th:{ONE_PERCENT}")
    async with open_house(tmp_path, sampling={"preset": "everything"}) as house:
        await send(house, make.spans(plain, thinned))
        if cut:
            await asyncio.to_thread(house.app.pipeline.cut)
        for span, count in ((plain, 1), (thinned, 100)):
            id = span.trace_id.hex()
            listed = (await ask(house, f"traces?filter=trace:{id}"))["items"][0]
            whole = await ask(house, f"traces/{id}")
            assert listed["adjusted_count"] == whole["adjusted_count"] == whole["spans"][0]["adjusted_count"] == pytest.approx(count)
            assert listed["decided_by"] is whole["decided_by"] is None
            assert states(await ask(house, f"traces/{id}/otlp")) == {span.trace_state}, "nothing was decided, nothing is said"
        with house.app.engine.view() as view:
            spans = dict(view.run("SELECT name, adjusted_count FROM spans").to_pydict().items())
        assert sorted(count or 0 for count in spans["adjusted_count"]) == (pytest.approx([1, 100]) if cut else [0, 0])
