"""The executable in an empty root: no Python, no C library, no network but loopback, nothing writable but the data directory, not root."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import image
import pytest

DRIVER = Path(__file__).with_name("empty_root.py")


def happened(root: Path, source: Path, program: str, *flags: str) -> dict[str, Any]:
    """What `empty_root.py` says."""
    root.mkdir()
    command = ["unshare", "--mount", "--net", sys.executable, str(DRIVER), str(root), str(source), program, *flags]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def check(told: dict[str, Any]) -> None:
    assert told["user"] == 65534
    assert told["names"] == ["by grpc", "by http"]
    assert told["page"].startswith("Traces") or "Observatory" in told["page"]
    assert told["decoder"] == "native"
    assert told["ended"] == 0
    assert "stopped; everything that was acknowledged is on disk" in told["log"]
    assert "Traceback" not in told["log"]


@pytest.mark.browser
def test_the_one_file_needs_nothing_but_itself(executable: Path, tmp_path: Path) -> None:
    told = happened(tmp_path / "root", executable, "/observatory")
    assert told["files"] == ["data", "dev", "dev/null", "dev/urandom", "observatory"]
    check(told)
    assert all("/data/runtime/" in library for library in told["mapped"])
    assert any("/glibc/libc.so.6" in library for library in told["mapped"])


@pytest.mark.browser
def test_the_container_image_is_complete(tmp_path: Path) -> None:
    """Laid out and started as packaging/Dockerfile says, by its own words; only Docker is not there."""
    made = image.build(tmp_path / "context", tmp_path / "image")
    assert (made.user, made.volumes, made.ports, made.stop) == ("65534:65534", ["/data"], [4317, 4318, 4319], "SIGTERM")
    assert (made.root / "data").stat().st_uid == 65534, "a new volume takes its owner from here"
    assert {path.name for path in made.root.iterdir()} == {"data", "usr"}
    (program,), (serve, *flags) = made.entrypoint, made.command
    assert serve == "serve"
    told = happened(tmp_path / "root", made.root, program, *flags)
    check(told)
    assert all("/usr/lib/observatory/" in library for library in told["mapped"])
