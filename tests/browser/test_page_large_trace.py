"""30,000 spans: open in under a second, scroll at full frame rate."""

from __future__ import annotations

import json
import re
import time
import urllib.request

import pytest
from drive import Sender, drawn, eventually
from pace import slowness
from playwright.sync_api import Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

pytestmark = pytest.mark.timed
SPANS = 30_000
TRIES = 3  # the best of them counts: the machine of a test does other things too


@pytest.fixture(scope="module")
def trace_id(server: ServerProcess, sender: Sender) -> str:
    """One trace of an agent that works for a minute; sent in requests of 2,000 spans."""
    make = Maker(seed=30)
    spans = make.trace(SPANS, service="agent", duration_s=60, error="gave up").all_spans
    # a tree some levels deep: every tenth leaf holds the nine after it
    parent = spans[1]
    for i, span in enumerate(spans[2:]):
        if i % 10 == 0:
            parent = span
        else:
            span.parent_span_id = parent.span_id
    for at in range(0, SPANS, 2000):
        sender.send(make.spans(*spans[at : at + 2000], service="agent"))
    trace_id = spans[0].trace_id.hex()
    eventually(lambda: spans_of(server, trace_id) == SPANS, "the whole trace in the list")
    return trace_id


def spans_of(server: ServerProcess, trace_id: str) -> int:
    """How many spans of it the list tells of: a list that is not live asks but once, and may ask before the rows are filed."""
    with urllib.request.urlopen(f"{server.api}/api/v1/traces?service=agent") as answer:
        return sum(each["span_count"] for each in json.load(answer)["items"] if each["trace_id"] == trace_id)


OPENED = """id => new Promise((done, fail) => {
    const link = document.querySelector(`.row-name[href='/traces/${id}']`);
    const begin = performance.now();
    const look = () => {
        const canvas = document.querySelector("canvas.waterfall");
        const rows = document.querySelectorAll(".span-row").length;
        if (canvas && rows > 20 && canvas.width > 300) {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, 100);
            if (data.some((value, i) => i % 4 === 3 && value === 255)) return done(performance.now() - begin);
        }
        if (performance.now() - begin > 20000) return fail(new Error(`${rows} rows, canvas ${canvas?.width}`));
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    link.click();
})"""

SCROLLED = """async () => {
    const list = document.querySelector(".timeline");
    const tasks = [];
    new PerformanceObserver(seen => tasks.push(...seen.getEntries().map(entry => entry.duration))).observe({ type: "longtask" });
    const frames = [];
    let last = await new Promise(requestAnimationFrame);
    for (let i = 0; i < 240; i++) {
        list.scrollTop += i % 60 === 59 ? 60000 : 137;  // a wheel, and now and then a jump
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - last);
        last = now;
    }
    frames.sort((a, b) => a - b);
    const at = share => frames[Math.floor(share * (frames.length - 1))];
    return { frames: frames.length, p50: at(0.5), p95: at(0.95), max: at(1), longtasks: tasks.length };
}"""


def test_it_opens_in_under_a_second(page: Page, trace_id: str) -> None:
    taken = []
    for _ in range(TRIES):
        page.goto("/traces?service=agent&live=off")
        expect(page.locator(f".row-name[href='/traces/{trace_id}']")).to_be_visible()
        taken.append(page.evaluate(OPENED, trace_id))
    print(json.dumps({"spans": SPANS, "click_to_rows_and_bars_ms": [round(each) for each in taken]}))
    expect(page.locator(".summary")).to_contain_text("30,000 spans")
    expect(page.locator(".span-row").first).to_have_attribute("aria-setsize", str(SPANS))
    assert page.locator(".span-row").count() < 80, "only what is seen exists"
    assert min(taken) < 1000 * slowness()


def test_it_scrolls_at_full_frame_rate(page: Page, trace_id: str) -> None:
    page.goto(f"/traces/{trace_id}")
    expect(page.locator(".span-row").first).to_be_visible()
    runs = [page.evaluate(SCROLLED) for _ in range(TRIES)]
    print(json.dumps(runs))
    best = min(runs, key=lambda run: run["p95"])
    assert best["p50"] < 18 * slowness(), "60 frames a second"
    assert best["p95"] < 34, "now and then one frame late"


def test_rows_and_bars_stay_together_far_down(page: Page, trace_id: str) -> None:
    page.goto(f"/traces/{trace_id}")
    expect(page.locator(".span-row").first).to_be_visible()
    page.locator(".timeline").evaluate("list => { list.scrollTop = 500_000; }")
    expect(page.locator(".span-row").first).to_have_attribute("aria-posinset", re.compile(r"^17\d\d\d$"))
    assert sum(drawn(page.locator("canvas.waterfall")).values()) > 500
    covered = page.evaluate(
        """() => {
            const [canvas, list] = [".waterfall", ".timeline"].map(at => document.querySelector(at).getBoundingClientRect());
            return canvas.top <= list.top && canvas.bottom >= list.bottom;
        }"""
    )
    assert covered


def test_finding_folding_and_errors_answer_at_once(page: Page, trace_id: str) -> None:
    page.goto(f"/traces/{trace_id}")
    rows = page.locator(".span-row")
    expect(rows.first).to_be_visible()
    begin = time.monotonic()
    page.get_by_role("button", name="errors", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="shown")).to_be_visible()
    page.get_by_role("button", name="errors", exact=True).click()
    page.get_by_role("button", name="fold all").click()
    expect(rows.first).to_have_attribute("aria-setsize", "2")
    page.get_by_role("button", name="unfold all").click()
    expect(rows.first).to_have_attribute("aria-setsize", str(SPANS))
    took = time.monotonic() - begin
    print(f"four changes of what is shown: {took:.2f} s")
    assert took < 5
