"""The ingest loop with a real journal and the reference decoder: durable before acknowledged, once, and never silently."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from observatory.errors import Malformed, Retryable
from observatory.model.batch import Export, Reply
from observatory.model.clock import SECOND
from observatory.model.signal import BY_OTLP, Signal
from observatory.otlp.decode import decoders
from observatory.pipeline.config import CutConfig, IngestConfig, JournalConfig
from observatory.pipeline.pipeline import Pipeline
from observatory.pipeline.sampling.sampler import keep_everything
from observatory.pipeline.summarize import Summarize
from observatory.receivers.feedback_rows import decode_feedback
from observatory.storage import records
from observatory.storage.manifest import Manifest
from observatory.testing.clock import NOON, StepClock
from observatory.testing.spans import Maker

MIB = 1 << 20


class Running:
    """A pipeline on a directory that can be stopped hard and started again."""

    def __init__(self, directory: Path, clock: StepClock, **ingest: float) -> None:
        self.directory, self.clock, self.ingest_config = directory, clock, IngestConfig(**ingest)

    async def start(self) -> Running:
        self.manifest = Manifest.open(self.directory, self.clock.now())
        kernel = decoders("reference")
        by_signal = {signal: kernel.of(signal) for signal in BY_OTLP} | {Signal.FEEDBACK: decode_feedback}
        journal, cut = JournalConfig(file_bytes=4 * MIB, reserve_bytes=0), CutConfig(segment_age_s=3600)
        self.pipeline = Pipeline(
            self.directory,
            self.ingest_config,
            journal,
            cut,
            self.manifest,
            by_signal,
            (),
            (Summarize(),),
            keep_everything(self.directory),
            self.clock,
            CollectorRegistry(),
        )
        await self.pipeline.start()
        return self

    async def stop(self) -> None:
        await self.pipeline.stop()
        self.manifest.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def put(self, body: bytes, signal: Signal = Signal.SPANS) -> asyncio.Task:
        return asyncio.ensure_future(self.pipeline.ingest.put(Export(signal, body, self.clock.now())))

    async def insist(self, body: bytes) -> Reply:
        """As a client does: again until it is taken."""
        while True:
            try:
                return await self.put(body)
            except Retryable:
                await asyncio.sleep(0.01)

    def span_ids(self) -> list[bytes]:
        """The span ids of all open rows, as a reader finds them."""
        found = self.pipeline.open_rows.records(self.manifest.checkpoint)
        return [i for r in found if r.signal is Signal.SPANS for i in records.read(r, ["span_id"]).column(0).to_pylist()]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    running = await Running(tmp_path, StepClock()).start()
    yield running
    await running.stop()


async def test_what_is_acknowledged_is_on_disk_and_visible(running: Running) -> None:
    payloads = [Maker(seed, NOON).trace() for seed in range(20)]
    replies = await asyncio.gather(*(running.put(p.protobuf) for p in payloads))
    sent = {i for p in payloads for i in p.span_ids}
    assert sum(reply.accepted for reply in replies) == len(sent)
    assert set(running.span_ids()) == sent
    await running.restart()
    assert sorted(running.span_ids()) == sorted(sent)


async def test_all_signals_share_the_loop(running: Running) -> None:
    maker = Maker(1, NOON)
    bodies = {
        Signal.SPANS: maker.trace().protobuf,
        Signal.LOGS: maker.logs("a", "b").protobuf,
        Signal.METRIC_POINTS: maker.metrics(3).protobuf,
        Signal.FEEDBACK: b'{"response_id": "r", "name": "helpful", "score": 1}',
    }
    replies = await asyncio.gather(*(running.put(body, signal) for signal, body in bodies.items()))
    assert all(reply.accepted for reply in replies)
    assert {r.signal for r in running.pipeline.open_rows.records(0)} == set(bodies)


async def test_a_resend_is_acknowledged_and_stored_once_also_across_a_restart(running: Running) -> None:
    body = Maker(2, NOON).trace().protobuf
    first = await running.put(body)
    again = await running.put(body)
    assert again.duplicate and again.accepted == first.accepted
    await running.restart()
    assert (await running.put(body)).duplicate
    assert len(running.span_ids()) == first.accepted


async def test_a_resend_is_known_after_its_record_left_the_journal(running: Running) -> None:
    body = Maker(3, NOON).trace().protobuf
    first = await running.put(body)
    await asyncio.to_thread(running.pipeline.ingest.quiesce)
    assert running.pipeline.cut() == first.accepted
    await running.restart()
    assert (await running.put(body)).duplicate
    assert running.manifest.live(Signal.SPANS)[0].rows == first.accepted


async def test_a_resend_after_the_window_is_a_new_request(running: Running) -> None:
    body = Maker(4, NOON).trace().protobuf
    await running.put(body)
    running.clock.advance(301)
    assert not (await running.put(body)).duplicate


async def test_a_malformed_request_is_refused_alone(running: Running) -> None:
    good = Maker(5, NOON).trace()
    results = await asyncio.gather(running.put(good.protobuf), running.put(good.protobuf[:-3] + b"\xff\xff\xff"), return_exceptions=True)
    assert results[0].accepted == len(good.span_ids)
    assert isinstance(results[1], Malformed) and "byte" in str(results[1])
    assert set(running.span_ids()) == good.span_ids


async def test_an_empty_request_is_fine_and_leaves_nothing(running: Running) -> None:
    reply = await running.put(b"")
    assert (reply.accepted, reply.rejected) == (0, 0)
    assert running.pipeline.open_rows.records(0) == []


async def test_a_full_queue_refuses_and_recovers(tmp_path: Path) -> None:
    running = await Running(tmp_path, StepClock(), queue_bytes=MIB).start()
    bodies = [Maker(seed, NOON).flat(40, size=10_000).protobuf for seed in range(20)]
    results = await asyncio.gather(*(running.put(body) for body in bodies), return_exceptions=True)
    refused = [r for r in results if isinstance(r, Retryable)]
    assert refused and "queue is full" in str(refused[0])
    taken = sum(r.accepted for r in results if not isinstance(r, Exception))
    for body, result in zip(bodies, results, strict=True):
        if isinstance(result, Retryable):
            assert not (await running.put(body)).duplicate  # refused means: nothing of it was stored
            taken += 40
    assert len(running.span_ids()) == taken == 800
    await running.stop()


async def test_bodies_of_clients_that_left_fill_the_queue_until_they_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk hangs clients give up and send again: without counting what they left the queue would grow without limit."""
    running = await Running(tmp_path, StepClock(), queue_bytes=MIB).start()
    bodies = [Maker(seed, NOON).flat(40, size=10_000).protobuf for seed in range(3)]
    hangs, goes_on = threading.Event(), threading.Event()
    fdatasync = os.fdatasync

    def hang(fd: int) -> None:
        hangs.set()
        goes_on.wait()
        fdatasync(fd)

    monkeypatch.setattr(os, "fdatasync", hang)
    for body in bodies[:2]:
        left = running.put(body)
        await asyncio.to_thread(hangs.wait)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
    try:
        with pytest.raises(Retryable, match="queue is full"):
            await asyncio.wait_for(running.put(bodies[2]), 5)
    finally:
        goes_on.set()
    assert (await running.insist(bodies[0])).duplicate  # what they left was stored, and its resend is known
    assert (await running.insist(bodies[1])).duplicate
    assert (await running.put(bodies[2])).accepted == 40
    assert running.pipeline.ingest.queued_bytes == 0
    await running.stop()


async def test_a_failing_disk_refuses_and_the_next_attempt_is_stored_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    body = Maker(6, NOON).trace().protobuf

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.pwritev", fail)
        with pytest.raises(Retryable, match="No space left"):
            await running.put(body)
    reply = await running.put(body)
    assert not reply.duplicate
    assert len(running.span_ids()) == reply.accepted


async def test_a_bug_in_a_decoder_refuses_and_the_next_attempt_is_taken(running: Running) -> None:
    body = Maker(9, NOON).trace().protobuf
    decode = running.pipeline.ingest._decoders[Signal.SPANS]

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    running.pipeline.ingest._decoders[Signal.SPANS] = broken
    with pytest.raises(Retryable, match="a bug"):
        await running.put(body)
    running.pipeline.ingest._decoders[Signal.SPANS] = decode
    assert not (await running.put(body)).duplicate


async def test_nothing_is_taken_after_stop(tmp_path: Path) -> None:
    running = await Running(tmp_path, StepClock()).start()
    await running.stop()
    with pytest.raises(Retryable, match="shutting down"):
        await running.put(Maker(7, NOON).trace().protobuf)


async def test_a_cut_moves_every_row_once(running: Running) -> None:
    payloads = [Maker(seed, NOON).trace() for seed in range(10)]
    for payload in payloads:
        await running.put(payload.protobuf)
    await asyncio.to_thread(running.pipeline.ingest.quiesce)
    rows = running.pipeline.cut()
    assert rows == sum(s.rows for s in running.manifest.live(Signal.SPANS)) == len({i for p in payloads for i in p.span_ids})
    assert sum(s.rows for s in running.manifest.live(Signal.TRACES)) == 10
    assert running.span_ids() == []
    assert running.pipeline.cut() == 0


async def test_rows_dated_far_from_their_arrival_get_a_segment_of_their_own(running: Running) -> None:
    maker = Maker(8, NOON)
    span = maker.span("old", start_ns=running.clock.now() - 400 * 86_400 * SECOND)
    await running.put(maker.spans(span).protobuf)
    await running.put(maker.trace().protobuf)
    await asyncio.to_thread(running.pipeline.ingest.quiesce)
    running.pipeline.cut()
    tiers = {(s.signal, s.tier): s.rows for s in running.manifest.live()}
    assert tiers[(Signal.SPANS, "skewed")] == 1
    assert tiers[(Signal.TRACES, "skewed")] == 1
    assert (Signal.SPANS, "hot") in tiers


async def test_a_record_whose_traces_cannot_be_listed_is_cut_with_the_others(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise MemoryError("a bug")

    payloads = [Maker(seed, NOON).trace() for seed in range(2)]
    with monkeypatch.context() as patched:
        patched.setattr("observatory.pipeline.open_rows.trace_hashes", broken)
        await running.put(payloads[0].protobuf)
    await running.put(payloads[1].protobuf)
    sent = {i for p in payloads for i in p.span_ids}
    assert set(running.span_ids()) == sent
    assert len(running.pipeline.open_rows.find(bytes(16), 0)) == 1, "it may hold any trace"
    await asyncio.to_thread(running.pipeline.ingest.quiesce)
    assert running.pipeline.cut() == len(sent)
