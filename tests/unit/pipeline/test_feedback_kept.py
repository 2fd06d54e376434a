"""Feedback goes the way of every export: what was acknowledged is there after a crash, in the journal or in a segment, and once."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

from test_ingest import Running

from observatory.errors import Malformed
from observatory.model.batch import Export
from observatory.model.signal import Signal
from observatory.storage import records
from observatory.testing.clock import StepClock
from observatory.testing.spans import Maker

GOOD = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "name": "helpful"}


def bodies(count: int) -> list[bytes]:
    return [json.dumps([{**GOOD, "score": 2 * i}, {**GOOD, "score": 2 * i + 1, "comment": "☂" * i}]).encode() for i in range(count)]


def scores(running: Running) -> list[float]:
    """Of all open feedback, as a reader finds it."""
    found = running.pipeline.open_rows.records(running.manifest.checkpoint)
    return sorted(s for r in found if r.signal is Signal.FEEDBACK for s in records.read(r, ["score"]).column(0).to_pylist())


async def test_what_was_acknowledged_is_there_after_a_crash(tmp_path: Path) -> None:
    (tmp_path / "alive").mkdir()
    running = await Running(tmp_path / "alive", StepClock()).start()
    sent = bodies(10)
    replies = await asyncio.gather(*(running.put(body, Signal.FEEDBACK) for body in sent), running.put(Maker(1).trace().protobuf))
    assert [reply.accepted for reply in replies[:-1]] == [2] * 10
    shutil.copytree(tmp_path / "alive", tmp_path / "crashed", ignore=shutil.ignore_patterns("lock"))  # the disk as a kill would leave it
    whole = [records.read(r) for r in running.pipeline.open_rows.records(0) if r.signal is Signal.FEEDBACK]
    await running.stop()

    again = await Running(tmp_path / "crashed", StepClock()).start()
    assert scores(again) == list(range(20))
    found = [records.read(r) for r in again.pipeline.open_rows.records(0) if r.signal is Signal.FEEDBACK]
    assert [batch.to_pylist() for batch in found] == [batch.to_pylist() for batch in whole]
    assert (await again.put(sent[3], Signal.FEEDBACK)).duplicate, "a resend is known after the crash"
    await asyncio.to_thread(again.pipeline.ingest.quiesce)
    again.pipeline.cut()
    assert (scores(again), sum(s.rows for s in again.manifest.live(Signal.FEEDBACK))) == ([], 20)
    await again.restart()
    assert (scores(again), sum(s.rows for s in again.manifest.live(Signal.FEEDBACK))) == ([], 20)
    assert (await again.put(sent[3], Signal.FEEDBACK)).duplicate, "and after the cut"
    await again.stop()


async def test_feedback_of_far_away_times_is_kept_apart(tmp_path: Path) -> None:
    running = await Running(tmp_path, StepClock()).start()
    old = {**GOOD, "score": 1, "time": "2020-01-31T09:30:00Z"}
    await running.put(json.dumps([old, {**GOOD, "score": 2}]).encode(), Signal.FEEDBACK)
    await asyncio.to_thread(running.pipeline.ingest.quiesce)
    running.pipeline.cut()
    assert {s.tier: s.rows for s in running.manifest.live(Signal.FEEDBACK)} == {"skewed": 1, "hot": 1}
    await running.stop()


async def test_a_body_that_is_none_is_refused_alone(tmp_path: Path) -> None:
    running = await Running(tmp_path, StepClock()).start()
    put = running.pipeline.ingest.put
    exports = [Export(Signal.FEEDBACK, body, running.clock.now(), "shop") for body in (b"[]", json.dumps({**GOOD, "score": 1}).encode())]
    refused, taken = await asyncio.gather(*(put(export) for export in exports), return_exceptions=True)
    assert isinstance(refused, Malformed)
    assert not isinstance(taken, BaseException) and taken.accepted == 1
    (record,) = running.pipeline.open_rows.records(0)
    assert records.read(record, ["project"]).to_pylist() == [{"project": "shop"}]
    await running.stop()
