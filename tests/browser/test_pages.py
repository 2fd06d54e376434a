"""Every page with real payloads in both themes: it shows what was sent, is accessible, leads to rows, and attacks in it are inert."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe import serious
from drive import DESKTOP, Sender, Watched, asked as asked_of, colour, drawn, eventually
from playwright.sync_api import Browser, Page, Route, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

ATTACKS = (
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "javascript:document.title='owned'",
    '"><svg onload="document.title=\'owned\'">',
    "{{constructor.constructor('document.title=1')()}}",
    "‮gnp.exe\u0000".replace("\u0000", ""),
)
PAGES = {
    "/": ".barlist-value",
    "/explore": ".rows-body .row",
    "/explore?of=calls": ".rows-body .row",
    "/explore?of=spans": ".rows-body .row",
    "/explore?of=sessions": ".rows-body .row",
    "/users": "tbody tr",
    "/models": "tbody tr",
    "/cost": ".matrix tbody tr",
    "/errors": ".error-what",
    "/status": ".room",
}
"""What stands on each page when it has something to show."""

RANGE = "range=7d"


@pytest.fixture(scope="module", autouse=True)
def stored(server: ServerProcess, sender: Sender) -> None:
    """Recordings of real instrumentations, calls of today, failures, and attacks in every name."""
    assert sender.captures() > 150
    make = Maker(seed=5)
    for number in range(6):
        sender.send(make.trace(service="shop", error="the model timed out" if number % 3 == 0 else None))
    for attack in ATTACKS:
        spans = [
            make.span(f"{attack} root", error=f"{attack}: failed"),
            make.span(
                attack,
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": attack,
                    "gen_ai.provider.name": "openai",
                    "gen_ai.usage.input_tokens": 10,
                    "gen_ai.usage.output_tokens": 5,
                    "user.id": attack,
                    "session.id": attack,
                    "gen_ai.conversation.id": attack,
                    attack: attack,
                },
                error=attack,
            ),
        ]
        sender.send(make.spans(*spans, service=attack))


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, server: ServerProcess) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP, base_url=server.api, color_scheme=request.param)
    context.set_default_timeout(15_000)
    watched = Watched(context.new_page())
    yield watched.page
    context.close()
    assert watched.strangers == []
    assert watched.mistakes == []


def with_range(path: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{RANGE}"


def settled(page: Page, path: str) -> None:
    page.goto(with_range(path))
    expect(page.locator(PAGES[path]).first).to_be_visible(timeout=20_000)
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=20_000)


def test_every_page_is_accessible_and_attacks_in_it_are_inert(themed: Page) -> None:
    barriers: dict[str, list[str]] = {}
    for path in PAGES:
        settled(themed, path)
        barriers |= {path: found} if (found := serious(themed)) else {}
        assert themed.title() == "LLM Observatory", path
        assert themed.locator("main img, main script, main svg[onload]").count() == 0, path
    assert barriers == {}


def test_what_the_address_asks_is_asked_once_and_before_the_page_is_there(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto("/explore?of=calls&live=off")
    expect(page.locator(".rows-body .row").first).to_be_visible(timeout=20_000)
    assert asked.count("/api/v1/llm/calls") == 1
    script = next(place for place, path in enumerate(asked) if path.startswith("/assets/app-"))
    assert asked.index("/api/v1/llm/calls") < script
    asked.clear()
    settled(page, "/")
    script = next(place for place, path in enumerate(asked) if path.startswith("/assets/app-"))
    assert {"/api/v1/status", "/api/v1/llm/summary", "/api/v1/llm/forecast"} <= set(asked[:script])


def test_a_chart_of_a_single_bucket_is_drawn(page: Page, server: ServerProcess) -> None:
    start = asked_of(server, "llm/calls?limit=1&filter=service:shop")["items"][0]["start"][:16]
    page.goto(f"/?from={start}:00Z&to={start}:59Z")
    calls = page.locator(".chart", has=page.get_by_role("heading", name="Calls", exact=True)).locator("canvas")
    expect(calls).to_be_visible(timeout=20_000)
    wanted = {colour(page, "series-1"), colour(page, "kind-error")}
    eventually(lambda: any(drawn(calls).get(each, 0) > 100 for each in wanted), "a bar is drawn")


def test_every_page_is_one_that_a_phone_can_read(browser: Browser, server: ServerProcess) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, base_url=server.api)
    page = context.new_page()
    for path in PAGES:
        settled(page, path)
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, path
    context.close()


def test_figures_of_the_overview_lead_to_their_rows(page: Page) -> None:
    settled(page, "/")
    figure = page.locator(".figure", has=page.get_by_role("heading", name="failed calls"))
    figure.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/explore\?range=7d&of=calls&q=status:error"))
    expect(page.locator(".rows-body .row").first).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="shop", exact=True).first.click()
    expect(page).to_have_url(re.compile("of=calls&q=application:shop&sort=-cost"))
    expect(page.locator(".rows-body .row").first).to_be_visible()


def test_an_unpriced_model_is_never_free(page: Page) -> None:
    settled(page, "/models")
    row = page.locator("tr", has=page.get_by_text("<script>document.title='owned'</script>", exact=True))
    expect(row.locator("td").last).to_have_text(re.compile("—\\s*unpriced"))
    row.get_by_role("button").click()
    expect(page.get_by_text("No price is known for this model")).to_be_visible()
    page.get_by_role("link", name="Cost").click()
    expect(page.get_by_role("heading", name=re.compile("calls have no known price"))).to_be_visible()


def test_models_are_compared_side_by_side(page: Page) -> None:
    settled(page, "/models")
    boxes = page.get_by_role("checkbox")
    assert boxes.count() > 4
    expect(page.get_by_role("img", name=re.compile("^Latency p95"))).to_be_visible()
    boxes.nth(4).check()
    expect(page).to_have_url(re.compile("pick="))
    expect(page.locator(".compare .legend").first.locator("li")).to_have_count(4)


def test_cost_is_attributed_by_any_two_dimensions(page: Page) -> None:
    settled(page, "/cost")
    page.get_by_label("rows by").select_option("user")
    expect(page).to_have_url(re.compile("by=user"))
    expect(page.get_by_role("region", name="cost by user and model")).to_be_visible()
    page.get_by_label("columns by").select_option("environment")
    expect(page.get_by_role("region", name="cost by user and environment")).to_be_visible()


def test_an_error_leads_to_its_latest_trace(page: Page) -> None:
    settled(page, "/errors")
    row = page.locator("tr", has_text="the model timed out").first
    row.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/traces/[0-9a-f]{32}\?span="))
    expect(page.locator(".span-row").first).to_be_visible()


def test_a_user_is_opened_where_it_stands(page: Page) -> None:
    settled(page, "/users")
    page.locator("tbody tr").first.get_by_role("button").click()
    expect(page.get_by_text("Latest sessions")).to_be_visible()
    expect(page).to_have_url(re.compile("user="))


@pytest.mark.parametrize(
    ("path", "api"),
    [("/", "llm/summary"), ("/models", "llm/summary"), ("/cost", "llm/summary"), ("/users", "users"), ("/errors", "errors")],
)
def test_what_the_server_refuses_is_said_and_the_rest_stands(page: Page, path: str, api: str) -> None:
    def refused(route: Route) -> None:
        said = {"error": {"code": "deadline", "message": "no answer within 10 s; narrow the time window or filter more", "where": ""}}
        route.fulfill(status=408, json=said)

    page.route(re.compile(f"/api/v1/{api}"), refused)
    page.goto(with_range(path))
    expect(page.get_by_text("no answer within 10 s")).to_be_visible()
    expect(page.get_by_role("navigation", name="pages")).to_be_visible()


def test_the_time_range_goes_along(page: Page) -> None:
    page.goto("/models?range=30d")
    page.get_by_role("link", name="Errors").click()
    expect(page).to_have_url(re.compile(r"/errors\?range=30d"))
    expect(page.get_by_role("button", name="last 30 d")).to_be_visible()


def test_nothing_in_the_page_needs_an_inline_script(server: ServerProcess, page: Page) -> None:
    answer = page.goto("/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    html = (Path(__file__).parents[2] / "observatory" / "api" / "static" / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*src=)", html)
