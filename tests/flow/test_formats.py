"""Every data directory that a released version wrote is opened by this one, and nothing in it is lost."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from pathlib import Path

import pytest
from write_format import FORMATS, KEPT, everything, found

from observatory.cli.main import main
from observatory.storage.migrate import FORMAT
from observatory.testing.server import ServerEnded, ServerProcess
from observatory.testing.spans import Maker

WRITTEN = sorted(FORMATS.glob("*.tar.xz"))


@pytest.fixture(params=WRITTEN, ids=lambda path: f"format {path.name.split('.')[0]}")
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, list[list[object]]]]:
    """A directory as it was left, and what is in it."""
    with tarfile.open(request.param) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / "data", json.loads(request.param.with_name(request.param.name.replace("tar.xz", "json")).read_text())


def test_the_present_format_is_among_them() -> None:
    assert f"{FORMAT}.tar.xz" in {path.name for path in WRITTEN}, "write it: python tests/flow/write_format.py"


def test_everything_in_it_is_found(old: tuple[Path, dict[str, list[list[object]]]]) -> None:
    data, expected = old
    with ServerProcess(data, env=KEPT) as server:
        assert found(server) == expected
        everything(server, Maker(seed=12))
        assert len(found(server)["spans"]) == len(expected["spans"]) + 8
    assert all(expected.values()), "a fixture without rows proves nothing"


def test_doctor_finds_nothing_wrong_in_it(
    old: tuple[Path, dict[str, list[list[object]]]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEPT.items():
        monkeypatch.setenv(name, value)
    ports = [flag for door in ("--listen", "--otlp-grpc", "--otlp-http") for flag in (door, "127.0.0.1:0")]
    assert main(["doctor", "--data", str(old[0]), *ports]) == 0, capsys.readouterr().out


def test_a_newer_one_is_refused_in_one_sentence(old: tuple[Path, dict[str, list[list[object]]]]) -> None:
    with sqlite3.connect(old[0] / "manifest.sqlite3") as db:
        db.execute(f"PRAGMA user_version = {FORMAT + 1}")
    db.close()
    with pytest.raises(ServerEnded) as ended:
        ServerProcess(old[0]).start()
    assert ended.value.code == 2
    assert ended.value.stderr == (
        f"observatory: {old[0]} was written by a newer version (format {FORMAT + 1}, this one knows {FORMAT}); use that version\n"
    )
