"""What the API counts of thinned traces is an estimate, and says how good: against a row-wise oracle, and the truth it does not know."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from house import House, open_house, until
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observatory.model.clock import MINUTE
from observatory.testing.spans import Maker, Payload

TRACES = 300
NOW = 1_795_430_890_363_536_205 // MINUTE * MINUTE
THINNED = {
    "policies": [{"name": "slow", "type": "latency", "above_s": 5}, {"name": "rest", "type": "probabilistic", "percent": 25}],
    "quiet_s": 0.2,
    "max_age_s": 60,
}
WEIGHT = {True: 1.0, False: 4.0}  # of slow traces, of others


def made() -> list[list[Span]]:
    """Traces of 1 to 30 spans within an hour; every ninth is slow, some spans fail, some traces are of a session."""
    make = Maker(11, now=NOW)
    traces = []
    for number in range(TRACES):
        start = NOW - (number % 50 + 1) * MINUTE
        who = {"session.id": f"s{number % 4}"} if number % 3 == 0 else {}
        root = make.span("root", start_ns=start, duration_s=6 if number % 9 == 0 else 1, attributes=who)
        failing = number % 5 == 0
        children = [
            make.span(f"step {n % 3}", parent=root, start_ns=start + n, duration_s=0.5, error=f"Broken: {n}" if failing and n % 2 else None)
            for n in range(number % 30)
        ]
        traces.append([root, *children])
    return traces


async def ask(house: House, path: str, **parameters: Any) -> Any:
    async with ClientSession() as client, client.get(f"http://{house.app.addresses['listen']}/api/v1/{path}", params=parameters) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def oracle(kept: list[list[Span]], adds: Callable[[list[Span]], float]) -> tuple[int, float]:
    """(estimate, standard error) trace by trace."""
    total = variance = 0.0
    for trace in kept:
        w, x = WEIGHT[_slow(trace)], adds(trace)
        total += w * x
        variance += w * (w - 1) * x * x
    return round(total), math.sqrt(variance)


def _slow(trace: list[Span]) -> bool:
    return trace[0].end_time_unix_nano - trace[0].start_time_unix_nano > 5 * 10**9


def named(name: str) -> Callable[[list[Span]], float]:
    return lambda trace: sum(span.name == name for span in trace)


def failed(trace: list[Span]) -> float:
    return sum(span.status.code == 2 for span in trace)


def check(said: dict[str, Any], name: str, expected: tuple[int, float]) -> None:
    assert said[name] == expected[0], name
    assert said["standard_error"][name] == pytest.approx(expected[1], rel=0.01), name


async def send(house: House, *payloads: Payload) -> None:
    for payload in payloads:
        assert await house.http.export(payload)
    await asyncio.to_thread(house.app.pipeline.ingest.quiesce)


@pytest.mark.parametrize("cut", [False, True])
async def test_counts_of_thinned_traces_are_estimates_and_say_how_good(tmp_path: Path, cut: bool) -> None:
    """`cut`: spans say what they stand for once they are in segments; before that only their traces do."""
    traces, make = made(), Maker(1)
    async with open_house(tmp_path, sampling=THINNED) as house:
        await send(house, *(make.spans(*(span for trace in traces[n : n + 50] for span in trace)) for n in range(0, TRACES, 50)))
        await until(house.all_decided)
        if cut:
            await asyncio.to_thread(house.app.pipeline.cut)
        with house.app.engine.view() as view:
            ids = set(view.run("SELECT trace_id FROM traces").column("trace_id").to_pylist())
        kept = [trace for trace in traces if trace[0].trace_id.hex() in ids]
        assert 0 < len(kept) < TRACES / 2
        window = {"from": str(NOW - 60 * MINUTE), "to": str(NOW + MINUTE)}

        spans = await ask(house, "histogram", of="spans", filter='name:"step 1"', slots="61", **window)
        assert not spans["exact"]
        check(spans, "total", oracle(kept, named("step 1")))
        check(spans, "failed", oracle(kept, lambda trace: sum(span.name == "step 1" and span.status.code == 2 for span in trace)))
        assert sum(spans["counts"]) == spans["total"] and len(spans["standard_error"]["counts"]) == 61
        truth = sum(named("step 1")(trace) for trace in traces)
        assert abs(spans["total"] - truth) < 5 * spans["standard_error"]["total"]
        everything = await ask(house, "histogram", of="spans", slots="61", **window)
        assert everything["exact"] and everything["total"] == sum(map(len, traces)), "sums of minutes are of all spans"

        listed = await ask(house, "histogram", of="traces", slots="61", **window)
        check(listed, "total", oracle(kept, lambda _: 1))
        assert abs(listed["total"] - TRACES) < 5 * listed["standard_error"]["total"]

        values = (await ask(house, "facets", of="spans", fields="name", **window))["facets"][0]["values"]
        for value in values:
            check(value, "count", oracle(kept, named(value["value"])))
        roots = await ask(house, "facets", of="traces", fields="status", **window)
        for value in roots["facets"][0]["values"]:
            bad = value["value"] == "error"
            check(value, "count", oracle(kept, lambda trace, bad=bad: (failed(trace) > 0) == bad))
        assert not roots["exact"] and roots["share"] == 1

        errors = await ask(house, "errors", **window)
        check(errors, "failures", oracle(kept, failed))
        assert len(errors["items"]) == 3
        for item in errors["items"]:
            check(item, "count", oracle(kept, lambda trace, item=item: named_failures(trace, item["name"])))
            check(item, "traces", oracle(kept, lambda trace, item=item: named_failures(trace, item["name"]) > 0))
            assert sum(item["slots"]) == pytest.approx(item["count"], abs=40)

        sessions = await ask(house, "sessions", **window)
        assert sessions["items"]
        for item in sessions["items"]:
            mine = [trace for trace in kept if _session(trace) == item["session_id"]]
            check(item, "traces", oracle(mine, lambda _: 1))
            check(item, "error_spans", oracle(mine, failed))


def named_failures(trace: list[Span], name: str) -> int:
    return sum(span.status.code == 2 and span.name == name for span in trace)


def _session(trace: list[Span]) -> str | None:
    return next((pair.value.string_value for pair in trace[0].attributes if pair.key == "session.id"), None)


async def test_what_was_not_thinned_is_exact(tmp_path: Path) -> None:
    """The default preset, below its limit: every number is exact and says so."""
    traces, make = made(), Maker(1)
    async with open_house(tmp_path) as house:
        await send(house, *(make.spans(*(span for trace in traces[n : n + 50] for span in trace)) for n in range(0, TRACES, 50)))
        await until(house.all_decided)
        exact = {"exact": True, "standard_error": None}
        for of in ("spans", "traces"):
            said = await ask(house, "histogram", of=of, filter="duration>=0s")
            assert said["total"] == (TRACES if of == "traces" else sum(map(len, traces)))
            assert {name: said[name] for name in exact} == exact
            facet = (await ask(house, "facets", of=of, fields="service"))["facets"][0]["values"][0]
            assert facet == {"value": "app", "count": said["total"], **exact}
        errors = await ask(house, "errors")
        assert errors["failures"] == sum(map(failed, traces)) and errors["exact"] and all(item["exact"] for item in errors["items"])
        sessions = await ask(house, "sessions")
        assert sum(item["traces"] for item in sessions["items"]) == TRACES / 3 and all(item["exact"] for item in sessions["items"])
