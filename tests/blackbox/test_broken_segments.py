from __future__ import annotations

import asyncio
import http.client
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from child import questions, stored, wait_until
from restless import configuration

from benchmarks.appliance import Refused
from observatory.testing.clients import HttpClient
from observatory.testing.server import ServerProcess, _program
from observatory.testing.spans import Maker, Payload

QUICK = """
[cut]
segment_age_s = 0.2
"""


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for at in range(len(raw) // 4, len(raw) * 3 // 4, 7):
        raw[at] ^= 0x5A
    path.write_bytes(raw)


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _lose(path: Path) -> None:
    path.unlink()


def doctor(data: Path) -> subprocess.CompletedProcess[str]:
    """`observatory doctor` on a data directory."""
    return subprocess.run([*_program(None), "doctor", "--data", str(data)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("damage", [_flip, _cut_short, _lose])
def test_a_broken_segment_is_named_and_the_rest_is_served(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    config, data = configuration(tmp_path, QUICK), tmp_path / "data"
    make = Maker(seed=4)
    payloads: list[Payload] = [make.flat(50, service=f"app-{i}") for i in range(3)]
    where: list[Path] = []
    with ServerProcess(data, "--config", config) as server:
        for payload in payloads:
            known = set((data / "segments" / "spans").glob("*.parquet"))
            asyncio.run(_send(server.otlp_http, payload))
            new = wait_until(lambda known=known: set((data / "segments" / "spans").glob("*.parquet")) - known, "a new segment")
            where.append(new.pop())
            wait_until(lambda: questions(server).get("/api/v1/status")["journal"]["open_rows"] == 0, "all rows are in segments")
    assert doctor(data).returncode == 0
    damage(where[1])
    said = doctor(data)
    assert said.returncode == 1
    assert where[1].name in said.stdout + said.stderr
    intact = {(s.trace_id, s.span_id) for payload in (payloads[0], payloads[2]) for s in payload.all_spans}
    with ServerProcess(data, "--config", config) as server:
        found = wait_until(lambda: _try(lambda: stored(server)), "SQL answers from the rest")
        assert found.keys() == intact
        asked = questions(server)
        for payload in (payloads[0], payloads[2]):
            assert asked.get(f"/api/v1/traces/{payload.all_spans[0].trace_id.hex()}")["span_count"] == 1
        names = {item["service_name"] for item in asked.get("/api/v1/traces", limit=1000)["items"]}
        assert {"app-0", "app-2"} <= names
        with pytest.raises(Refused) as refused:
            asked.get(f"/api/v1/traces/{payloads[1].all_spans[0].trace_id.hex()}")
        assert refused.value.status in (404, 410, 503)
        assert where[1].name in str(asked.get("/api/v1/status"))
        asyncio.run(_send(server.otlp_http, make.flat(5, service="after")))
        wait_until(lambda: len(stored(server)) == len(intact) + 5, "new spans are stored and found beside the broken segment")


async def _send(url: str, payload: Payload) -> None:
    async with HttpClient(url) as client:
        answer = await client.export(payload)
        assert answer.ok, answer


def _try(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (Refused, http.client.HTTPException, OSError, pa.ArrowInvalid):  # a stream that had begun is broken off
        return None
