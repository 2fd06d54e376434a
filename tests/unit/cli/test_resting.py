"""A server at rest gives back pages of its libraries, and what was written in them stays."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from observatory.cli import resting


def works() -> bool:
    """Whether the largest libraries still answer: their code, their constants, their relocated tables."""
    numbers = pa.table({"n": range(1000)})
    return duckdb.sql("SELECT sum(n) FROM numbers").fetchall() == [(499_500,)] and pc.sum(numbers["n"]).as_py() == 499_500


def test_pages_of_libraries_are_let_go_and_come_back() -> None:
    assert works()
    before = resting.of_files()
    resting.let_go()
    assert resting.of_files() < before - (16 << 20)
    assert works()


def test_what_was_written_or_is_no_librarys_is_left_alone() -> None:
    chosen = {start for start, _ in resting.unwritten()}
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, rights, file = int(line.split("-")[0], 16), line.split()[1], line.split()[4]
        if file == "0" or "w" in rights:
            assert start not in chosen


async def test_it_waits_until_the_server_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    given, told = asyncio.Event(), []
    used = iter([*range(20), *[20] * 1000])  # ten rounds of a busy server, then rest
    monkeypatch.setattr(resting, "EVERY_S", 0.01)
    monkeypatch.setattr(resting, "of_files", lambda: resting.WORTH + 1)
    monkeypatch.setattr(resting.time, "process_time", lambda: told.append(float(next(used))) or told[-1])
    monkeypatch.setattr(resting, "let_go", given.set)
    loop = asyncio.ensure_future(resting.give_back())
    await given.wait()
    loop.cancel()
    assert told[:22] == [*map(float, range(20)), 20.0, 20.0]


async def test_a_busy_server_returns_what_it_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    returned, used = asyncio.Event(), itertools.count()
    monkeypatch.setattr(resting, "EVERY_S", 0.01)
    monkeypatch.setattr(resting.time, "process_time", lambda: float(next(used)))
    monkeypatch.setattr(resting, "return_freed", returned.set)
    monkeypatch.setattr(resting, "let_go", lambda: pytest.fail("it does not rest"))
    loop = asyncio.ensure_future(resting.give_back())
    await returned.wait()
    returned.clear()
    await returned.wait()
    loop.cancel()
