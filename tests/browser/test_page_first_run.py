"""From an empty page to the first trace by the very lines it shows; and a server that goes away and comes back."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from drive import Sender, eventually
from playwright.sync_api import Browser, Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

ROWS = ".rows-body [role=row]"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """Each test begins with a server that never received anything."""
    with ServerProcess(tmp_path / "data") as running:
        yield running


def lines(page: Page, way: str) -> str:
    """What the copy button puts into the clipboard."""
    page.get_by_role("tab", name=way, exact=True).click()
    page.get_by_role("button", name=f"copy the lines for {way}").click()
    shown = page.locator("#way pre").inner_text()
    eventually(lambda: page.evaluate("navigator.clipboard.readText()") == shown, "the lines in the clipboard")
    return shown


def test_the_page_waits_and_turns_into_the_first_trace(page: Page, server: ServerProcess) -> None:
    page.goto("/explore")
    expect(page.get_by_role("heading", name="Send the first trace")).to_be_visible()
    expect(page.get_by_text("listening, 0 spans received")).to_be_visible()
    expect(page.get_by_text(server.otlp_http, exact=True).first).to_be_visible()
    assert server.otlp_http in lines(page, "TypeScript")
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT={server.otlp_http}" in lines(page, "already instrumented")
    command = lines(page, "curl")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(".row-name")).to_have_text("hello from curl")
    expect(page.locator(f"{ROWS} .cell-service")).to_have_text("my-app")


def test_the_python_lines_work_as_they_stand(page: Page) -> None:
    page.goto("/explore")
    program = lines(page, "Python")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "rror" not in done.stderr, done.stderr
    expect(page.locator(".row-name")).to_have_text("hello from Python")


def test_a_lost_connection_dims_keeps_what_is_shown_and_comes_back(
    browser: Browser, page: Page, tmp_path: Path, server: ServerProcess
) -> None:
    sender = Sender(server)
    sender.send(Maker(seed=1).trace(service="before"))
    sender.close()
    page.goto("/explore")
    expect(page.locator(ROWS)).to_have_count(1)

    server.terminate()
    server.wait()
    banner = page.get_by_role("alert").filter(has_text="The observatory does not answer")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text(re.compile(r"since \d\d:\d\d:\d\d"))
    expect(page.locator("main.is-lost")).to_be_visible()
    expect(page.locator(ROWS)).to_have_count(1)

    with ServerProcess(server.data_dir, "--listen", server.addresses["listen"], "--otlp-http", server.addresses["otlp_http"]) as again:
        expect(banner).to_have_count(0, timeout=15_000)
        expect(page.locator("main.is-lost")).to_have_count(0)
        sender = Sender(again)
        sender.send(Maker(seed=2).trace(service="after"))
        sender.close()
        expect(page.locator(ROWS)).to_have_count(2)
        page.close()


def test_a_page_loaded_while_nothing_answers_waits_for_the_api(page: Page, server: ServerProcess) -> None:
    page.route(re.compile("/api/"), lambda route: route.abort("connectionrefused"))
    page.goto("/explore")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.unroute(re.compile("/api/"))
    expect(page.get_by_role("heading", name="Send the first trace")).to_be_visible()
