"""`make screenshots`: docs/screenshots from a living appliance: the demo's applications and what real instrumentations sent."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect

from observatory.cli.traffic.generator import Generator
from observatory.testing.server import ServerProcess
from tests.browser.drive import Sender, asked, chromium

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
LARGEST = 300_000  # bytes; the pictures live in the repository
SIZE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
DAY = 86_400


async def traffic(url: str) -> None:
    """Nine days of the demo's stories, the last of them busier."""
    generator = Generator(url, seed=4)
    await generator.history(700, 9 * DAY)
    await generator.history(500, DAY)
    await generator.history(80, 900)
    await generator.close()


def open_page(browser: Browser, server: ServerProcess, theme: str, size: dict[str, int] = SIZE) -> Page:
    context = browser.new_context(viewport=size, base_url=server.api, color_scheme=theme)  # type: ignore[arg-type]
    return context.new_page()


def overview(page: Page, server: ServerProcess) -> None:
    page.goto("/?range=7d")
    expect(page.locator(".barlist-value").nth(30)).to_be_visible(timeout=20_000)


def explore(page: Page, server: ServerProcess) -> None:
    """Calls of one application, one of them open, a value about to be completed."""
    page.goto("/explore?range=24h&of=calls&live=off&q=application:support-assistant operation:chat")
    expect(page.locator(".rows-body .row").nth(9)).to_be_visible()
    page.locator(".rows-body .row").nth(2).click(position={"x": 300, "y": 10})
    expect(page.locator(".row-message").nth(1)).to_be_visible()


def traces(page: Page, server: ServerProcess) -> None:
    page.goto("/explore?range=24h&live=off")
    expect(page.locator(".rows-body .row").nth(9)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("service:")
    expect(page.get_by_role("option").nth(4)).to_be_visible()


def trace(page: Page, server: ServerProcess) -> None:
    """The largest trace of a request through several services, one of its model calls open."""
    found = asked(server, "traces?service=shop-gateway&sort=-span_count&limit=1")["items"][0]
    page.goto(f"/traces/{found['trace_id']}?view=waterfall")
    page.locator(".span-row:has(.span-dot.is-llm)").first.click()
    expect(page.get_by_role("tabpanel").locator(".turn").first).to_be_visible()


def transcript(page: Page, server: ServerProcess) -> None:
    """An agent that asks others."""
    found = asked(server, "traces?filter=" + quote('name="invoke_workflow research"') + "&sort=-span_count&limit=1")["items"][0]
    page.goto(f"/traces/{found['trace_id']}")
    expect(page.locator(".transcript .part-card").first).to_be_visible()


def session(page: Page, server: ServerProcess) -> None:
    """The session of most traces."""
    found = asked(server, "sessions?sort=-traces&limit=1")["items"][0]
    page.goto(f"/sessions/{quote(found['session_id'], safe='')}?range=all")
    expect(page.locator(".turn.is-answer").first).to_be_visible()


def sql(page: Page, server: ServerProcess) -> None:
    """Cost by model."""
    page.goto("/sql")
    page.get_by_role("button", name="cost and tokens by model").click()
    expect(page.get_by_role("region", name="result")).to_be_visible()


def models(page: Page, server: ServerProcess) -> None:
    page.goto("/models?range=7d")
    expect(page.locator(".compare canvas").nth(5)).to_be_attached(timeout=20_000)
    page.locator("tbody tr").first.get_by_role("button").click()
    expect(page.locator(".price dl div").first).to_be_visible()
    expect(page.locator(".model-detail .barlist-value").nth(3)).to_be_visible()


def cost(page: Page, server: ServerProcess) -> None:
    page.goto("/cost?range=7d")
    expect(page.locator(".matrix tbody tr").nth(4)).to_be_visible(timeout=20_000)


def users(page: Page, server: ServerProcess) -> None:
    page.goto("/users?range=7d")
    expect(page.locator("tbody tr").nth(4)).to_be_visible()
    page.locator("tbody tr").first.get_by_role("button").click()
    expect(page.locator(".user-detail .barlist-value").nth(6)).to_be_visible()


def errors(page: Page, server: ServerProcess) -> None:
    page.goto("/errors?range=7d")
    expect(page.locator(".error-what").nth(6)).to_be_visible()


def status(page: Page, server: ServerProcess) -> None:
    page.goto("/status")
    expect(page.locator(".room").nth(3)).to_be_visible()


def first_run(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#way")).to_be_visible()


@dataclass(frozen=True)
class Picture:
    """A scene, the theme and the size it is taken in; the name says the theme, and the size where it is not the usual."""

    scene: Callable[[Page, ServerProcess], None]
    theme: str = "light"
    size: str = ""

    @property
    def name(self) -> str:
        return "-".join(part for part in (self.scene.__name__.replace("_", "-"), self.size, self.theme) if part)


PICTURES = (
    *(Picture(scene, theme) for scene in (overview, explore, trace, transcript, session, sql) for theme in ("light", "dark")),
    Picture(traces, "light"),
    Picture(models, "dark"),
    Picture(cost, "light"),
    Picture(users, "light"),
    Picture(errors, "dark"),
    Picture(status, "dark"),
    Picture(overview, "light", "phone"),
)


def shoot(page: Page, name: str) -> None:
    path = FOLDER / f"{name}.png"
    page.mouse.move(1430, 890)
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    assert size < LARGEST, f"{path.name} has {size} bytes"
    print(f"{path.name}  {size // 1000} kB")


def main() -> None:
    """Write every picture, and nothing else stays."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=30_000)  # nothing here is measured
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        with ServerProcess(Path(home) / "empty") as server:
            page = open_page(browser, server, "light")
            first_run(page)
            shoot(page, "first-run-light")
        config = Path(home) / "config.toml"
        config.write_text("[cut]\nsegment_age_s = 2.0\n")  # so that traces are seen as they are after half a minute
        with ServerProcess(Path(home) / "data", "--config", str(config)) as server:
            begin = time.monotonic()
            # in a thread: Playwright's own loop runs in this one
            with ThreadPoolExecutor(1) as beside:
                beside.submit(asyncio.run, traffic(server.otlp_http)).result()
            sender = Sender(server)
            sender.captures()
            sender.close()
            print(f"traffic sent in {time.monotonic() - begin:.1f} s")
            page = open_page(browser, server, "dark")
            page.goto("/status")
            expect(page.locator(".room dl div", has_text="open rows").locator("dd")).to_have_text("0", timeout=30_000)
            for picture in PICTURES:
                page = open_page(browser, server, picture.theme, PHONE if picture.size == "phone" else SIZE)
                picture.scene(page, server)
                shoot(page, picture.name)
                page.context.close()


if __name__ == "__main__":
    main()
