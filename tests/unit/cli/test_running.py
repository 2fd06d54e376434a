"""How a running appliance speaks and ends."""

from __future__ import annotations

import json
import logging
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from observatory.cli import logs
from observatory.cli.running import first_trace, greeting
from observatory.model.signal import Signal
from observatory.otlp import json as otlp_json
from observatory.otlp.decode import decoders
from observatory.settings import LogConfig

ADDRESSES = {"listen": "127.0.0.1:4319", "otlp_grpc": "127.0.0.1:4317", "otlp_http": "127.0.0.1:4318"}
STANDS_STILL = """
import asyncio, logging
from observatory.cli import running
logging.basicConfig(level="INFO", format="%(message)s")
running.STOP_SECONDS = {seconds}

async def main():
    stop = running.stop_on_signals()
    print("ready", flush=True)
    await stop.wait()
    print("stopping", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_person_reads_where_everything_is() -> None:
    said = greeting(ADDRESSES, Path("/srv/observatory"))
    for expected in (
        "http://127.0.0.1:4319",
        "gRPC 127.0.0.1:4317",
        "HTTP http://127.0.0.1:4318",
        "/srv/observatory",
        "finds it by itself",
    ):
        assert expected in said
    elsewhere = greeting({**ADDRESSES, "otlp_http": "127.0.0.1:40123"}, Path("/srv/observatory"))
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:40123" in elsewhere


def test_the_first_trace_of_the_greeting_is_a_trace() -> None:
    body = re.search(r"-d '(.*)'", greeting(ADDRESSES, Path("/srv")))
    assert body is not None
    decoded = decoders().spans([otlp_json.to_protobuf(Signal.SPANS, body[1].encode())], 0, [None])
    assert decoded.outcomes[0].rejected == 0
    row = decoded.rows.to_pylist()[0]
    assert (row["name"], row["service_name"], row["duration_ns"]) == ("hello", "curl", 120_000_000)
    assert first_trace(1) != first_trace(1), "each start offers a trace of its own"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_leaves_at_once(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STANDS_STILL.format(seconds=60)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(number)
        assert child.stdout.readline() == b"stopping\n"
        child.send_signal(number)
        _, said = child.communicate(timeout=10)
    assert child.returncode == 128 + number
    assert f"{number.name}: stopping; a second one leaves at once" in said.decode()


def test_an_appliance_that_does_not_stop_leaves_in_time() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STANDS_STILL.format(seconds=0.2)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=10)
    assert child.returncode == 1
    assert "leaving; what was acknowledged is on disk" in said.decode()


def test_json_lines_hold_everything_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LogConfig(format="json", level="debug"))
    log = logging.getLogger("observatory.test")
    log.debug("two\nlines of %s", "café")
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("it failed")
    logging.getLogger("some.library").info("not heard")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["logger"], line["message"]) for line in lines] == [
        ("debug", "observatory.test", "two\nlines of café"),
        ("error", "observatory.test", "it failed"),
    ]
    assert "ValueError: why" in lines[1]["error"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", lines[0]["time"])


def test_text_lines_name_the_part_that_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LogConfig(level="warning"))
    logging.getLogger("observatory.pipeline.cut").info("not heard")
    logging.getLogger("observatory.pipeline.cut").warning("slow disk")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} warning pipeline\.cut  slow disk\n", capsys.readouterr().err)
