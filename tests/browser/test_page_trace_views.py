"""One trace in its three views: what agents said and did, flame, idle time, similar siblings, sums, cost; and ways to take it elsewhere."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from axe import serious
from drive import Sender, asked, colour, drawn, eventually
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from playwright.sync_api import Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

SECOND = 10**9
ROWS = ".span-row"


def said(role: str, text: str) -> dict:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def opened(page: Page, trace_id: str, query: str = "") -> None:
    page.goto(f"/traces/{trace_id}{query}")
    expect(page.locator(ROWS).first).to_be_visible()


def named(page: Page, name: str):
    return page.locator(f"{ROWS}:not(.is-group)", has=page.locator(".span-name", has_text=re.compile(f"^{re.escape(name)}$")))


@pytest.fixture(scope="module")
def make() -> Maker:
    return Maker(seed=77)


@pytest.fixture(scope="module")
def agent(make: Maker, sender: Sender, server: ServerProcess) -> str:
    """An agent: a call that asks for a tool, the tool, a sub-agent with a call of its own, and the call that answers; the root repeats
    the usage."""
    start = time.time_ns() - 30 * SECOND

    def call(parent: Span, at: float, messages: list, output: list, tokens: tuple[int, int]) -> Span:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4.1",
            "gen_ai.usage.input_tokens": tokens[0],
            "gen_ai.usage.output_tokens": tokens[1],
            "gen_ai.response.time_to_first_chunk": 0.2,
            "gen_ai.input.messages": json.dumps(messages),
            "gen_ai.output.messages": json.dumps(output),
        }
        return make.span("chat gpt-4.1", parent=parent, start_ns=start + round(at * SECOND), duration_s=1, attributes=attributes)

    def agent_span(name: str, parent: Span | None, at: float, took: float, **more) -> Span:
        attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, **more}
        return make.span(f"invoke_agent {name}", parent=parent, start_ns=start + round(at * SECOND), duration_s=took, attributes=attributes)

    root = agent_span(
        "planner",
        None,
        0,
        8,
        **{"gen_ai.usage.input_tokens": 1600, "gen_ai.usage.output_tokens": 60, "session.id": "s-1", "user.id": "u-1"},
    )
    question, wish = said("user", "Where is my parcel?"), {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"id": "P-7"}}
    asks = {"role": "assistant", "parts": [wish]}
    result = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "in Lisbon"}]}
    system = said("system", "You are **kind**.")
    first = call(root, 0.5, [system, question], [asks], (1000, 20))
    tool = make.span(
        "execute_tool track",
        parent=root,
        start_ns=start + 2 * SECOND,
        duration_s=0.5,
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "track",
            "gen_ai.tool.call.arguments": '{"id": "P-7"}',
            "gen_ai.tool.call.result": '"in Lisbon"',
        },
    )
    helper = agent_span("translator", root, 3, 2)
    inner = call(helper, 3.2, [said("user", "translate: in Lisbon")], [said("assistant", "em Lisboa")], (100, 10))
    last = call(root, 6, [system, question, asks, result], [said("assistant", "It is in **Lisbon**.")], (500, 30))
    sender.send(make.spans(root, first, tool, helper, inner, last, service="parcels"))
    trace_id = root.trace_id.hex()
    eventually(lambda: asked(server, f"traces/{trace_id}?view=tree").get("llm_calls") == 3, "calls that are counted")
    return trace_id


def test_an_agent_is_first_shown_as_what_it_said_and_did(page: Page, agent: str) -> None:
    opened(page, agent)
    expect(page.get_by_role("group", name="view").get_by_role("button", name="transcript")).to_have_attribute("aria-pressed", "true")
    feed = page.get_by_role("feed", name="transcript")
    entries = feed.get_by_role("article")
    expect(entries).to_have_count(5)
    expect(entries.nth(0)).to_contain_text("planner")
    expect(entries.nth(0)).to_contain_text("3 calls")
    for text in ("You are kind.", "Where is my parcel?", "track", '{"id":"P-7"}', "200 ms TTFT", "25 tok/s", "1k in", "20 out", "$0.00216"):
        expect(entries.nth(1)).to_contain_text(text)
    expect(entries.nth(2)).to_contain_text("in Lisbon")
    expect(entries.nth(3)).to_contain_text("translator")
    # the last call repeats all that was said before: only its answer is news
    expect(entries.nth(4)).to_contain_text("It is in Lisbon.")
    for text in ("Where is my parcel?", "You are", "track"):
        expect(entries.nth(4)).not_to_contain_text(text)
    expect(entries.nth(4).locator("strong", has_text="Lisbon")).to_be_visible()


def test_a_sub_agent_is_a_card_that_opens(page: Page, agent: str) -> None:
    opened(page, agent)
    feed = page.get_by_role("feed", name="transcript")
    expect(feed.get_by_text("em Lisboa")).to_have_count(0)
    card = feed.get_by_role("button", name=re.compile("translator"))
    expect(card).to_have_attribute("aria-expanded", "false")
    card.click()
    expect(feed.get_by_text("em Lisboa")).to_be_visible()
    expect(feed.get_by_role("article")).to_have_count(6)


def test_selection_is_shared_between_tree_and_transcript(page: Page, agent: str) -> None:
    opened(page, agent)
    page.get_by_role("feed", name="transcript").get_by_role("article").nth(2).click(position={"x": 20, "y": 6})
    expect(page.locator(f"{ROWS}.is-here .span-name")).to_have_text("execute_tool track")
    named(page, "invoke_agent translator").click()
    expect(page.locator(".entry.is-here")).to_contain_text("translator")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="span invoke_agent translator")).to_be_visible()


def test_bodies_are_fetched_when_they_are_looked_at(page: Page, agent: str) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url) if "/messages" in request.url else None)
    opened(page, agent, "?view=waterfall")
    assert fetched == []
    page.keyboard.press("m")
    expect(page.get_by_text("It is in Lisbon.")).to_be_visible()
    assert len({urlsplit(url).path for url in fetched}) == 3, "two calls and a tool; the closed card's call is not asked for"


def test_keys_change_the_view(page: Page, agent: str) -> None:
    opened(page, agent)
    page.keyboard.press("w")
    expect(page.locator("canvas.waterfall")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query) == {"view": ["waterfall"]}
    page.keyboard.press("f")
    expect(page.locator("canvas.flame-canvas")).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_role("tree", name="spans")).to_be_focused()
    page.keyboard.press("m")
    expect(page.get_by_role("feed", name="transcript")).to_be_visible()
    assert urlsplit(page.url).query == "", "what suits the trace needs no word in the address"


def test_sums_are_on_every_node_and_repeated_usage_is_struck_through(page: Page, agent: str) -> None:
    opened(page, agent, "?view=waterfall")
    root = named(page, "invoke_agent planner")
    expect(root.locator(".span-figures.is-sum")).to_contain_text("1.7k")
    expect(root.locator(".span-figures")).to_have_attribute("title", "3 calls in it · 1,600 tokens in, 60 out · $0.00368")
    struck = root.locator("s.span-repeats")
    expect(struck).to_have_text("1.7k")
    expect(struck).to_have_attribute("title", re.compile("1,660 tokens of its own, which are not added: it sums up the calls below it"))
    expect(named(page, "chat gpt-4.1").first.locator(".span-cost")).to_have_text("$0.00216")
    expect(page.locator(".summary")).to_contain_text("$0.00368")
    expect(page.locator(".summary")).to_contain_text("u-1")


def test_the_arithmetic_of_a_cost_is_shown(page: Page, agent: str) -> None:
    opened(page, agent, "?view=waterfall")
    named(page, "chat gpt-4.1").first.click()
    panel = page.get_by_role("region", name="span chat gpt-4.1")
    panel.get_by_role("tab", name="cost").click()
    rows = panel.locator(".cost-table tr")
    expect(rows.nth(1)).to_have_text(re.compile(r"input\s*1,000\s*× 2\s*= \$0.002"))
    expect(rows.nth(2)).to_have_text(re.compile(r"output\s*20\s*× 8\s*= \$0.00016"))
    expect(rows.nth(3)).to_have_text(re.compile(r"total\s*1,020\s*\$0.00216"))
    expect(panel).to_contain_text("genai-prices:openai/gpt-4.1")
    named(page, "invoke_agent planner").click()
    page.get_by_role("tab", name="cost").click()
    expect(page.locator(".cost-note")).to_contain_text("Not added to any sum: it sums up the calls below it")


def test_an_attribute_says_which_columns_it_fed_and_finds_its_like(page: Page, agent: str) -> None:
    opened(page, agent, "?view=waterfall")
    named(page, "chat gpt-4.1").first.click()
    panel = page.get_by_role("region", name="span chat gpt-4.1")
    panel.get_by_role("tab", name="attributes").click()
    row = panel.locator("tr", has=page.locator("th[title^='gen_ai.usage.input_tokens']"))
    expect(row.locator(".feeds")).to_have_text("input tokens")
    link = row.get_by_role("link", name="traces with the same gen_ai.usage.input_tokens")
    href = link.get_attribute("href") or ""
    assert '"gen_ai.usage.input_tokens":"1000"' in [value for values in parse_qs(urlsplit(href).query).values() for value in values]


def test_a_trace_is_taken_elsewhere(page: Page, agent: str, server: ServerProcess) -> None:
    opened(page, agent, "?view=flame")
    page.get_by_role("button", name="copy as").click()
    menu = page.get_by_role("dialog", name="copy as")

    def copied(name: str) -> str:
        menu.get_by_role("button", name=f"copy {name}", exact=True).click()
        expect(menu.get_by_role("button", name=f"copy {name}", exact=True)).to_contain_text("copied")
        return page.evaluate("navigator.clipboard.readText()")

    assert copied("link") == page.url
    assert copied("curl") == f"curl -s '{server.api}/api/v1/traces/{agent}'"
    otlp = json.loads(copied("OTLP JSON"))
    spans = [span for resource in otlp["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]
    assert len(spans) == 6 and {span["traceId"] for span in spans} == {agent}
    request = urllib.request.Request(f"{server.otlp_http}/v1/traces", json.dumps(otlp).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200, "what was copied is OTLP"
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(page.locator("canvas.flame-canvas")).to_be_visible()


def test_the_flame_draws_selects_and_tells(page: Page, agent: str) -> None:
    opened(page, agent, "?view=flame")
    canvas = page.locator("canvas.flame-canvas")
    eventually(lambda: drawn(canvas).get(colour(page, "kind-tool"), 0) > 10, "the tool's edge in its colour")
    box = canvas.bounding_box()
    assert box is not None
    # the tool runs from 2.0 to 2.5 of 8 s, one lane below the root
    page.mouse.move(box["x"] + box["width"] * 2.2 / 8, box["y"] + 30)
    expect(page.locator(".flame-tip")).to_contain_text("execute_tool track")
    page.mouse.click(box["x"] + box["width"] * 2.2 / 8, box["y"] + 30)
    expect(page.get_by_role("region", name="span execute_tool track")).to_be_visible()


@pytest.fixture(scope="module")
def batch(make: Maker, sender: Sender) -> str:
    """Two bursts of 24 queries, an hour apart; one of them fails."""
    start = time.time_ns() - 2 * 3600 * SECOND
    root = make.span("nightly", start_ns=start, duration_s=3610)
    spans = [
        make.span(
            "run_sql",
            parent=root,
            start_ns=start + (i % 24) * SECOND // 10 + (3600 * SECOND if i >= 24 else 0),
            duration_s=0.08,
            error="no" if i == 30 else None,
        )
        for i in range(48)
    ]
    middle = make.span("report", parent=root, start_ns=start + 3 * SECOND, duration_s=0.5)
    sender.send(make.spans(root, *spans, middle, service="nightly"))
    return root.trace_id.hex()


def test_similar_siblings_are_folded(page: Page, batch: str) -> None:
    opened(page, batch)
    rows = page.locator(ROWS)
    expect(rows).to_have_count(4)
    group = page.locator(f"{ROWS}.is-group")
    expect(group.first).to_contain_text("run_sql")
    expect(group.first).to_contain_text("×24 similar")
    expect(group.nth(1).locator(".is-error")).to_have_attribute("title", "1 error inside")
    group.first.click()
    expect(rows).to_have_count(28)
    page.keyboard.press("ArrowLeft")
    expect(rows).to_have_count(4)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(28)
    page.get_by_role("textbox", name="find a span by name").fill("run_")
    expect(page.get_by_role("status").filter(has_text="49 shown")).to_be_visible()


def test_a_link_to_a_folded_sibling_unfolds_it(page: Page, batch: str, server: ServerProcess) -> None:
    spans = [span for span in asked(server, f"traces/{batch}?view=tree")["spans"] if span["name"] == "run_sql"]
    opened(page, batch, f"?span={spans[40]['span_id']}")
    expect(page.locator(f"{ROWS}.is-here .span-name")).to_have_text("run_sql")


def test_idle_time_is_drawn_short_and_said(page: Page, batch: str) -> None:
    opened(page, batch)
    gap = page.locator(".axis-gap")
    expect(gap).to_have_text(re.compile(r"⋯ 59 m"))
    page.get_by_role("button", name=re.compile("idle stretch drawn short")).click()
    expect(gap).to_have_count(0)
    assert parse_qs(urlsplit(page.url).query) == {"gaps": ["full"]}
    page.reload()
    expect(page.get_by_role("button", name="draw idle time short")).to_be_visible()
    page.get_by_role("button", name="draw idle time short").click()
    expect(gap).to_have_count(1)


def test_the_critical_path_is_underlined(page: Page, agent: str) -> None:
    opened(page, agent, "?view=waterfall")
    expect(page.locator(".legend")).to_contain_text("critical path")
    # the last call ends 1 s before the root: a line of its length under its bar
    row = named(page, "chat gpt-4.1").last.bounding_box()
    canvas = page.locator("canvas.waterfall")
    box = canvas.bounding_box()
    assert row is not None and box is not None
    y = round(row["y"] - box["y"] + 28 / 2 + 6 + 2)
    dark = canvas.evaluate(
        """(canvas, [y, rgb]) => {
            const { data } = canvas.getContext("2d").getImageData(0, y, canvas.width, 1);
            let count = 0;
            for (let i = 0; i < data.length; i += 4) if (`${data[i]},${data[i + 1]},${data[i + 2]}` === rgb && data[i + 3] === 255) count++;
            return count / canvas.width;
        }""",
        [y, colour(page, "text")],
    )
    assert dark == pytest.approx(1 / 8, abs=0.02)


def test_two_traces_are_compared(page: Page, agent: str, make: Maker, sender: Sender) -> None:
    start = time.time_ns() - 20 * SECOND
    other = make.span(
        "invoke_agent planner",
        start_ns=start,
        duration_s=16,
        attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"},
    )
    tool = make.span("execute_tool track", parent=other, start_ns=start + SECOND, duration_s=5)
    new = make.span("execute_tool refund", parent=other, start_ns=start + 7 * SECOND, duration_s=1)
    sender.send(make.spans(other, tool, new, service="parcels"))
    opened(page, agent)
    page.get_by_role("button", name="compare").click()
    box = page.get_by_role("dialog", name="compare with")
    expect(box).to_contain_text("Recent traces that begin with")
    box.get_by_role("button", name=re.compile(other.trace_id.hex()[:8])).click()
    expect(page).to_have_url(re.compile(f"with={other.trace_id.hex()}"))
    figures = page.locator(".compare-figures tr", has_text="duration")
    expect(figures).to_have_text(re.compile(r"8\.00 s\s*16\.0 s\s*\+8\.00 s\s*\(\+100 %\)"))
    rows = page.locator(".compare-spans tbody tr")
    expect(rows.filter(has_text="execute_tool refund")).to_contain_text("only there")
    expect(rows.filter(has_text="translator")).to_contain_text("only here")
    expect(rows.filter(has_text="execute_tool track")).to_contain_text("+4.50 s")
    expect(page.locator(".compare-answers")).to_contain_text("It is in Lisbon.")
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("feed", name="transcript")).to_be_visible()


def test_logs_of_a_span_and_of_its_trace(page: Page, make: Maker, sender: Sender, agent: str) -> None:
    span = Span(trace_id=bytes.fromhex(agent), span_id=make.span_id())
    payload = make.logs("carrier answered slowly", {"deep": [1, 2]}, service="parcels", span=span, severity_number=13)
    sender.post("logs", payload.protobuf, "application/x-protobuf")
    opened(page, agent, "?view=waterfall")
    named(page, "chat gpt-4.1").first.click()
    page.get_by_role("tab", name="logs").click()
    expect(page.get_by_text("No log record names this span.")).to_be_visible()
    page.get_by_role("button", name="whole trace").click()
    line = page.get_by_role("button", name=re.compile("carrier answered slowly"))
    expect(line).to_contain_text("warn")
    line.click()
    expect(line).to_have_attribute("aria-expanded", "true")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["transcript", "waterfall", "flame"])
def test_nothing_is_in_the_way_of_other_eyes_and_hands(page: Page, agent: str, theme: str, view: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    opened(page, agent, f"?view={view}")
    if view == "transcript":
        expect(page.get_by_text("It is in Lisbon.")).to_be_visible()
    else:
        named(page, "chat gpt-4.1").first.click()
        expect(page.get_by_role("tabpanel")).to_contain_text("Where is my parcel?")
    assert serious(page) == []


@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_read_on_a_phone_and_on_a_small_screen(page: Page, agent: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened_on_phone = width < 760
    page.goto(f"/traces/{agent}")
    expect(page.get_by_text("It is in Lisbon.")).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") == width, "nothing sticks out"
    page.keyboard.press("w")
    eventually(lambda: drawn(page.locator("canvas.waterfall")).get(colour(page, "kind-tool"), 0) > 20, "bars")
    named(page, "chat gpt-4.1").first.click()
    panel = page.get_by_role("region", name="span chat gpt-4.1")
    expect(panel).to_contain_text("Where is my parcel?")
    if opened_on_phone:
        box = panel.bounding_box()
        assert box is not None and box["height"] > 600, "the details have the screen to themselves"
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
