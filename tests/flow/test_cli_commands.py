"""Commands that talk to a running appliance: query, doctor and the demo, against a real one."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from observatory.cli.main import main
from observatory.cli.running import first_trace
from observatory.testing.server import ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("cli") / "data") as running:
        post(f"{running.otlp_http}/v1/traces", first_trace(time.time_ns()))
        yield running


def post(url: str, body: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, body.encode(), {"content-type": "application/json"}), timeout=10).close()


def query(server: ServerProcess, sql: str, *flags: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["query", sql, "--url", server.api, *flags])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_query_is_a_table(server: ServerProcess, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = query(server, "SELECT name, service_name, duration_ms FROM spans", capsys=capsys)
    assert code == 0
    assert [line.split() for line in out.splitlines()[::2]] == [["name", "service_name", "duration_ms"], ["hello", "curl", "120.0"]]
    assert err.startswith("1 row in ")


def test_a_query_is_json_for_programs(server: ServerProcess, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT 1 AS one, 'ü' AS text, NULL AS nothing, [1, 2] AS list"
    code, out, err = query(server, sql, "--json", capsys=capsys)
    assert (code, err) == (0, "")
    assert json.loads(out) == [{"one": 1, "text": "ü", "nothing": None, "list": [1, 2]}]


def test_a_query_is_csv_for_sheets(server: ServerProcess, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = query(server, "SELECT 'a,\"b\"' AS text, [1] AS list, NULL AS nothing", "--csv", capsys=capsys)
    assert (code, err) == (0, "")
    assert list(csv.reader(io.StringIO(out))) == [["text", "list", "nothing"], ['a,"b"', "[1]", ""]]


def test_a_statement_comes_from_standard_input(
    server: ServerProcess, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 42 AS answer"))
    assert json.loads(query(server, "-", "--json", capsys=capsys)[1]) == [{"answer": 42}]


@pytest.mark.parametrize("sql", ["SELECT nothing FROM spans", "DROP TABLE spans", "SELECT 1; SELECT 2", "SELEC 1"])
def test_a_refused_question_is_answered_in_the_appliances_own_words(
    server: ServerProcess, sql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = query(server, sql, capsys=capsys)
    assert (code, out) == (1, "")
    assert err.startswith("observatory: ")
    assert "Traceback" not in err


def test_doctor_finds_nothing_wrong_beside_a_running_appliance(server: ServerProcess, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--data", str(server.data_dir), "--listen", server.addresses["listen"]])
    said = capsys.readouterr().out
    assert code == 0, said
    assert "WRONG" not in said
    for looked_at in ("configuration", "decoder", "server: version", "it accepts exports", "fsync", "manifest", "segments", "journal"):
        assert looked_at in said


def test_doctor_names_ports_that_others_use(server: ServerProcess, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["doctor", "--json", "--data", str(tmp_path), "--listen", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0"]
    assert main([*arguments, "--otlp-grpc", server.addresses["otlp_grpc"]]) == 1
    wrong = [finding for finding in json.loads(capsys.readouterr().out) if not finding["ok"]]
    assert len(wrong) == 1
    assert server.addresses["otlp_grpc"] in wrong[0]["what"]
    assert "ss -ltnp" in wrong[0]["do"]


def test_the_manifest_is_not_made_again_under_a_running_appliance(server: ServerProcess, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--rebuild-manifest", "--data", str(server.data_dir)]) == 2
    assert "another observatory uses" in capsys.readouterr().err


async def test_the_demo_is_alive_within_seconds(tmp_path: Path) -> None:
    ports = [flag for door in ("--listen", "--otlp-grpc", "--otlp-http") for flag in (door, "127.0.0.1:0")]
    command = [sys.executable, "-m", "observatory.cli.main", "demo", "--print-ready", "--data", str(tmp_path / "demo"), *ports]
    child = await asyncio.create_subprocess_exec(*command, "--history", "40", "--rate", "20", stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        api = f"http://{json.loads(await child.stdout.readline())['listen']}"
        async with asyncio.timeout(30):
            while True:
                names = {row["service_name"] for row in await answers(api, "SELECT DISTINCT service_name FROM spans")}
                counts = (await answers(api, "SELECT (SELECT count(*) FROM logs) logs, (SELECT count(*) FROM traces) traces"))[0]
                if len(names) >= 6 and counts["traces"] > 60 and counts["logs"] > 0:
                    break
        assert "support-assistant" in names
    finally:
        child.terminate()
        code = await child.wait()
    assert code == 0


async def answers(api: str, sql: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "observatory.cli.main", "query", sql, "--url", api, "--json"]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate()
    return json.loads(out)
