"""Logs: latest first, narrowed by text, severity and service, whole when opened, live until they are read."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from axe import serious
from drive import Sender
from playwright.sync_api import Page, expect

from observatory.testing.spans import Maker

LINES = ".log-line"


@pytest.fixture(scope="module")
def make() -> Maker:
    return Maker(seed=41)


@pytest.fixture(scope="module", autouse=True)
def stored(make: Maker, sender: Sender) -> str:
    """Lines of two services, one within a span, beside what instrumentations log; the id of that span's trace."""
    span = make.span("POST /pay")
    sender.send(make.spans(span, service="pay"))
    for payload in (
        make.logs(
            "card declined: insufficient funds",
            service="pay",
            span=span,
            severity_number=17,
            severity_text="ERROR",
            attributes={"retry": 2},
        ),
        make.logs({"order": {"id": 7, "items": ["a", "b"]}}, service="pay", severity_number=9),
        make.logs("cache warm", service="cart", severity_number=5, severity_text="DEBUG"),
    ):
        sender.post("logs", payload.protobuf, "application/x-protobuf")
    assert sender.captures("*/*", "logs") > 5
    return span.trace_id.hex()


def test_lines_are_narrowed_and_the_address_says_how(page: Page) -> None:
    page.goto("/logs")
    lines = page.locator(LINES)
    expect(lines).to_have_count(3)
    page.get_by_role("group", name="least severity").get_by_role("button", name="info").click()
    expect(lines).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.insert_text("DECLINED")
    page.keyboard.press("Enter")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("error")
    assert parse_qs(urlsplit(page.url).query) == {"severity": ["info"], "text": ["DECLINED"]}
    page.reload()
    expect(lines).to_have_count(1)
    page.go_back()
    expect(lines).to_have_count(2)
    page.goto("/logs?service=cart")
    expect(lines).to_have_text(re.compile("cache warm"))


def test_a_line_opens_with_all_it_has_and_leads_to_its_trace(page: Page, stored: str) -> None:
    page.goto("/logs?text=declined")
    line = page.locator(LINES)
    line.click()
    whole = page.locator(".log-whole")
    expect(whole).to_contain_text("insufficient funds")
    expect(whole.locator("tr", has_text="retry")).to_contain_text("2")
    expect(whole.locator("tr", has_text="service.name")).to_contain_text("pay")
    whole.get_by_role("link", name="its trace").click()
    expect(page).to_have_url(re.compile(f"/traces/{stored}"))
    expect(page.get_by_role("region", name="span POST /pay")).to_be_visible()


def test_structured_bodies_are_laid_out_when_opened(page: Page) -> None:
    page.goto("/logs?text=order")
    expect(page.locator(LINES)).to_contain_text('{"order":{"id":7,"items":["a","b"]}}')


def test_keys_move_between_lines(page: Page) -> None:
    page.goto("/logs")
    expect(page.locator(LINES)).to_have_count(3)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(LINES).nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(LINES).nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(LINES).nth(0)).to_have_attribute("aria-expanded", "true")


def test_a_new_line_comes_by_itself(page: Page, make: Maker, sender: Sender) -> None:
    page.goto("/logs?service=live")
    expect(page.get_by_role("heading", name="No log record matches")).to_be_visible()
    sender.post("logs", make.logs("just now", service="live").protobuf, "application/x-protobuf")
    expect(page.locator(LINES)).to_have_count(1, timeout=10_000)


def test_all_that_was_ever_logged_is_there(page: Page) -> None:
    page.goto("/logs?range=all")
    expect(page.locator(LINES).nth(20)).to_be_attached()
    page.get_by_role("region", name="log records").evaluate("list => list.scrollTo(0, 400)")
    expect(page.locator(".live")).to_have_text(re.compile("held"))


@pytest.mark.parametrize("search", ["range=all", "text=declined"])  # the second opens a line that leads to its trace
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_of_other_eyes_and_hands(page: Page, theme: str, search: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(f"/logs?{search}")
    page.locator(LINES).first.click()
    expect(page.locator(".log-whole")).to_be_visible()
    assert serious(page) == []
