"""One trace: tree, waterfall, a span in full, keys, and data that should not be."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import time
from urllib.parse import urlsplit

import pytest
from drive import Sender, asked, colour, drawn, eventually
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from playwright.sync_api import Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker, key_values

SECOND = 10**9
ROWS = ".span-row"
MESSAGES = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "word " * 400}]}])


SPILLING = "all => all.filter(e => getComputedStyle(e).overflowX === 'visible' && e.scrollWidth > e.clientWidth + 1).length"
"""How many elements are wider than they may be and do not end where they should."""


def opened(page: Page, trace_id: bytes, query: str = "") -> None:
    page.goto(f"/traces/{trace_id.hex()}{query}")
    expect(page.locator(ROWS).first).to_be_visible()


@pytest.fixture(scope="module")
def make() -> Maker:
    return Maker(seed=21)


@pytest.fixture(scope="module")
def chat(make: Maker, server: ServerProcess, sender: Sender) -> Span:
    """A span with all there is, inside a request that failed; the root's id is in its `parent_span_id`."""
    start = time.time_ns() - 10 * SECOND
    root = make.span("POST /ask", start_ns=start, duration_s=4, kind=Span.SPAN_KIND_SERVER, error="upstream said no")
    event = Span.Event(
        time_unix_nano=start + 2 * SECOND,
        name="exception",
        attributes=key_values({"exception.type": "TimeoutError", "exception.stacktrace": "Traceback\n  line 1\n  line 2"}),
    )
    call = make.span(
        "chat gpt-4.1",
        parent=root,
        start_ns=start + SECOND,
        duration_s=2,
        kind=Span.SPAN_KIND_CLIENT,
        error="timed out",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4.1",
            "gen_ai.usage.input_tokens": 1234,
            "gen_ai.usage.output_tokens": 56,
            "gen_ai.response.time_to_first_chunk": 0.5,
            "gen_ai.input.messages": MESSAGES,
            "error.type": "timeout",
            "big": 2**60,
            "nested": {"list": [1, 2.5, True, None]},
            "empty": "",
            "html": "<img src=x onerror=alert(1)>",
        },
        events=[event],
        links=[Span.Link(trace_id=bytes(range(16)), span_id=bytes(range(1, 9)), attributes=key_values({"why": "retry of"}))],
        dropped_attributes_count=3,
    )
    tool = make.span(
        "execute_tool lookup",
        parent=call,
        start_ns=start + 2 * SECOND,
        duration_s=0.5,
        attributes={"gen_ai.operation.name": "execute_tool"},
    )
    sender.send(make.spans(root, call, tool, service="asked", resource={"host.name": "box"}, scope="my.scope", scope_version="7"))
    eventually(lambda: asked(server, f"traces/{call.trace_id.hex()}?view=tree")["llm_calls"], "its call is measured")
    return call


def test_tree_and_bars_are_drawn_where_they_belong(page: Page, chat: Span) -> None:
    opened(page, chat.trace_id)
    rows = page.locator(ROWS)
    expect(rows).to_have_count(3)
    assert rows.evaluate_all("rows => rows.map(row => [row.getAttribute('aria-level'), row.querySelector('.span-name').innerText])") == [
        ["1", "POST /ask"],
        ["2", "chat gpt-4.1"],
        ["3", "execute_tool lookup"],
    ]
    expect(rows.nth(1).locator(".span-tokens")).to_have_text("1.3k")
    expect(rows.nth(1).locator(".span-figures")).to_have_attribute("title", re.compile("1,234 tokens in, 56 out"))
    expect(rows.nth(1)).to_contain_text("2.00 s")
    pixels = drawn(page.locator("canvas.waterfall"))
    assert pixels.get(colour(page, "kind-error"), 0) > 1000, "two failed spans"
    assert pixels.get(colour(page, "kind-tool"), 0) > 300, "one tool"
    # the tool runs from 2.0 to 2.5 s of 4 s: its bar lies in that eighth of the canvas and nowhere else
    span = page.locator("canvas.waterfall").evaluate(
        """(canvas, rgb) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let [least, most] = [Infinity, -1];
            for (let i = 0; i < data.length; i += 4) {
                if (`${data[i]},${data[i + 1]},${data[i + 2]}` !== rgb || data[i + 3] < 255) continue;
                const x = (i / 4) % canvas.width;
                [least, most] = [Math.min(least, x), Math.max(most, x)];
            }
            return [least / canvas.width, (most + 1) / canvas.width];
        }""",
        colour(page, "kind-tool"),
    )
    assert span == pytest.approx([0.5, 0.625], abs=0.006)
    assert sum(drawn(page.locator(".minimap canvas")).values()) > 1000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_draw_in_their_own_colours(page: Page, chat: Span, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "light" else "light")
    opened(page, chat.trace_id)
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    ground = page.locator("#main").evaluate("main => getComputedStyle(main).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if theme == "light" else "rgb(24, 27, 32)")
    eventually(
        lambda: drawn(page.locator("canvas.waterfall")).get(colour(page, "kind-tool"), 0) > 300, "the tool's bar in the theme's colour"
    )


def test_the_theme_is_chosen_and_stays_chosen(page: Page, chat: Span) -> None:
    opened(page, chat.trace_id)
    page.get_by_role("button", name=re.compile("^theme: system")).click()
    page.get_by_role("button", name=re.compile("^theme: light")).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.locator("#main").evaluate("main => getComputedStyle(main).backgroundColor") == "rgb(24, 27, 32)"


def test_a_span_in_full(page: Page, chat: Span) -> None:
    opened(page, chat.trace_id)
    page.locator(ROWS).nth(1).click()
    expect(page).to_have_url(re.compile(f"span={chat.span_id.hex()}"))
    panel = page.get_by_role("region", name="span chat gpt-4.1")
    expect(panel).to_contain_text("timeout timed out")
    panel.get_by_role("tab", name="attributes").click()
    for fact in ("first token500 ms", "modelgpt-4.1", "provideropenai", "kindclient", "starts at+1.00 s"):
        expect(panel.locator(".facts")).to_contain_text(fact)
    row = {key: panel.locator("tr", has=page.locator(f"th[title^='{key}']")) for key in ("big", "nested", "empty", "html", "gen_ai.input")}
    expect(row["big"]).to_contain_text(str(2**60))
    expect(row["nested"].locator("pre")).to_have_text(re.compile(r'"list": \[\s+1,\s+2.5,\s+true,\s+null'))
    expect(row["empty"]).to_contain_text("empty text")
    expect(row["html"]).to_contain_text("<img src=x onerror=alert(1)>")
    expect(panel).to_contain_text("3 more were dropped by the sender's own limits")

    more = row["gen_ai.input"].get_by_role("button", name=re.compile(r"show all \d\.\d+ kB"))
    clipped = len(row["gen_ai.input"].locator("pre").inner_text())
    more.click()
    assert len(row["gen_ai.input"].locator("pre").inner_text()) > 2000 > clipped
    row["gen_ai.input"].get_by_role("button", name="as received").click()
    expect(row["gen_ai.input"].locator("pre")).to_have_text(MESSAGES)
    row["gen_ai.input"].get_by_role("button", name="copy gen_ai.input.messages").click()
    eventually(lambda: page.evaluate("navigator.clipboard.readText()") == MESSAGES, "the value in the clipboard")

    whole = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert whole == [900, 1440], "only the panes scroll, not the page"
    panel.get_by_role("textbox", name="filter attributes").fill("TOKENS")
    expect(panel.locator("tbody tr")).to_have_count(2)


def test_events_links_resource_and_raw(page: Page, chat: Span) -> None:
    opened(page, chat.trace_id, f"?span={chat.span_id.hex()}")
    panel = page.get_by_role("region", name="span chat gpt-4.1")
    panel.get_by_role("tab", name="events 1").click()
    expect(panel.get_by_role("heading", name="exception")).to_contain_text("+2.00 s")
    expect(panel).to_contain_text("  line 2")
    panel.get_by_role("tab", name="links 1").click()
    expect(panel.get_by_role("link", name=bytes(range(16)).hex())).to_be_visible()
    expect(panel).to_contain_text("retry of")
    panel.get_by_role("tab", name="resource").click()
    for text in ("host.name", "box", "my.scope"):
        expect(panel.locator(".panel-body")).to_contain_text(text)
    assert "tab=resource" in urlsplit(page.url).query
    page.reload()
    expect(panel.get_by_role("tab", name="resource")).to_have_attribute("aria-selected", "true")
    panel.get_by_role("tab", name="raw").click()
    expect(panel.locator(".panel-body")).to_contain_text('"span_id"')


def test_keys_on_a_trace(page: Page, chat: Span) -> None:
    opened(page, chat.trace_id)
    rows = page.locator(ROWS)
    here = page.locator(f"{ROWS}.is-here .span-name")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(here).to_have_text("chat gpt-4.1")
    page.keyboard.press("ArrowLeft")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("+1")
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_count(3)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="span chat gpt-4.1")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("region", name="span execute_tool lookup")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name=re.compile("^span"))).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_role("textbox", name="find a span by name")).to_be_focused()
    page.keyboard.insert_text("lookup")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="3 shown")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("textbox", name="find a span by name")).to_have_value("")
    for _ in range(5):  # a key is lost when the address is still settling from the one before; a person presses again
        page.keyboard.press("Escape")
        with contextlib.suppress(AssertionError):
            expect(page).to_have_url(re.compile("/explore$"), timeout=2000)
            break
    expect(page).to_have_url(re.compile("/explore$"))


def test_the_minimap_zooms_and_zero_shows_the_whole_again(page: Page, chat: Span) -> None:
    opened(page, chat.trace_id)
    box = page.locator(".minimap").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.70 * box["width"], box["y"] + 30, steps=4)
    page.mouse.up()
    expect(page.locator(".axis span").first).to_have_text("1.80 s")
    wide = drawn(page.locator("canvas.waterfall"))[colour(page, "kind-tool")]
    page.keyboard.press("0")
    expect(page.locator(".axis span").first).to_have_text("0 ms")
    assert wide > 3 * drawn(page.locator("canvas.waterfall"))[colour(page, "kind-tool")]


def test_only_errors(page: Page, chat: Span) -> None:
    opened(page, chat.trace_id)
    page.get_by_role("button", name="errors", exact=True).click()
    expect(page.locator(ROWS)).to_have_count(2)
    assert urlsplit(page.url).query == "only=errors"


def test_spans_out_of_place_are_shown_and_marked(page: Page, make: Maker, sender: Sender) -> None:
    now = time.time_ns() - 5 * SECOND
    trace = make.trace_id()
    root = make.span("root", trace_id=trace, start_ns=now, duration_s=1)
    lost = make.span("lost", trace_id=trace, parent=make.span_id(), start_ns=now + 1, duration_s=0.5)
    a, b = make.span_id(), make.span_id()
    one = make.span("one", trace_id=trace, span_id=a, parent=b, start_ns=now + 2, duration_s=0.1)
    two = make.span("two", trace_id=trace, span_id=b, parent=a, start_ns=now + 3, duration_s=0.1)
    sender.send(make.spans(root, lost, one, two, service="odd"))
    opened(page, trace)
    expect(page.locator(ROWS)).to_have_count(4)
    expect(page.locator(".span-misplaced")).to_have_count(2)
    expect(page.locator(ROWS).nth(1).locator(".span-misplaced")).to_have_attribute("title", "its parent span was not received")
    expect(page.locator(".legend")).to_contain_text("2 without their parent")


def test_an_open_trace_grows_while_one_looks(page: Page, make: Maker, sender: Sender) -> None:
    root = make.span("growing", start_ns=time.time_ns() - 3 * SECOND, duration_s=1)
    sender.send(make.spans(root, service="growing"))
    opened(page, root.trace_id)
    expect(page.locator(ROWS)).to_have_count(1)
    page.locator(ROWS).first.click()
    sender.send(make.spans(make.span("late", parent=root, duration_s=0.1), service="growing"))
    expect(page.locator(ROWS)).to_have_count(2, timeout=10_000)
    expect(page.get_by_role("region", name="span growing")).to_be_visible()


def test_an_unknown_trace_and_no_trace_id_at_all(page: Page) -> None:
    page.goto(f"/traces/{'ab' * 16}")
    expect(page.get_by_role("heading", name="No such trace")).to_be_visible()
    page.goto("/traces/nonsense")
    expect(page.get_by_role("heading", name="That is not a trace id")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("/explore$"))


def test_a_trace_that_is_gone_says_why(page: Page) -> None:
    said = {"error": {"code": "gone", "message": "this trace expired on 2026-11-01: retention of 7 days", "where": "trace_id"}}
    page.route(re.compile("/api/v1/traces/"), lambda route: route.fulfill(status=410, json=said))
    page.goto(f"/traces/{'cd' * 16}")
    expect(page.get_by_role("heading", name="This trace is gone")).to_be_visible()
    expect(page.get_by_text("retention of 7 days")).to_be_visible()


def test_every_recorded_trace_opens(page: Page, server: ServerProcess, sender: Sender) -> None:
    """The largest of each instrumentation: every span has a row, and the waterfall is painted."""
    assert sender.captures() > 150
    traces = eventually(lambda: asked(server, "traces?sort=-span_count&limit=12")["items"], "the traces in the list")
    for trace in traces:
        opened(page, bytes.fromhex(trace["trace_id"]), "?view=waterfall")
        groups = page.locator(f"{ROWS}.is-group")
        while (folded := page.locator(f"{ROWS}.is-group[aria-expanded=false]")).count():
            folded.first.click()
        assert int(page.locator(ROWS).first.get_attribute("aria-setsize") or 0) == trace["span_count"] + groups.count()
        assert sum(drawn(page.locator("canvas.waterfall")).values()) > 500


@pytest.mark.parametrize("width", [390, 1024, 1280])
def test_facts_of_a_trace_do_not_lie_over_each_other(page: Page, make: Maker, sender: Sender, width: int) -> None:
    about = {"session.id": "a-session-with-a-long-name-1234", "user.id": "somebody-with-a-long-name@example.org"}
    root = make.span("invoke_workflow research", start_ns=time.time_ns() - 30 * SECOND, duration_s=20, attributes=about)
    sender.send(make.spans(root, service="a-service-with-a-long-name"))
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, root.trace_id)
    expect(page.get_by_text("kept by")).to_be_attached()
    facts = page.locator(".summary > span:visible")
    boxes = [box for each in facts.all() if (box := each.bounding_box()) and box["width"] > 0]
    for one, two in itertools.pairwise(boxes):
        apart = one["x"] + one["width"] <= two["x"] + 1 or one["y"] + one["height"] <= two["y"] + 1
        assert apart, f"{one} and {two} at {width} px"
    assert page.locator(".summary > span").evaluate_all(SPILLING) == 0
    if width == 390:
        title = page.locator(".topbar h1")
        assert (title.bounding_box() or {"width": 0})["width"] > 120, "a phone has room for the trace's name"


def test_what_a_call_cost_comes_to_a_page_that_was_opened_before_it_was_known(page: Page, make: Maker, sender: Sender) -> None:
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.usage.input_tokens": 1000,
    }
    root = make.span("chat gpt-4.1", start_ns=time.time_ns() - SECOND, duration_s=0.5, attributes=said)
    sender.send(make.spans(root, service="quick"))
    page.goto(f"/traces/{root.trace_id.hex()}")  # at once: calls are measured half a second after they came
    expect(page.locator(".summary")).to_contain_text("$0.002")
