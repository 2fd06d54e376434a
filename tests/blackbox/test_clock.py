from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import struct
import time
from pathlib import Path

import pytest
from child import questions, shim, stored, wait_until
from restless import configuration

from benchmarks.appliance import Refused
from observatory.model.clock import DAY, HOUR, SECOND
from observatory.testing.clients import HttpClient
from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker, Payload

YEAR = 365 * DAY
QUICK = """
[cut]
segment_age_s = 0.3
[storage]
retention_days = 7.0
"""


class Clock:
    """The server's wall clock, `offset` nanoseconds beside ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set(0)
        self.environment = {"LD_PRELOAD": str(shim("clock")), "CLOCK_FILE": str(path)}

    def set(self, offset: int) -> None:
        """Set it, also under a running server."""
        with self.path.open("r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("<q", offset))
        self.offset = offset

    def now(self) -> int:
        """What time the server's machine thinks it is."""
        return time.time_ns() + self.offset


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


def _server(tmp_path: Path, clock: Clock) -> ServerProcess:
    return ServerProcess(tmp_path / "data", "--config", configuration(tmp_path, QUICK), env=clock.environment)


def _send(server: ServerProcess, payload: Payload) -> None:
    async def once() -> None:
        async with HttpClient(server.otlp_http) as client:
            answer = await client.export(payload)
            assert answer.ok, answer

    asyncio.run(once())


def _found(server: ServerProcess, payload: Payload, at: int) -> None:
    """By SQL, by id, and in the list of a window around its time."""
    asked = questions(server)
    pairs = {(span.trace_id, span.span_id) for span in payload.all_spans}
    found = stored(server)
    assert all(found[pair] == 1 for pair in pairs)
    trace_id = payload.all_spans[0].trace_id.hex()
    assert asked.get(f"/api/v1/traces/{trace_id}")["span_count"] == 1
    around = {"from": at - HOUR, "to": at + HOUR, "limit": 1000}
    wait_until(lambda: trace_id in {item["trace_id"] for item in asked.get("/api/v1/traces", **around)["items"]}, "it is in the list", 2)
    asked.close()


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_set_while_the_server_runs_or_rests_loses_nothing(tmp_path: Path, clock: Clock, days: int) -> None:
    sent: list[tuple[Payload, int]] = []

    def send(server: ServerProcess, service: str) -> None:
        payload = Maker(seed=None, now=clock.now()).flat(3, service=service)
        _send(server, payload)
        sent.append((payload, clock.now()))
        for one, at in sent:
            _found(server, one, at)

    with _server(tmp_path, clock) as server:
        send(server, "before")
        clock.set(days * DAY)
        send(server, "set while it runs")
        wait_until(lambda: questions(server).get("/api/v1/status")["journal"]["open_rows"] == 0, "all rows are in segments")
        send(server, "still set")
    with _server(tmp_path, clock) as server:
        send(server, "after a restart")
        assert "after a restart" in {item["service_name"] for item in questions(server).get("/api/v1/traces")["items"]}
    clock.set(0)
    with _server(tmp_path, clock) as server:
        send(server, "set back while it rested")


def test_spans_dated_a_year_off_are_found_and_expire_by_their_arrival(tmp_path: Path, clock: Clock) -> None:
    now = clock.now()
    sent = [
        (Maker(seed=i, now=now + shift).flat(2, service=f"shift-{i}"), now + shift) for i, shift in enumerate((0, -YEAR, YEAR, -40 * YEAR))
    ]
    with _server(tmp_path, clock) as server:
        for payload, at in sent:
            _send(server, payload)
            _found(server, payload, at)
        wait_until(lambda: questions(server).get("/api/v1/status")["journal"]["open_rows"] == 0, "all rows are in segments")
        for payload, at in sent:
            _found(server, payload, at)
    clock.set(7 * DAY - HOUR)
    with _server(tmp_path, clock) as server:
        for payload, at in sent:
            _found(server, payload, at)
    clock.set(7 * DAY + HOUR)
    with _server(tmp_path, clock) as server:
        wait_until(lambda: not stored(server), "everything received more than seven days ago is gone")
        for payload, _ in sent:
            with pytest.raises(Refused) as refused:
                questions(server).get(f"/api/v1/traces/{payload.all_spans[0].trace_id.hex()}")
            assert refused.value.status == 410
            assert "7" in str(refused.value)
        late = Maker(seed=9, now=clock.now()).flat(1, service="late")
        _send(server, late)
        _found(server, late, clock.now())


def test_a_year_old_span_does_not_widen_the_windows_of_the_others(tmp_path: Path, clock: Clock) -> None:
    now = clock.now()
    with _server(tmp_path, clock) as server:
        _send(server, Maker(seed=1, now=now).flat(20))
        _send(server, Maker(seed=2, now=now - YEAR).flat(1))
        wait_until(lambda: questions(server).get("/api/v1/status")["journal"]["open_rows"] == 0, "all rows are in segments")
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "manifest.sqlite3")) as manifest:
        segments = [json.loads(body) for (body,) in manifest.execute("select body from segment")]
    spans = [segment for segment in segments if segment["signal"] == "spans"]
    assert {segment["tier"] for segment in spans} == {"hot", "skewed"}
    assert all(segment["end_ns"] - segment["start_ns"] < 60 * SECOND for segment in spans)
