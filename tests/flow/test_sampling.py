"""Sampling through the whole appliance: what is dropped leaves, what is kept is whole, and what is measured is of everything."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from house import House, open_house, until

from benchmarks.payloads import SPANS_PER_TRACE, build
from observatory.model.signal import Signal
from observatory.testing.spans import Maker

TRACES = 40
ERRORS = {"policies": [{"name": "errors", "type": "status", "statuses": ["error"]}], "quiet_s": 2, "max_age_s": 60}


async def send(house: House, body: bytes) -> None:
    async with ClientSession() as client:
        headers = {"Content-Type": "application/x-protobuf"}
        async with client.post(f"http://{house.app.addresses['otlp_http']}/v1/traces", data=body, headers=headers) as answer:
            assert answer.status == 200
    await asyncio.to_thread(house.app.pipeline.ingest.quiesce)


def ask(house: House, query: str) -> Any:
    with house.app.engine.view() as view:
        return view.run(query).to_pylist()


def one(house: House, query: str) -> Any:
    return next(iter(ask(house, query)[0].values()))


async def truth(tmp_path: Path, bodies: list[bytes]) -> dict[str, Any]:
    """What an appliance that keeps everything says of the same requests."""
    async with open_house(tmp_path / "everything", sampling={"preset": "everything"}) as house:
        for body in bodies:
            await send(house, body)
        return {name: ask(house, query) for name, query in EXACT.items()} | {"kept": ask(house, FAILED)}


EXACT = {
    "calls": "SELECT model_name, count(*), sum(total_tokens), sum(total_cost_usd) FROM llm_metrics GROUP BY 1 ORDER BY 1",
    "sums": "SELECT model_name, sum(calls), sum(total_tokens), sum(total_cost_usd) FROM llm_rollups GROUP BY 1 ORDER BY 1",
    "spans": "SELECT name, sum(count), sum(error_count) FROM span_rollups GROUP BY 1 ORDER BY 1",
}
FAILED = "SELECT trace_id, count(*) AS spans FROM spans GROUP BY 1 HAVING bool_or(status = 'error') ORDER BY 1"
KEPT = "SELECT trace_id, count(*) AS spans FROM spans GROUP BY 1 ORDER BY 1"


async def test_kept_traces_are_whole_and_sums_are_of_everything(tmp_path: Path) -> None:
    bodies = [build(TRACES // 4, seed) for seed in range(4)]
    expected = await truth(tmp_path, bodies)
    assert 0 < len(expected["kept"]) < TRACES
    async with open_house(tmp_path / "sampled", sampling=ERRORS) as house:
        sampler = house.app.pipeline.sampling.sampler
        await asyncio.gather(*(send(house, body) for body in bodies))
        listed = {row["trace_id"]: row["state"] for row in ask(house, "SELECT trace_id, state FROM traces")}
        assert len(listed) == TRACES, "open traces are listed at once"
        await until(house.all_decided)
        check(house, expected)
        house.app.pipeline.cut()
        assert sum(s.rows for s in house.app.manifest.live(Signal.SPANS)) == sum(row["spans"] for row in expected["kept"])
        check(house, expected)
        counts = sampler.counts()
        assert counts.taken == TRACES * SPANS_PER_TRACE == counts.given + sum(counts.dropped.values())
    async with open_house(tmp_path / "sampled", sampling=ERRORS) as house:
        check(house, expected)


def check(house: House, expected: dict[str, Any]) -> None:
    assert ask(house, KEPT) == expected["kept"]
    assert {name: ask(house, query) for name, query in EXACT.items()} == {name: expected[name] for name in EXACT}
    ids = sorted(row["trace_id"] for row in expected["kept"])
    assert sorted(row["trace_id"] for row in ask(house, "SELECT trace_id FROM traces")) == ids
    assert ask(house, "SELECT DISTINCT adjusted_count, decided_by FROM traces") == [{"adjusted_count": 1.0, "decided_by": "errors"}]


async def test_undecided_rows_outlive_the_journal_and_a_restart(tmp_path: Path) -> None:
    """Rows that wait too long for the journal move to held segments, and from there to ordinary ones, or nowhere."""
    waits = {**ERRORS, "quiet_s": 3600, "max_age_s": 3600}
    body = build(TRACES, 3)
    expected = await truth(tmp_path, [body])
    cut = {"hold_after_s": 0.001}
    async with open_house(tmp_path / "sampled", sampling=waits, cut=cut) as house:
        await send(house, body)
        await until(lambda: house.app.pipeline.cut() and house.app.manifest.checkpoint == house.app.pipeline.journal.seq)
        tiers = {s.tier for s in house.app.manifest.live(Signal.SPANS)}
        assert tiers == {"hot", "held"}, "errors are kept at once, the others wait"
        assert one(house, "SELECT count(*) FROM spans") == TRACES * SPANS_PER_TRACE
        assert one(house, "SELECT count(*) FROM traces") == TRACES
    async with open_house(tmp_path / "sampled", sampling={**ERRORS, "quiet_s": 0.2}, cut=cut) as house:
        await until(house.all_decided)
        house.app.pipeline.cut()
        assert {s.tier for s in house.app.manifest.live(Signal.SPANS)} == {"hot"}
        check(house, expected)


async def test_dropped_rows_that_the_journal_still_holds_stay_hidden_after_a_restart(tmp_path: Path) -> None:
    """An open trace holds the checkpoint back; the dropped ones in the same records were measured, and do not pass the stages again."""
    make = Maker(seed=8)
    unfinished = make.span("waits for its root", parent=make.span("root never comes"))
    whole = [make.span("well done") for _ in range(3)]
    async with open_house(tmp_path, sampling=ERRORS) as house:
        await send(house, make.spans(unfinished, *whole).protobuf)
        await until(lambda: len(house.app.pipeline.sampling.sampler.open) == 1)
        house.app.pipeline.cut()
        manifest = house.app.manifest
        assert manifest.checkpoint == 0 < manifest.measured, "the record stays in the journal"
        assert ask(house, "SELECT name FROM spans") == [{"name": "waits for its root"}]
    async with open_house(tmp_path, sampling=ERRORS) as house:
        assert ask(house, "SELECT name FROM spans") == [{"name": "waits for its root"}]
        assert [row["state"] for row in ask(house, "SELECT state FROM traces")] == ["open"]


async def test_the_api_says_what_is_kept(tmp_path: Path) -> None:
    async with open_house(tmp_path, sampling=ERRORS) as house:
        await send(house, build(TRACES, 3))
        await until(house.all_decided)
        async with ClientSession() as client, client.get(f"http://{house.app.addresses['listen']}/api/v1/sampling") as answer:
            said = await answer.json()
        assert said["policies"][0]["name"] == "errors"
        assert said["traces"]["kept"] == said["policies"][0]["kept_traces"] > 0
        assert said["traces"]["kept"] + said["traces"]["dropped"] == TRACES
        assert said["spans"]["dropped"]["not_kept"] == SPANS_PER_TRACE * said["traces"]["dropped"]
        assert house.metric("observatory_sampling_traces_total", decision="dropped") == said["traces"]["dropped"]
