"""Injected markup is inert wherever it may stand: names, messages, markdown, attributes, logs, ids of sessions, tool calls, documents."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest
from drive import Sender, Watched, asked, eventually
from playwright.sync_api import Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

SECOND = 10**9
ATTACKS = [
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=2>",
    '"><svg onload=window.hit=3>',
    "<iframe srcdoc='<script>parent.hit=4</script>'></iframe>",
    "[press](javascript:window.hit=5)",
    "[press](JaVaScRiPt&colon;window.hit=6)",
    "[press](data:text/html,<script>window.hit=7</script>)",
    "![look](x'onerror=window.hit=8)",
    "![pixel](http://tracker.example/pixel.png)",
    "<http://tracker.example/> and <javascript:window.hit=9>",
    "[a]: javascript:window.hit=10\n\n[a]",
    "```html\n</code></pre><script>window.hit=11</script>\n```",
    "`<b onmouseover=window.hit=12>x</b>`",
    "<style>@import 'http://tracker.example/x.css';*{display:none}</style>",
    "<base href='http://tracker.example/'><meta http-equiv=refresh content='0;url=http://tracker.example'>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=window.hit=13>",
    "{{constructor.constructor('window.hit=14')()}}",
    "<a href='javascript:window.hit=15' style='position:fixed;inset:0'>all of it</a>",
    "| a |\n|---|\n| <img src=x onerror=window.hit=16> |",
    "- [ ] <details open ontoggle=window.hit=17>\n- > # <input autofocus onfocus=window.hit=18>",
    "\u202egnp.exe \u0000 \ufeff&lt;script&gt;window.hit=19&lt;/script&gt;",
    "> " * 400 + "deep",
    "*" * 3000 + "a" + "_" * 3000,
    "[" * 2000 + "](" * 2000,
]
EVERYTHING = "\n\n".join(ATTACKS)


@pytest.fixture(scope="module")
def trace(server: ServerProcess, sender: Sender) -> str:
    """An agent whose every text is an attack."""
    make = Maker(seed=66)
    start = time.time_ns() - 30 * SECOND
    evil = ATTACKS[1]

    def messages(role: str) -> str:
        parts = [
            *({"type": "text", "content": attack} for attack in ATTACKS),
            {"type": "reasoning", "content": EVERYTHING},
            {"type": "tool_call", "id": evil, "name": evil, "arguments": {evil: EVERYTHING}},
            {"type": "tool_call_response", "id": evil, "response": EVERYTHING},
            {"type": "uri", "modality": "image", "uri": "http://tracker.example/picture.png"},
            {"type": "uri", "modality": evil, "uri": "javascript:window.hit=30"},
            {"type": "blob", "modality": "image", "mime_type": "image/svg+xml", "content": "PHN2ZyBvbmxvYWQ9IndpbmRvdy5oaXQ9MzEiLz4="},
            {"type": "blob", "modality": "image", "mime_type": "text/html", "content": "PHNjcmlwdD53aW5kb3cuaGl0PTMyPC9zY3JpcHQ+"},
            {"type": "refusal", "content": EVERYTHING},
            {"type": evil, "content": EVERYTHING, "__proto__": {"polluted": True}},
        ]
        return json.dumps([{"role": role, "name": evil, "parts": parts, "finish_reason": evil}])

    root = make.span(
        f"invoke_agent {evil}",
        start_ns=start,
        duration_s=5,
        attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": evil, "session.id": evil, "user.id": evil},
    )
    call = make.span(
        ATTACKS[0],
        parent=root,
        start_ns=start + SECOND,
        duration_s=1,
        error=EVERYTHING,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": evil,
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.input.messages": messages("user"),
            "gen_ai.output.messages": messages("assistant"),
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": EVERYTHING}]),
            "gen_ai.tool.definitions": json.dumps(
                [{"type": "function", "name": evil, "description": EVERYTHING, "parameters": {evil: evil}}]
            ),
            "error.type": evil,
            **{f"attack.{n}.{attack[:60]}": attack for n, attack in enumerate(ATTACKS)},
        },
    )
    tool = make.span(
        f"execute_tool {evil}",
        parent=root,
        start_ns=start + 3 * SECOND,
        duration_s=1,
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": evil,
            "gen_ai.tool.call.arguments": json.dumps({evil: EVERYTHING}),
            "gen_ai.tool.call.result": json.dumps(EVERYTHING),
        },
    )
    sender.send(make.spans(root, call, tool, service=evil, resource={evil: EVERYTHING}, scope=evil))
    logs = make.logs(*ATTACKS, {evil: EVERYTHING}, service=evil, span=call, attributes={evil: evil}, severity_text=evil, severity_number=0)
    sender.post("logs", logs.protobuf, "application/x-protobuf")
    trace_id = root.trace_id.hex()
    eventually(lambda: asked(server, f"traces/{trace_id}?view=tree").get("llm_calls") == 1, "the call that is counted")
    return trace_id


def harmless(page: Page) -> None:
    """Nothing ran, nothing was fetched, nothing leads anywhere but to http or to this page, nothing covers the page."""
    assert page.evaluate("window.hit") is None
    hrefs = page.eval_on_selector_all("a[href]", "all => all.map(link => link.href)")
    own = page.evaluate("location.origin")
    for href in hrefs:
        assert href.startswith((own, "http://tracker.example")), href
    outward = page.eval_on_selector_all("a[href^='http://tracker']", "all => all.map(link => [link.target, link.rel])")
    assert all(target == "_blank" and "noopener" in rel and "noreferrer" in rel for target, rel in outward)
    sources = page.eval_on_selector_all(
        "img, iframe, script, link, object, embed, audio, video", "all => all.map(each => each.src ?? each.href)"
    )
    assert all(source is None or source.startswith((own, "data:image/")) for source in sources), sources
    assert page.locator("#main iframe, #main script, #main style, #main svg[onload], #main input[autofocus], #main base").count() == 0
    assert page.evaluate("({}).polluted") is None


def test_the_transcript(watched: Watched, trace: str) -> None:
    page = watched.page
    page.goto(f"/traces/{trace}")
    expect(page.get_by_text("window.hit=2").first).to_be_attached()
    for card in page.locator(".transcript .part-head").all():
        card.click()
    longer = page.locator(".transcript .link", has_text="show all")
    while longer.count():
        longer.first.click()
    expect(page.locator(".not-fetched").first).to_be_attached()
    harmless(page)


@pytest.mark.parametrize("tab", ["messages", "attributes", "events", "logs", "cost", "resource", "raw"])
def test_every_tab_of_a_span(watched: Watched, trace: str, tab: str, server: ServerProcess) -> None:
    page = watched.page
    call = next(span for span in asked(server, f"traces/{trace}?view=tree")["spans"] if span["name"] == ATTACKS[0])
    page.goto(f"/traces/{trace}?view=waterfall&span={call['span_id']}&tab={tab}")
    expect(page.get_by_role("tabpanel")).not_to_be_empty()
    expect(page.get_by_label("loading", exact=False)).to_have_count(0)
    if tab == "messages":
        expect(page.get_by_role("tabpanel").get_by_text("<script>window.hit=1</script>").first).to_be_attached()
        page.get_by_text("1 tool could be called").click()
        for card in page.locator(".panel .part-head").all():
            card.click()
    if tab == "logs":
        expect(page.locator(".log-line")).to_have_count(len(ATTACKS) + 1)
        for line in page.locator(".log-line").all()[:4]:
            line.click()
    page.wait_for_load_state("networkidle")
    harmless(page)


@pytest.mark.parametrize("view", ["flame", "waterfall"])
def test_names_on_canvas_and_in_the_tree(watched: Watched, trace: str, view: str) -> None:
    page = watched.page
    page.goto(f"/traces/{trace}?view={view}")
    expect(page.locator(".span-name", has_text=ATTACKS[0])).to_be_visible()
    page.get_by_role("button", name="compare").click()
    expect(page.get_by_role("dialog", name="compare with")).to_be_visible()
    harmless(page)


@pytest.mark.parametrize(
    "path",
    [
        "/sessions?range=all",
        f"/sessions/{quote(ATTACKS[1], safe='')}?range=all",
        "/logs?range=all",
        f"/logs?range=all&text={quote(ATTACKS[0])}",
        "/sql?q=" + quote("SELECT name, session_id, attributes, tool_name FROM spans"),
        "/sql?q=" + quote("SELECT '" + ATTACKS[0]),
        f"/settings?find={quote(ATTACKS[0])}",
    ],
)
def test_the_other_pages(watched: Watched, trace: str, path: str) -> None:
    page = watched.page
    page.goto(path)
    expect(page.locator("#main")).to_contain_text("", use_inner_text=True)
    expect(page.locator("#main [aria-busy=true]")).to_have_count(0)
    if "settings" not in path:
        expect(page.get_by_text("window.hit").first).to_be_attached()
    harmless(page)


def test_the_policy_allows_no_inline_script(page: Page) -> None:
    answer = page.goto("/settings")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy and "default-src 'none'" in policy
