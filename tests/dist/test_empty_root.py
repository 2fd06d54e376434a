"""The executable in an empty root: no Python, no C library, no network but loopback, nothing writable but the data directory, not root."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).with_name("empty_root.py")


def happened(root: Path, program: str, source: Path) -> dict[str, Any]:
    """What `empty_root.py` says."""
    root.mkdir()
    command = ["unshare", "--mount", "--net", sys.executable, str(DRIVER), str(root), program, str(source)]
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
    told = happened(tmp_path / "root", "/observatory", executable)
    assert told["files"] == ["data", "dev", "dev/null", "dev/urandom", "observatory"]
    check(told)
    assert all("/data/runtime/" in library for library in told["mapped"])
    assert any("/glibc/libc.so.6" in library for library in told["mapped"])


@pytest.mark.browser
def test_the_packages_tree_is_an_image_by_itself(tmp_path: Path) -> None:
    """What the Debian package installs is all that a container image needs."""
    (package,) = (Path(__file__).parents[2] / "dist").glob("observatory_*_amd64.deb")
    tree = tmp_path / "tree"
    subprocess.run(["dpkg-deb", "--extract", package, tree], check=True)
    told = happened(tmp_path / "root", "/usr/bin/observatory", tree)
    check(told)
    assert all("/usr/lib/observatory/" in library for library in told["mapped"])
