"""The README, walked by somebody who only copies what it says: run by `test_walk.py` in a network of its own, as
`unshare --net python walk.py HOME DIST`, so that the ports it names are free and nothing but DIST can be downloaded.

Prints one line of JSON: seconds from the download to the own trace on the page, and to the end.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "browser")]

from drive import chromium  # noqa: E402
from empty_root import loopback  # noqa: E402

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGE = "http://127.0.0.1:4319"


def block(language: str, containing: str) -> str:
    """The one block of the README in that language that has these words."""
    found = [code for code in re.findall(rf"```{language}\n(.*?)```", README, re.S) if containing in code]
    assert len(found) == 1, (containing, len(found))
    return found[0]


class Reader:
    """Somebody at a shell, in a home of their own."""

    def __init__(self, home: Path, releases: str) -> None:
        self.home = home
        venv = home / "venv"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)  # whoever writes Python has one
        path = f"{venv / 'bin'}:{os.environ['PATH']}"
        self.environment = {"PATH": path, "HOME": str(home), "RELEASES": releases, "LANG": "C.UTF-8", "PIP_NO_CACHE_DIR": "1"}

    def types(self, command: str, cwd: Path | None = None) -> None:
        """Run it; it must succeed."""
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=cwd or self.home, env=self.environment, capture_output=True, text=True
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"

    def starts(self, command: str) -> subprocess.Popen[str]:
        """Run it and read until it says how it is stopped."""
        child = subprocess.Popen(command.split(), cwd=self.home, env=self.environment, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        said = iter(child.stdout.readline, "")
        assert any("Ctrl-C stops it" in line for line in said), "it ended"
        return child


def main(home: Path, dist: Path) -> dict[str, float]:
    loopback()
    handler = partial(SimpleHTTPRequestHandler, directory=str(dist))
    handler.func.log_message = lambda *_: None  # type: ignore[method-assign]
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as releases:
        threading.Thread(target=releases.serve_forever, daemon=True).start()
        reader = Reader(home, f"http://127.0.0.1:{releases.server_address[1]}")
        began = time.monotonic()
        told = walk(reader, began)
        releases.shutdown()
    return {**told, "all_s": round(time.monotonic() - began, 2)}


def walk(reader: Reader, began: float) -> dict[str, float]:
    download, start = block("sh", "$RELEASES/observatory").strip().splitlines()
    reader.types(download)
    serving = reader.starts(start)
    told = {"serving_s": round(time.monotonic() - began, 2)}
    try:
        reader.types(block("sh", "resourceSpans").replace("curl ", "curl -fsS "))
        sees(["hello"])
        told["own_trace_on_screen_s"] = round(time.monotonic() - began, 2)
        reader.types(block("sh", "pip install --index-url"))
        (reader.home / "first.py").write_text(block("python", "TracerProvider").replace("chat gpt-4.1", "from python"))
        reader.types("python first.py")
        typescript = reader.home / "first.mjs"
        typescript.write_text(block("typescript", "BasicTracerProvider").replace("chat gpt-4.1", "from typescript"))
        # its packages come from npm's registry, which is not here; the tests have them installed
        reader.types(f'node --input-type=module -e "$(cat {typescript})"', ROOT / "tests/flow/node")
        sees(["hello", "from python", "from typescript"])
        for line in [*block("sh", "./observatory traces").splitlines(), *block("sh", "./observatory doctor").splitlines()]:
            command = line.partition("   #")[0].strip()
            if "demo" not in command:
                reader.types(command.replace("curl ", "curl -fsS ").replace("?", "\\?"))
    finally:
        serving.send_signal(signal.SIGINT)
        assert serving.wait(15) == 0
    return told


def sees(names: list[str]) -> None:
    """Each name is on the page that the README says to open."""
    with chromium() as browser:
        page = browser.new_page()
        page.goto(PAGE)
        page.get_by_role("link", name="Explore").first.click()
        for name in names:
            page.get_by_text(name, exact=True).first.wait_for(timeout=15_000)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
