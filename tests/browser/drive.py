"""What the page's tests share: Chromium, a page that tells on itself, and ways to send real payloads."""

from __future__ import annotations

import http.client
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, sync_playwright

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Payload

CAPTURES = Path(__file__).parent.parent / "data" / "captures"
STATIC = Path(__file__).parents[2] / "observatory" / "api" / "static"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
DESKTOP = {"width": 1440, "height": 900}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
EXPECTED = (
    "Failed to load resource",  # 404, 410 and a server that is down: the page itself says so, Chromium repeats it
    "Canvas2D: Multiple readback",  # the tests look at pixels
)

T = TypeVar("T")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a sandbox (tests run as root in containers) and with scroll bars, as people have them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--hide-scrollbars"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page whose mistakes are collected: requests that leave the machine, script errors, refusals of the security policy."""

    page: Page
    strangers: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._request)
        self.page.on("pageerror", lambda error: self.mistakes.append(str(error)))
        self.page.on("console", self._console)

    def _request(self, request: Request) -> None:
        where = urlsplit(request.url)
        if where.scheme in ("http", "https", "ws", "wss") and where.hostname != "127.0.0.1":
            self.strangers.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            self.mistakes.append(message.text)


class Sender:
    """One connection to OTLP/HTTP; every request must be taken."""

    def __init__(self, server: ServerProcess) -> None:
        self._connection = http.client.HTTPConnection(server.addresses["otlp_http"], timeout=30)

    def send(self, payload: Payload) -> None:
        self.post("traces", payload.protobuf, "application/x-protobuf")

    def post(self, signal: str, body: bytes, content_type: str) -> None:
        self._connection.request("POST", f"/v1/{signal}", body, {"Content-Type": content_type})
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == 200, (answer.status, said[:500])

    def captures(self, pattern: str = "*/*") -> int:
        """Recorded trace requests of real instrumentations, byte for byte; how many there were."""
        files = sorted(path for path in CAPTURES.glob(f"{pattern}/*.traces.*") if path.suffix in (".pb", ".json"))
        for path in files:
            self.post("traces", path.read_bytes(), "application/json" if path.suffix == ".json" else "application/x-protobuf")
        return len(files)

    def close(self) -> None:
        self._connection.close()


def eventually(ask: Callable[[], T], what: str, at_most_s: float = 10.0) -> T:
    """The first answer that is true; for what neither the page nor the server tells by an event."""
    deadline = time.monotonic() + at_most_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {at_most_s:g} s: {what}; last answer {answer!r}"
        time.sleep(0.02)
    return answer


def drawn(canvas: Locator) -> dict[str, int]:
    """How many pixels of a canvas are painted in each colour, as `r,g,b`; pixels that are see-through do not count."""
    return canvas.evaluate(
        """canvas => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const counts = {};
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3] < 255) continue;
                const key = `${data[i]},${data[i + 1]},${data[i + 2]}`;
                counts[key] = (counts[key] ?? 0) + 1;
            }
            return counts;
        }"""
    )


def colour(page: Page, token: str) -> str:
    """A colour of the theme as `r,g,b`."""
    return page.evaluate(
        """token => {
            const probe = document.createElement("i");
            probe.style.color = `var(--${token})`;
            document.body.append(probe);
            const said = getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).join(",");
            probe.remove();
            return said;
        }""",
        token,
    )


AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def accessible(page: Page) -> list[str]:
    """What axe finds against WCAG A and AA on a page as it is, of serious and critical findings: rule, target and why."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        """async () => (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] })).violations
            .filter(({ impact }) => impact === "serious" || impact === "critical")
            .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(node => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`))"""
    )
    return list(found)
