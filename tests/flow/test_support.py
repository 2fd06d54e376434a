"""The support archive: what helps is in it, what applications sent and people keep secret is not."""

from __future__ import annotations

import getpass
import json
import socket
import zipfile
from pathlib import Path

import pytest
from house import open_house

from observatory.cli.main import main
from observatory.testing.spans import Maker

CANARY = "canary-7f3a"


async def test_it_holds_how_things_are_and_nothing_that_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    make = Maker(seed=1)
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": f"{CANARY}-model", "gen_ai.provider.name": f"{CANARY}-provider"}
    payload = make.spans(
        make.span(f"{CANARY}-name", attributes={**call, f"{CANARY}.key": f"{CANARY}-value", "user.id": f"{CANARY}-user"}),
        service=f"{CANARY}-service",
    )
    config = tmp_path / "config.toml"
    config.write_text(f'[receivers]\napi_keys = ["{CANARY}-key"]\n')
    monkeypatch.setenv("OBSERVATORY_API__THREADS", "3")
    archive = tmp_path / "support.zip"
    async with open_house(tmp_path) as house:
        assert (await house.http.export(payload)).ok
        at = [word for door, text in house.app.addresses.items() for word in (f"--{door.replace('_', '-')}", text)]
        command = ["doctor", "--bundle", str(archive), "--config", str(config), "--data", str(house.app.settings.server.data), *at]
        assert await asyncio.to_thread(main, command) == 0
    assert "read it before you give it away" in capsys.readouterr().out
    assert archive.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(archive) as opened:
        parts = {Path(name).name: opened.read(name).decode() for name in opened.namelist()}
    secret = (CANARY, socket.gethostname(), *(name for name in (getpass.getuser(),) if name != "root"))
    leaks = [(name, word) for name, text in parts.items() for word in secret if word in text]
    assert leaks == []
    assert all(finding["ok"] for finding in json.loads(parts["findings.json"]))
    assert json.loads(parts["status.json"])["ingest"]["spans"] == 1
    assert "threads = 3" in parts["config.toml"]
    assert 'api_keys = ["***"]' in parts["config.toml"]
    assert parts["environment.txt"] == "OBSERVATORY_API__THREADS\n"
    assert 'observatory_ingest_rows_total{signal="spans"} 1.0' in parts["metrics.txt"]
    assert "manifest.sqlite3" in parts["files.txt"]
    assert json.loads(parts["about.json"])["cpus"] > 0


def test_it_is_written_where_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ports = [flag for door in ("--listen", "--otlp-grpc", "--otlp-http") for flag in (door, "127.0.0.1:0")]
    assert main(["doctor", "--data", str(tmp_path / "none"), *ports, "--bundle"]) == 0
    with zipfile.ZipFile(tmp_path / "observatory-support.zip") as opened:
        assert opened.read("observatory-support/status.json") == b"no appliance answers\n"
        assert b"does not exist" in opened.read("observatory-support/files.txt")


def test_where_it_cannot_be_written_one_sentence_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--data", str(tmp_path), "--listen", "127.0.0.1:0", "--bundle", "/no/such/place.zip"]) == 2
    assert "--bundle: cannot write /no/such/place.zip: No such file or directory" in capsys.readouterr().err
