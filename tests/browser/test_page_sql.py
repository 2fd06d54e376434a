"""SQL: a query is run, its answer read as table and picture, its mistakes told; queries are saved on the server for everyone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from axe import serious
from drive import Sender, asked, eventually
from playwright.sync_api import Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

WEB = Path(__file__).parents[2] / "web" / "src" / "sql"


@pytest.fixture(scope="module", autouse=True)
def stored(server: ServerProcess, sender: Sender) -> None:
    make = Maker(seed=51)
    for service in ("shop", "desk", "desk"):
        sender.send(make.trace(service=service))
    eventually(lambda: len(asked(server, "traces")["items"]) == 3, "the traces in the list")


def written(page: Page, query: str) -> None:
    page.get_by_role("textbox", name="SQL query").fill(query)
    page.keyboard.press("Control+Enter")


def test_a_query_is_run_and_its_link_shows_the_same(page: Page) -> None:
    page.goto("/sql")
    written(page, "SELECT service_name, count(*) AS traces, NULL AS nothing FROM traces GROUP BY ALL ORDER BY traces DESC")
    result = page.get_by_role("region", name="result")
    expect(result.locator("tbody tr")).to_have_text([re.compile("desk2null"), re.compile("shop1null")])
    expect(page.get_by_role("status").filter(has_text="2 rows")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["q"][0].startswith("SELECT service_name")
    page.reload()
    expect(result.locator("tbody tr")).to_have_count(2)
    page.get_by_role("button", name="copy as CSV").click()
    eventually(
        lambda: page.evaluate("navigator.clipboard.readText()") == "service_name,traces,nothing\r\ndesk,2,\r\nshop,1,\r\n",
        "CSV in the clipboard",
    )


def test_ids_lead_to_traces(page: Page, server: ServerProcess) -> None:
    page.goto("/sql?q=" + quote("SELECT trace_id, span_id, name FROM spans WHERE parent_span_id IS NOT NULL LIMIT 1"))
    row = page.get_by_role("region", name="result").locator("tbody tr")
    row.get_by_role("link").nth(1).click()
    expect(page).to_have_url(re.compile(r"/traces/[0-9a-f]{32}\?span=[0-9a-f]{16}"))
    expect(page.get_by_role("region", name=re.compile("^span "))).to_be_visible()


def test_mistakes_are_told_with_their_place(page: Page) -> None:
    page.goto("/sql")
    written(page, "SELECT nmae FROM spans")
    expect(page.get_by_role("alert")).to_contain_text("nmae")
    written(page, "DELETE FROM spans")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("SELECT", re.I))
    written(page, "SELECT 1 AS one")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("region", name="result")).to_contain_text("1")


def test_a_long_answer_is_cut_and_says_so_and_scrolls(page: Page) -> None:
    page.goto("/sql?q=" + quote("SELECT i, repeat('x', 400) AS long FROM range(20000) t(i)"))
    expect(page.get_by_text("there are more rows than are shown")).to_be_visible()
    result = page.get_by_role("region", name="result")
    assert result.locator("tbody tr").count() < 120, "only what is seen exists"
    result.evaluate("list => list.scrollTo(0, list.scrollHeight)")
    expect(result.locator("tbody tr", has_text="9999")).to_be_visible()


def test_a_running_query_is_stopped(page: Page) -> None:
    page.goto("/sql")
    written(page, "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE a.range % 7 = b.range % 5")
    page.get_by_role("button", name="stop").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(page.get_by_role("button", name="run", exact=True)).to_be_enabled()


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("SELECT service_name, count(*) AS traces FROM traces GROUP BY ALL", "ul.quick-bars li"),
        ("SELECT start_time, duration_ms FROM spans", "path.quick-line"),
    ],
)
def test_an_answer_is_drawn(page: Page, query: str, form: str) -> None:
    page.goto("/sql?q=" + quote(query))
    page.get_by_role("group", name="result as").get_by_role("button", name="chart").click()
    expect(page.locator(form).first).to_be_visible()


def test_the_schema_opens_and_puts_names_into_the_query(page: Page) -> None:
    page.goto("/sql")
    schema = page.get_by_role("region", name="schema")
    schema.get_by_role("button", name=re.compile("^feedback")).click()
    expect(schema.get_by_role("button", name=re.compile("^score"))).to_be_visible()
    page.get_by_role("textbox", name="SQL query").fill("SELECT ")
    schema.get_by_role("button", name=re.compile("^score")).click()
    expect(page.get_by_role("textbox", name="SQL query")).to_have_value("SELECT score")


def test_queries_are_saved_for_everyone(page: Page, server: ServerProcess) -> None:
    page.goto("/sql")
    page.get_by_role("textbox", name="SQL query").fill("SELECT 42 AS answer")
    name = page.get_by_role("textbox", name="name of the query")
    name.fill("the answer / all")
    page.get_by_role("button", name="save").click()
    saved = page.get_by_role("region", name="saved queries")
    expect(saved.get_by_role("button", name="the answer / all", exact=True)).to_be_visible()
    assert asked(server, "saved/query")["items"][0]["body"] == {"query": "SELECT 42 AS answer"}
    page.goto("/sql")
    saved.get_by_role("button", name="the answer / all", exact=True).click()
    expect(page.get_by_role("region", name="result")).to_contain_text("42")
    expect(page.get_by_role("button", name="replace")).to_be_enabled()
    saved.get_by_role("button", name="delete the answer / all").click()
    expect(saved.get_by_text("none yet")).to_be_visible()
    assert asked(server, "saved/query")["items"] == []


def test_every_example_runs(page: Page) -> None:
    examples = re.findall(r'name: "([^"]+)"', (WEB / "examples.ts").read_text())
    assert len(examples) >= 5
    for example in examples:
        page.goto("/sql")
        with page.expect_response(re.compile("/api/v1/sql")) as answer:
            page.get_by_role("button", name=example).click()
        assert answer.value.status == 200, json.dumps(answer.value.json())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_of_other_eyes_and_hands(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto("/sql?q=" + quote("SELECT name, count(*) AS spans, NULL AS nothing FROM spans GROUP BY ALL"))
    expect(page.get_by_role("region", name="result")).to_be_visible()
    page.get_by_role("region", name="schema").get_by_role("button", name=re.compile("^feedback")).click()
    assert serious(page) == []
    page.get_by_role("group", name="result as").get_by_role("button", name="chart").click()
    expect(page.locator(".quick-bars")).to_be_visible()
    assert serious(page) == []
