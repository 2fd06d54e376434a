from __future__ import annotations

import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest
from smalldisk import SmallDisk

from observatory.testing.server import ServerEnded, ServerProcess


def _refusal(server: ServerProcess) -> str:
    """The one sentence with which it does not start."""
    with pytest.raises(ServerEnded) as ended:
        server.start()
    assert ended.value.code == 2, ended.value.stderr
    lines = ended.value.stderr.strip().splitlines()
    assert len(lines) == 1, ended.value.stderr
    assert lines[0].startswith("observatory: ")
    return lines[0]


def test_a_second_instance_on_the_same_data_is_refused_and_the_first_is_unharmed(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as first:
        said = _refusal(ServerProcess(tmp_path / "data"))
        assert str(tmp_path / "data") in said
        assert first.running
    with ServerProcess(tmp_path / "data"):
        pass


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for door in ("--listen", "--otlp-grpc", "--otlp-http"):
            assert address in _refusal(ServerProcess(tmp_path / "data", door, address)), door
    with ServerProcess(tmp_path / "data"):
        pass


def test_a_data_directory_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    assert str(tmp_path / "file" / "data") in _refusal(ServerProcess(tmp_path / "file" / "data"))


def test_a_read_only_data_directory_is_refused(tmp_path: Path) -> None:
    with SmallDisk(tmp_path / "disk", 8, options=",ro") as disk:
        assert str(disk.path) in _refusal(ServerProcess(disk.path / "data", preexec=disk.enter))
        assert str(disk.path) in _refusal(ServerProcess(disk.path, preexec=disk.enter))


def test_data_of_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data"):
        pass
    manifest = tmp_path / "data" / "manifest.sqlite3"
    with sqlite3.connect(manifest) as db:
        db.execute("pragma user_version = 99")
    db.close()
    before = manifest.read_bytes()
    assert "newer" in _refusal(ServerProcess(tmp_path / "data"))
    assert manifest.read_bytes() == before


def test_an_address_others_can_reach_is_refused_without_insecure(tmp_path: Path) -> None:
    assert "--insecure" in _refusal(ServerProcess(tmp_path / "data", "--listen", "0.0.0.0:0"))


def test_every_mistake_of_a_configuration_is_told_at_once(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[storage]\nretention_days = "x"\nretentoin = 3\n[journal]\ncodec = "gzip"\n')
    with pytest.raises(ServerEnded) as ended:
        ServerProcess(tmp_path / "data", "--config", str(config)).start()
    assert ended.value.code == 2
    for path in ("storage.retention_days", "storage.retentoin", "journal.codec"):
        assert path in ended.value.stderr


def test_help_needs_no_data(tmp_path: Path) -> None:
    from observatory.testing.server import _program

    said = subprocess.run([*_program(None), "serve", "--help"], capture_output=True, text=True, cwd=tmp_path, timeout=20)
    assert said.returncode == 0
    assert "--print-ready" in said.stdout
    assert not list(tmp_path.iterdir())
