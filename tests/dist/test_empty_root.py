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
    """Built from packaging/Dockerfile, and started with its entry point in a root that holds what the image holds."""
    with image.built(tmp_path / "image") as made:
        config = made.config
        assert (config["User"], config["StopSignal"], [*config["Volumes"]]) == ("65534:65534", "SIGTERM", ["/data"])
        assert {*config["ExposedPorts"]} == {"4317/tcp", "4318/tcp", "4319/tcp"}
        assert (made.root / "data").stat().st_uid == 65534, "a new volume takes its owner from here"
        assert {path.name for path in made.root.iterdir()} == {"data", "usr"}
        (program,), (serve, *flags) = config["Entrypoint"], config["Cmd"]
        assert serve == "serve"
        told = happened(tmp_path / "root", made.root, program, *flags)
    check(told)
    assert all("/usr/lib/observatory/" in library for library in told["mapped"])
