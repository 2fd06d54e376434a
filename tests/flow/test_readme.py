"""The README's first traces, run as a newcomer copies them, against the doors where exporters look by default."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from observatory.cli import client
from observatory.testing.server import ServerProcess

README = (Path(__file__).parents[2] / "README.md").read_text()
NODE = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("readme") / "data") as running:
        yield running


def example(language: str, containing: str) -> str:
    """The one block of that language that contains a word."""
    found = [code for code in re.findall(rf"```{language}\n(.*?)```", README, re.S) if containing in code]
    assert len(found) == 1
    return found[0]


def names(server: ServerProcess, expected: str) -> None:
    """Fails when no span of that name is there within five seconds."""
    end = time.monotonic() + 5
    found: list[list[str]] = []
    while time.monotonic() < end and [expected] not in found:
        found = client.post(server.api, "/api/v1/sql", {"query": "SELECT DISTINCT name FROM spans WHERE service_name = 'hello'"})["rows"]
    assert [expected] in found


def run(command: list[str], server: ServerProcess, cwd: Path | None = None) -> None:
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": server.otlp_http}
    ended = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr


def test_python(server: ServerProcess) -> None:
    run([sys.executable, "-c", example("python", "TracerProvider").replace("chat gpt-4.1", "from python")], server)
    names(server, "from python")


def test_typescript(server: ServerProcess) -> None:
    code = example("typescript", "BasicTracerProvider").replace("chat gpt-4.1", "from typescript")
    run(["node", "--input-type=module", "-e", code], server, cwd=NODE)
    names(server, "from typescript")


def test_curl(server: ServerProcess) -> None:
    code = example("sh", "resourceSpans").replace("http://127.0.0.1:4318", server.otlp_http).replace('"name":"hello"', '"name":"from curl"')
    run(["bash", "-euc", code.replace("curl ", "curl -fsS ")], server)
    names(server, "from curl")
