"""`make screenshots`: docs/screenshots from a living appliance: the demo's applications and what real instrumentations sent."""

from __future__ import annotations

import asyncio
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect

from observatory.cli.traffic.generator import Generator
from observatory.testing.server import ServerProcess
from tests.browser.drive import Sender, asked, chromium

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
LARGEST = 300_000  # bytes; the pictures live in the repository
SIZE = {"width": 1440, "height": 900}


async def traffic(url: str) -> None:
    """An hour of the demo's stories."""
    generator = Generator(url, seed=4)
    await generator.history(300, 3600)
    await generator.close()


def open_page(browser: Browser, server: ServerProcess, theme: str) -> Page:
    context = browser.new_context(viewport=SIZE, base_url=server.api, color_scheme=theme)  # type: ignore[arg-type]
    return context.new_page()


def traces(page: Page) -> None:
    page.goto("/traces")
    expect(page.locator(".table-row").nth(15)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")


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


def status(page: Page) -> None:
    page.goto("/status")
    expect(page.locator(".room").nth(3)).to_be_visible()


def first_run(page: Page) -> None:
    page.goto("/traces")
    expect(page.locator("#way")).to_be_visible()


def shoot(page: Page, name: str) -> None:
    path = FOLDER / f"{name}.png"
    page.mouse.move(1430, 890)
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    assert size < LARGEST, f"{path.name} has {size} bytes"
    print(f"{path.name}  {size // 1000} kB")


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
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
            for theme in ("light", "dark"):
                page = open_page(browser, server, theme)
                traces(page)
                shoot(page, f"traces-{theme}")
                for scene in (trace, transcript, session, sql):
                    scene(page, server)
                    shoot(page, f"{scene.__name__}-{theme}")
            page = open_page(browser, server, "dark")
            status(page)
            shoot(page, "status-dark")


if __name__ == "__main__":
    main()
