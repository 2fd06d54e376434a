"""Blocking work ends when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from asking import open_asked

from observatory.api import work as work_room
from observatory.api.problems import Deadline
from observatory.api.work import ClientLeft, Stop, Work
from observatory.errors import Retryable
from observatory.testing.spans import Maker


class Transport:
    closing = False

    def is_closing(self) -> bool:
        return self.closing


class Cursor:
    """Runs until it is interrupted."""

    def __init__(self) -> None:
        self.interrupted, self.running = threading.Event(), threading.Event()

    def interrupt(self) -> None:
        self.interrupted.set()

    def query(self, stop: Stop) -> str:
        with stop.watch(self):
            self.running.set()
            assert self.interrupted.wait(10)
        return "late"


def request() -> Any:
    return cast(web.BaseRequest, SimpleNamespace(transport=Transport()))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.005)


async def test_a_job_is_interrupted_when_its_client_leaves():
    work, asked, cursor = Work(1, 60), request(), Cursor()
    answer = asyncio.create_task(work.run(asked, cursor.query))
    await until(cursor.running.is_set)
    asked.transport.closing = True
    with pytest.raises(ClientLeft):
        await answer
    assert cursor.interrupted.is_set()
    assert await work.run(request(), lambda _: "next") == "next"
    await work.close()


async def test_a_job_is_interrupted_at_its_deadline():
    work, cursor = Work(1, 0.05), Cursor()
    with pytest.raises(Deadline, match=r"0\.05 s"):
        await work.run(request(), cursor.query)
    assert cursor.interrupted.is_set()
    await work.close()


async def test_a_job_that_starts_late_does_not_start():
    stop = Stop()
    stop.ask()
    with pytest.raises(ClientLeft), stop.watch(Cursor()):
        raise AssertionError("it ran")


async def test_too_much_waiting_is_sent_away(monkeypatch):
    monkeypatch.setattr(work_room, "_MOST_WAITING", 1)
    work, cursor = Work(1, 60), Cursor()
    first = asyncio.create_task(work.run(request(), cursor.query))
    await until(cursor.running.is_set)
    with pytest.raises(Retryable):
        await work.run(request(), lambda _: None)
    cursor.interrupt()
    assert await first == "late"
    await work.close()


async def test_closing_ends_what_runs():
    work, cursor = Work(1, 60), Cursor()
    answer = asyncio.create_task(work.run(request(), cursor.query))
    await until(cursor.running.is_set)
    await work.close()
    assert await answer == "late"


async def test_a_stream_that_is_left_closes_what_it_opened():
    closed = threading.Event()

    def pieces(stop: Stop) -> Iterator[bytes]:
        try:
            while not stop.asked:
                yield b"piece"
        finally:
            closed.set()

    work = Work(2, 60)
    stream = work.stream(request(), pieces)
    assert [await anext(stream) for _ in range(3)] == [b"piece"] * 3
    await stream.aclose()
    assert closed.is_set()
    await work.close()


async def test_a_trace_that_nobody_reads_to_its_end_lets_go_of_its_segments(tmp_path: Path):
    async with open_asked(tmp_path / "data") as asked:
        make = Maker(1)
        root = make.span("root", duration_s=9)
        for _ in range(6):
            steps = (make.span("step", parent=root, attributes={"text": "x" * 1000}) for _ in range(3000))
            await asked.store(make.spans(*steps), cut=True)
        async with aiohttp.ClientSession() as session, session.get(f"{asked.url}/api/v1/traces/{root.trace_id.hex()}") as response:
            await response.content.readany()
            assert asked.manifest._pins  # it is being read, and stands still because nobody takes the next piece
        await until(lambda: not asked.manifest._pins)
