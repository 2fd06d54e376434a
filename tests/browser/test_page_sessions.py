"""Sessions: their list in the explorer, and one session read as a conversation over its traces."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from axe import serious
from drive import Sender, asked, eventually
from playwright.sync_api import Locator, Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

SECOND = 10**9
ID = "chat/7 ü@x.org"  # as odd as ids are


def said(role: str, text: str) -> dict:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


@pytest.fixture(scope="module", autouse=True)
def stored(server: ServerProcess, sender: Sender) -> None:
    """One session of three traces (one failed, one without a call of a model), one of another user that costs more, captures of an SDK."""
    make = Maker(seed=31)
    start = time.time_ns() - 600 * SECOND

    def trace(session: str, user: str, at: int, history: list, answer: str, tokens: int, error: str | None = None) -> None:
        root = make.span("POST /chat", start_ns=start + at * SECOND, duration_s=2, attributes={"session.id": session, "user.id": user})
        call = make.span(
            "chat gpt-4.1",
            parent=root,
            start_ns=start + at * SECOND + SECOND // 2,
            duration_s=1,
            error=error,
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4.1",
                "gen_ai.usage.input_tokens": tokens,
                "gen_ai.usage.output_tokens": 10,
                "gen_ai.input.messages": json.dumps(history),
                **({} if error else {"gen_ai.output.messages": json.dumps([said("assistant", answer)])}),
            },
        )
        sender.send(make.spans(root, call, service="chat"))

    one = [said("system", "be brief"), said("user", "What is a monad?")]
    two = [*one, said("assistant", "A **monoid**."), said("user", "Shorter.")]
    trace(ID, "u-42", 0, one, "A **monoid**.", 100)
    trace(ID, "u-42", 60, two, "", 200, error="overloaded")
    sender.send(make.spans(make.span("GET /health", start_ns=start + 120 * SECOND, attributes={"session.id": ID}), service="chat"))
    trace("dear", "u-7", 200, one, "ok", 100_000)
    sender.captures("openinference-clients/session_user")
    eventually(
        lambda: {"dear", ID} <= {each["session_id"] for each in asked(server, "sessions")["items"] if each["calls"]}, "both sessions"
    )
    eventually(lambda: [each["traces"] for each in asked(server, "sessions")["items"] if each["session_id"] == ID] == [3], "all its traces")


def rows(page: Page) -> Locator:
    return page.locator(".rows-body .row")


def test_the_list_says_what_each_took(page: Page) -> None:
    page.goto("/sessions")
    expect(rows(page)).to_have_count(2)
    row = rows(page).filter(has_text=ID)
    expect(row).to_contain_text("u-42")
    expect(row.locator("> .number")).to_have_text(["2 m 01 s", "3", "2", "1", "320", "$0.00076"])
    page.get_by_role("button", name="cost").click()
    expect(rows(page).first).to_contain_text("dear")
    page.get_by_role("button", name="cost").click()
    expect(rows(page).first).to_contain_text("chat/7")
    assert parse_qs(urlsplit(page.url).query) == {"of": ["sessions"], "sort": ["cost"]}
    expect(page.get_by_role("columnheader", name="cost")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("navigation", name="pages").get_by_role("link", name="Sessions")).to_have_attribute("aria-current", "page")


def test_an_address_of_the_old_list_leads_to_the_same_rows(page: Page) -> None:
    page.goto("/sessions?user=u-7")
    expect(rows(page)).to_have_count(1)
    page.reload()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("combobox", name="filter").fill("")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(2)
    page.go_back()
    expect(rows(page)).to_have_count(1)


def test_a_session_is_read_as_a_conversation(page: Page) -> None:
    page.goto("/sessions")
    page.get_by_role("link", name=ID).click()
    expect(page.locator(".topbar")).to_contain_text(ID)
    articles = page.get_by_role("feed").get_by_role("article")
    expect(articles).to_have_count(3)
    expect(articles.nth(0)).to_contain_text("What is a monad?")
    expect(articles.nth(0).locator("strong", has_text="monoid")).to_be_visible()
    # of the second turn only what was new is told
    expect(articles.nth(1)).to_contain_text("Shorter.")
    expect(articles.nth(1)).not_to_contain_text("What is a monad?")
    expect(articles.nth(1)).to_contain_text("1 error")
    expect(articles.nth(2)).to_contain_text("no call of a model in it")
    expect(page.locator(".summary")).to_contain_text("3 traces")
    page.reload()
    expect(articles).to_have_count(3)
    articles.nth(0).get_by_role("link", name="POST /chat").click()
    expect(page.locator(".span-row")).to_have_count(2)
    page.get_by_role("link", name=ID).click()
    expect(articles).to_have_count(3)


def test_keys_move_open_and_come_back(page: Page) -> None:
    page.goto("/sessions?sort=-traces")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("feed").get_by_role("article")).to_have_count(3)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/traces/"))
    page.go_back()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="session")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("/logs$"))


def test_nothing_there_teaches_and_leads_on(page: Page) -> None:
    page.goto("/sessions?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z")
    expect(page.get_by_role("heading", name="No sessions in this time range")).to_be_visible()
    expect(page.get_by_text("session.id")).to_be_visible()
    page.get_by_role("button", name="look in all time").click()
    expect(rows(page).nth(2)).to_be_attached()
    page.goto("/sessions/nobody")
    expect(page.get_by_role("heading", name="No such session in this window")).to_be_visible()


def test_a_failing_server_is_said(page: Page) -> None:
    said = {"error": {"code": "internal", "message": "the server failed at this request", "where": ""}}
    page.route(re.compile("/api/v1/sessions"), lambda route: route.fulfill(status=500, json=said))
    page.goto("/sessions")
    expect(page.get_by_role("heading", name="The rows could not be read")).to_be_visible()
    expect(page.get_by_text("the server failed at this request")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_of_other_eyes_and_hands(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto("/sessions?range=all")
    expect(rows(page).nth(2)).to_be_attached()
    assert serious(page) == []
    page.get_by_role("link", name=ID).click()
    expect(page.get_by_text("Shorter.")).to_be_visible()
    assert serious(page) == []
