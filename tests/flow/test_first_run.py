"""The first minute: started without arguments it serves, and what it prints is enough to see a first trace."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from observatory.cli import client
from observatory.cli.running import greeting
from observatory.testing.server import _program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("arguments", [[], ["--data", "here"]], ids=["no arguments", "only a flag"])
def test_it_serves_and_its_own_words_lead_to_a_first_trace(arguments: list[str], tmp_path: Path) -> None:
    doors = {name: f"127.0.0.1:{free_port()}" for name in ("LISTEN", "OTLP_GRPC", "OTLP_HTTP")}
    environment = {**os.environ, **{f"OBSERVATORY_SERVER__{name}": value for name, value in doors.items()}, "XDG_DATA_HOME": str(tmp_path)}
    child = subprocess.Popen([*_program(None), *arguments], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        said = ""
        while "Ctrl-C stops it" not in said:
            line = child.stdout.readline()
            assert line, said
            said += line
        data = tmp_path / ("here" if arguments else "observatory")
        assert f"data    {data}\n" in said
        assert f"page    http://{doors['LISTEN']}\n" in said
        assert "Only this machine reaches these addresses" in said
        (command,) = re.findall(r"^ +(curl .*)$", said, re.M)
        subprocess.run(["bash", "-euc", command.replace("curl ", "curl -fsS ")], check=True, capture_output=True)
        deadline = time.monotonic() + 5
        while not (found := client.get(f"http://{doors['LISTEN']}", "/api/v1/traces")["items"]):
            assert time.monotonic() < deadline
        assert found[0]["root_name"] == "hello"
    finally:
        child.send_signal(signal.SIGINT)
        code = child.wait(15)
    assert code == 0
    assert (data / "manifest.sqlite3").is_file()


def test_what_others_reach_is_not_called_private() -> None:
    addresses = {"listen": "0.0.0.0:4319", "otlp_grpc": "0.0.0.0:4317", "otlp_http": "0.0.0.0:4318"}
    assert "Only this machine" not in greeting(addresses, Path("/data"), private=False)
    assert "docs    http://0.0.0.0:4319/docs/" in greeting(addresses, Path("/data"), documented=True)


def test_flags_before_a_command_are_refused_by_name() -> None:
    said = subprocess.run([sys.executable, "-m", "observatory.cli.main", "--lisen", "x"], capture_output=True, text=True)
    assert said.returncode == 2
    assert "--lisen" in said.stderr
