"""A receiver that is down, hangs, refuses or has no room: the application does not notice, memory is bounded, and every record is
accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sdk_stage import APPS, Stage

from benchmarks.sdk import measure, receiver

pytestmark = pytest.mark.slow
LATER = """
import os, time, observatory
observatory.init(spool={spool!r}, instrument=False)
end = time.monotonic() + 30
while os.path.getsize({spool!r}) and time.monotonic() < end:
    time.sleep(0.05)
"""


def play(stage: Stage, url: str, *arguments: str) -> dict[str, float]:
    done = stage.run("clients", str(APPS / "many_calls.py"), *arguments, service="many", OBSERVATORY_ENDPOINT=url)
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.timed
@pytest.mark.parametrize("kind", ["down", "slow", "refusing", "busy"])
def test_an_application_does_not_notice(stage: Stage, kind: str) -> None:
    with receiver(kind) as url:
        figures = play(stage, url)
    assert figures["median_us"] < 2000  # some 60 on a machine at rest
    assert figures["grown_mb"] < 30  # 2 MiB wait, and what is being encoded
    assert figures["exit_s"] < 8  # 5 s of waiting at the longest
    assert figures["put"] == 8200 == figures["sent"] + figures["refused"] + figures["dropped"] + figures["waiting"]
    assert figures["sent"] == 0
    assert (figures["refused"] > 0) is (kind == "refusing")


def test_what_was_spooled_arrives_once_when_the_receiver_is_back(stage: Stage, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with receiver("down") as url:
        figures = play(stage, url, str(spool))
    assert figures["sent"] + figures["dropped"] == 8200
    assert spool.stat().st_size > 0
    done = stage.run("clients", "-c", LATER.format(spool=str(spool)), service="later")
    assert "Traceback" not in done.stderr
    stored = stage.settled("SELECT count(*) AS spans, count(DISTINCT span_id) AS ids FROM spans WHERE service_name = 'many'", 1)
    assert stored == [{"spans": figures["sent"], "ids": figures["sent"]}]
    assert spool.stat().st_size == 0


def test_the_benchmark_runs() -> None:
    figures = measure("down", seconds=0.2, rounds=1)
    assert figures["added_p50_us"] > 0
    assert figures["init_ms"] > 0
