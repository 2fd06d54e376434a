"""How fast the page is on a store of ten million spans: `python -m benchmarks.ui --help`.

Stores `--spans` spans through the server's own door (or takes `--data`, a directory that has them) and a trace of `--giant` spans, waits
until it is at rest, then opens pages in headless Chromium with a cache of its own, again and again. Times are of the page itself: from
navigation until what it is for is drawn. `filter` is from the last key of a filter until its rows stand there. Memory is the tab's: of its
renderer process, by the kernel.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import giant, watch
from benchmarks.appliance import Appliance
from benchmarks.load import sender
from benchmarks.machine import publish

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
TARGETS = {"overview_ms": 1000, "explore_ms": 800, "filter_ms": 500, "giant_ms": 1000, "memory_mb": 400, "first_paint_js_kb": 400}
DRAWN = {
    "overview": ("/", ".overview-charts canvas"),  # the charts of the window; figures stand above them by then
    "explore": ("/explore?live=off", ".rows-body .row:not(.is-waiting)"),
    "calls": ("/explore?of=calls&live=off", ".rows-body .row:not(.is-waiting)"),
    "spans": ("/explore?of=spans&live=off", ".rows-body .row:not(.is-waiting)"),
    "models": ("/models", ".datatable tbody td.number"),
    "cost": ("/cost", ".matrix tbody td.number"),
    "errors": ("/errors", ".error-what"),
}
FILTERS = ("status:error", "service:claims-desk", "duration>1s", "model:gpt-4o*")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it as told by the command line; 0 when the targets hold."""
    options = _parser().parse_args(arguments)
    figures = run(options)
    publish("ui", figures, save=options.save)
    missed = {name: figures[name] for name, most in TARGETS.items() if figures[name] > most}
    if missed:
        print(f"beyond their targets: {missed}", file=sys.stderr)
    return 1 if missed else 0


def run(options: argparse.Namespace) -> dict[str, Any]:
    """One measurement; the figures without the machine."""
    with Appliance(under=options.dir, data=options.data, keep=options.keep) as appliance:
        if options.data is None:
            _store(appliance, options.spans)
        giant_id = giant.store(appliance.port("http"), options.giant)
        watch.until_quiet(appliance.pid)
        questions = appliance.connect()
        spans = questions.count()
        url = appliance.server.api
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            pages = {name: _opened(browser, url, *where, options.times) for name, where in DRAWN.items()}
            filters = _filtered(browser, url, options.times)
            large = _opened(browser, url, f"/traces/{giant_id}?view=waterfall", ".span-row", options.times)
            memory, scripts = _tab(browser, url)
            browser.close()
        return {
            "spans": spans,
            "overview_ms": pages["overview"]["p50_ms"],
            "explore_ms": pages["explore"]["p50_ms"],
            "filter_ms": round(statistics.median(value["p50_ms"] for value in filters.values()), 1),
            "giant_ms": large["p50_ms"],
            "memory_mb": memory,
            "first_paint_js_kb": scripts,
            "pages": pages,
            "filters": filters,
        }


def _store(appliance: Appliance, spans: int) -> None:
    corpus = sender.prepare()
    wanted = max(1, spans // corpus.spans[0])
    with sender.Sending(corpus, appliance.port("http"), seconds=590, requests=wanted, seed=11) as sending:
        sent = sending.result()
    if sent["requests"] != wanted:
        raise RuntimeError(f"only {sent['requests']} of {wanted} requests were acknowledged: {sent['first_error']}")


def _opened(browser: Browser, url: str, path: str, drawn: str, times: int) -> dict[str, float]:
    """Milliseconds from navigation to what the page is for, the first with an empty cache."""
    context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
    seconds = []
    for _ in range(times + 1):
        page = context.new_page()
        began = time.perf_counter()
        page.goto(path, wait_until="commit")
        page.locator(drawn).first.wait_for(timeout=60_000)
        seconds.append(time.perf_counter() - began)
        page.wait_for_load_state("networkidle")  # the next one is opened when the server has answered all that this one asked
        page.close()
    context.close()
    return _said(seconds)


def _filtered(browser: Browser, url: str, times: int) -> dict[str, dict[str, float]]:
    """Milliseconds from the last key of a filter to its rows."""
    context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    found: dict[str, list[float]] = {}
    page.goto("/explore?live=off")
    for _ in range(times + 1):
        for filter in FILTERS:
            found.setdefault(filter, []).append(_filter(page, filter))
    context.close()
    return {filter: _said(seconds) for filter, seconds in found.items()}


def _filter(page: Page, filter: str) -> float:
    page.evaluate("history.replaceState(null, '', location.pathname)")
    page.goto("/explore?live=off")
    page.locator(".rows-body .row").first.wait_for()
    page.wait_for_load_state("networkidle")  # what stands around the list is asked for as well; it is not part of the change
    page.get_by_role("combobox", name="filter").fill(filter)
    began = time.perf_counter()
    page.keyboard.press("Enter")
    page.locator(".explore-rows:not(.is-old) .rows-foot", has_text="filtered").wait_for(timeout=60_000)
    return time.perf_counter() - began


def _tab(browser: Browser, url: str) -> tuple[float, float]:
    """Megabytes that a tab takes after a walk through all pages, and kilobytes of scripts (gzip) until the overview is drawn."""
    context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    scripts: dict[str, int] = {}
    page.on("response", lambda answer: scripts.setdefault(answer.url, 0) if answer.url.endswith(".js") else None)
    page.goto("/")
    page.locator(".overview-charts canvas").first.wait_for(timeout=60_000)
    static = Path(__file__).parents[1] / "observatory" / "api" / "static"
    size = sum(len(gzip.compress((static / one.partition(url)[2].lstrip("/")).read_bytes(), 6)) for one in scripts)
    for path, drawn in DRAWN.values():
        page.goto(path)
        page.locator(drawn).first.wait_for(timeout=60_000)
    table = page.context.new_cdp_session(page)
    table.send("HeapProfiler.collectGarbage")
    memory = max((_resident(process) for process in psutil.process_iter(["cmdline"]) if _renders(process)), default=0.0)
    context.close()
    return memory, round(size / 1000, 1)


def _renders(process: psutil.Process) -> bool:
    command = process.info["cmdline"] or []
    ours = any(parent.pid == os.getpid() for parent in process.parents())
    return ours and any("--type=renderer" in part for part in command)


def _resident(process: psutil.Process) -> float:
    """Megabytes that are the process's own."""
    return round(process.memory_full_info().uss / 1e6, 1)


def _said(seconds: list[float]) -> dict[str, float]:
    rest = sorted(seconds[1:])
    return {"first_ms": round(seconds[0] * 1e3, 1), "p50_ms": round(statistics.median(rest) * 1e3, 1), "max_ms": round(rest[-1] * 1e3, 1)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks.ui", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=10_000_000, help="stored before; 200000 is a quick run")
    parser.add_argument("--giant", type=int, default=30_000, help="spans of one large trace that is stored as well")
    parser.add_argument("--times", type=int, default=5, help="how often each page is opened after the first time")
    parser.add_argument("--data", type=Path, help="a data directory that has spans already")
    parser.add_argument("--dir", type=Path, help="where the data directory is made")
    parser.add_argument("--keep", action="store_true", help="leave the data directory")
    parser.add_argument("--save", action="store_true", help="append the line to benchmarks/results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
