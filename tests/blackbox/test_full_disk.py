from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from child import questions, stored, wait_until
from restless import configuration
from smalldisk import SmallDisk

from benchmarks.appliance import Refused
from observatory.storage.spill import Spill
from observatory.testing.clients import Answer, HttpClient
from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker, Payload

MIB = 1 << 20
SMALL = f"""
[journal]
file_bytes = {2 * MIB}
reserve_bytes = {6 * MIB}
[cut]
segment_age_s = 0.3
segment_bytes = {MIB}
[storage]
reserve_bytes = 0
"""


class Exporter:
    """Sends one payload after the other and keeps those that were acknowledged."""

    def __init__(self, url: str) -> None:
        self.url, self._make = url, Maker(seed=None)
        self.acknowledged: list[Payload] = []
        self.waiting: Payload | None = None

    def send(self, spans: int = 64, size: int = 2000) -> Answer:
        """Offer the payload that was refused before, or a new one of about `spans` × `size` bytes."""
        payload = self.waiting or self._make.flat(spans, size=size)

        async def once() -> Answer:
            async with HttpClient(self.url) as client:
                return await client.export(payload)

        answer = asyncio.run(once())
        self.waiting = None if answer.ok else payload
        if answer.ok:
            self.acknowledged.append(payload)
        return answer

    def ids(self) -> set[tuple[bytes, bytes]]:
        return {(span.trace_id, span.span_id) for payload in self.acknowledged for span in payload.all_spans}


def _ready(server: ServerProcess) -> bool:
    asked = questions(server)
    try:
        return bool(asked.raw("GET", "/readyz"))
    except Refused as refused:
        assert refused.status == 503
        return False
    finally:
        asked.close()


@pytest.mark.parametrize("leave", [4 * MIB, 0], ids=["below the reserve", "nothing left"])
def test_a_full_disk_refuses_answers_queries_and_recovers_by_itself(tmp_path: Path, leave: int) -> None:
    config = configuration(tmp_path, SMALL)
    with SmallDisk(tmp_path / "disk", 64) as disk:
        begin = lambda: ServerProcess(disk.path / "data", "--config", config, preexec=disk.enter)  # noqa: E731
        with begin() as server:
            exporter = Exporter(server.otlp_http)
            for _ in range(20):
                assert exporter.send().ok
            disk.fill(leave)
            refused = wait_until(lambda: None if (answer := exporter.send()).ok else answer, "an export is refused")
            assert refused.status == 503
            assert refused.retry_after_s and refused.retry_after_s >= 1
            assert "disk" in refused.message
            assert not _ready(server)
            found = stored(server)
            assert exporter.ids() <= found.keys(), "acknowledged spans are not found while the disk is full"
            trace_id = exporter.acknowledged[0].all_spans[0].trace_id.hex()
            assert questions(server).get(f"/api/v1/traces/{trace_id}")["span_count"] == 1
            for _ in range(5):
                assert exporter.send().status == 503
            disk.empty()
            wait_until(lambda: exporter.send().ok, "exports are taken again once there is space", 20)
            assert _ready(server)
            for _ in range(20):
                assert exporter.send().ok
            _exactly(server, exporter)
        with begin() as server:
            _exactly(server, exporter)
            assert "error" not in server.stderr.lower(), server.stderr


def test_a_disk_that_its_own_data_fills_loses_nothing(tmp_path: Path) -> None:
    config = configuration(tmp_path, SMALL)
    with SmallDisk(tmp_path / "disk", 40) as disk:
        begin = lambda: ServerProcess(disk.path / "data", "--config", config, preexec=disk.enter)  # noqa: E731
        with begin() as server:
            exporter = Exporter(server.otlp_http)
            make = Maker(seed=None)

            def offer() -> Answer:
                if exporter.waiting is None:
                    texts = (make.random.randbytes(2000).hex() for _ in range(100))  # does not compress below a half
                    exporter.waiting = make.spans(*(make.span("full", attributes={"noise": text}) for text in texts))
                return exporter.send()

            refused = wait_until(lambda: None if (answer := offer()).ok else answer, "the disk is full", 90, every_s=0)
            assert refused.status == 503
            _exactly(server, exporter)
            server.kill9()
        with begin() as server:
            _exactly(server, exporter)
            exporter.url = server.otlp_http
            assert offer().status in (200, 503)
            _exactly(server, exporter)


def test_what_waits_stays_in_memory_when_the_disk_is_full(tmp_path: Path) -> None:
    with SmallDisk(tmp_path / "disk", 1) as disk:
        kept, many, few = Spill(disk.seen), np.arange(MIB), np.arange(MIB // 64)
        rows = pa.record_batch({"n": pa.array(many)})
        assert kept.array(many) is many and kept.rows(rows) is rows
        assert (kept.files, kept.bytes) == (0, 0)
        there = kept.array(few)
        assert there is not few and np.array_equal(there, few)
        assert (kept.files, kept.bytes) == (1, few.nbytes)


def _exactly(server: ServerProcess, exporter: Exporter) -> None:
    found = stored(server)
    assert set(found.values()) == {1}
    assert found.keys() == exporter.ids()
