"""A server and a browser for each file, a watched page for each test. All of it is skipped by `-m "not browser"`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from drive import DESKTOP, STATIC, Sender, Watched, chromium
from playwright.sync_api import Browser, Page

from observatory.testing.server import ServerProcess

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert (STATIC / "index.html").is_file(), "the page is not built: run make web"
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("page") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def sender(server: ServerProcess) -> Iterator[Sender]:
    made = Sender(server)
    yield made
    made.close()


@pytest.fixture
def watched(browser: Browser, server: ServerProcess) -> Iterator[Watched]:
    """A page of its own storage. Afterwards: nothing left this machine, no script failed, the security policy refused nothing."""
    context = browser.new_context(
        viewport=DESKTOP, base_url=server.api, color_scheme="light", permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(10_000)
    watched = Watched(context.new_page())
    yield watched
    context.close()
    assert watched.strangers == []
    assert watched.mistakes == []


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page
