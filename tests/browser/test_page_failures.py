"""A server that fails, that is gone, or that says what the page does not understand: each has its own words, and a way on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe import serious
from drive import DESKTOP, Sender
from playwright.sync_api import Browser, Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

PAGES = {
    "/": ("The figures could not be read", "Send the first trace"),
    "/explore": ("The rows could not be read", "Send the first trace"),
    "/users": ("The users could not be read", "Send the first trace"),
    "/models": ("The models could not be read", "Send the first trace"),
    "/cost": ("The costs could not be read", "Send the first trace"),
    "/errors": ("The errors could not be read", "Send the first trace"),
    "/logs": ("The log could not be read", "No log record in this window"),
    "/status": ("The status could not be read", "journal"),
    "/settings": ("The settings could not be read", "data"),
    "/sessions/nobody": ("The session could not be read", "No such session in this window"),
    f"/traces/{'ab' * 16}": ("The trace could not be read", "No such trace"),
}
API = re.compile("/api/v1/(?!logs/tail|.*live)")
SAID = {"error": {"code": "internal", "message": "the server failed at this request; its log says why", "where": ""}}


@pytest.mark.parametrize("path", PAGES)
def test_a_failing_server_is_said_and_asked_again(page: Page, path: str) -> None:
    title, there = PAGES[path]
    page.route(API, lambda route: route.fulfill(status=500, json=SAID))
    page.goto(path)
    notice = page.locator(".notice").filter(has=page.get_by_role("heading", name=title))
    expect(notice).to_contain_text("the server failed at this request; its log says why")
    expect(notice).to_contain_text("500 internal")
    assert serious(page) == []
    page.unroute(API)
    notice.get_by_role("button", name="try again").click()
    expect(notice).to_have_count(0)
    expect(page.locator("main").get_by_text(there).first).to_be_visible()


def test_an_answer_that_is_not_understood_breaks_one_page_only(browser: Browser, server: ServerProcess) -> None:
    sender = Sender(server)
    sender.send(Maker(seed=1).trace(service="shop"))
    sender.close()
    with unwatched(browser, server) as page:  # the browser logs the mistake, as it should
        page.route(re.compile("/api/v1/llm/"), lambda route: route.fulfill(json={"items": 7}))
        page.goto("/models")
        expect(page.get_by_role("heading", name="This page could not be shown")).to_be_visible()
        expect(page.locator(".notice pre")).not_to_be_empty()
        assert serious(page) == []
        page.get_by_role("link", name="Logs").click()
        expect(page.get_by_role("heading", name="No log record in this window")).to_be_visible()


def test_a_page_that_was_never_loaded_waits_for_the_server(browser: Browser, tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, unwatched(browser, server) as page:
        page.goto("/explore")
        expect(page.get_by_role("heading", name="Send the first trace")).to_be_visible()
        server.terminate()
        server.wait()
        expect(page.get_by_role("alert")).to_contain_text("does not answer")
        page.get_by_role("link", name="SQL").click()
        expect(page.get_by_role("heading", name="This page has not been loaded yet")).to_be_visible()
        expect(page).to_have_url(re.compile("/sql"))
        with ServerProcess(server.data_dir, "--listen", server.addresses["listen"]):
            expect(page.get_by_role("button", name="run", exact=True)).to_be_visible(timeout=15_000)
            expect(page.get_by_role("alert")).to_have_count(0)


def test_a_link_that_was_only_pointed_at_reloads_nothing(browser: Browser, tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, unwatched(browser, server) as page:
        page.goto("/explore")
        expect(page.get_by_role("heading", name="Send the first trace")).to_be_visible()
        page.evaluate("window.first = true")
        server.terminate()
        server.wait()
        with page.expect_event("requestfailed", lambda request: request.resource_type in ("script", "stylesheet")):
            page.get_by_role("link", name="SQL").hover()
        with ServerProcess(server.data_dir, "--listen", server.addresses["listen"]):
            for _ in range(3):  # by then something answered whoever asked
                with page.expect_response("**/api/v1/status"):
                    pass
            assert page.evaluate("window.first")
            page.get_by_role("link", name="SQL").click()
            expect(page.get_by_role("button", name="run", exact=True)).to_be_visible()


@contextmanager
def unwatched(browser: Browser, server: ServerProcess) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP, base_url=server.api, color_scheme="dark")  # type: ignore[arg-type]
    yield context.new_page()
    context.close()
