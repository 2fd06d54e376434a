"""The compiled wheel in an environment of its own; what it needs is borrowed from the one the tests run in, so no index is asked."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path

from observatory.cli import client
from observatory.testing.server import ServerProcess

DIST = Path(__file__).parents[2] / "dist"


def test_it_serves_with_the_decoder_it_brings(tmp_path: Path) -> None:
    (wheel,) = DIST.glob("llm_observatory-*-cp3*-linux_*.whl")
    clean = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", clean], check=True)
    (site,) = clean.glob("lib/python3*/site-packages")
    subprocess.run([clean / "bin/pip", "--isolated", "install", "--quiet", "--no-index", "--no-deps", wheel], check=True)
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    whence = [clean / "bin/python", "-c", "import observatory; print(observatory.__file__)"]
    said = subprocess.run(whence, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    assert Path(said).is_relative_to(site)
    with ServerProcess(tmp_path / "data", binary=str(clean / "bin/observatory")) as server:
        assert client.get(server.api, "/api/v1/status")["decoder"] == "native"
        with urllib.request.urlopen(server.api, timeout=10) as page:
            assert b"<div id=" in page.read()
