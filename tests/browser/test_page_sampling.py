"""What sampling decided, on the pages: who kept a trace and for how many it stands, counts that are estimates, the sampler's figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drive import Sender, asked, eventually
from playwright.sync_api import Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

TRACES, FAILED = 120, 12
CONFIG = """
[sampling]
quiet_s = 0.2

[[sampling.policies]]
name = "errors"
type = "status"

[[sampling.policies]]
name = "quarter"
type = "probabilistic"
percent = 25
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One that keeps failed traces and a quarter of the others."""
    directory = tmp_path_factory.mktemp("sampled")
    config: Path = directory / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    with ServerProcess(directory / "data", "--config", str(config)) as running:
        yield running


@pytest.fixture(scope="module")
def figures(server: ServerProcess, sender: Sender) -> dict[str, Any]:
    """What the sampler says when it has decided all: two spans a trace, of some the second failed."""
    make = Maker(seed=77)
    for number in range(TRACES):
        root = make.span("POST /ask")
        sender.send(make.spans(root, make.span("step", parent=root, error="no answer" if number < FAILED else None), service="shop"))

    def decided() -> dict[str, Any] | None:
        said = asked(server, "sampling")
        return said if said["traces"]["open"] == 0 and said["traces"]["kept"] + said["traces"]["dropped"] == TRACES else None

    said = eventually(decided, "every trace is decided", 30)
    assert FAILED < said["traces"]["kept"] < TRACES / 2
    return said


def one(server: ServerProcess, filter: str) -> dict[str, Any]:
    return asked(server, f"traces?limit=1&filter={filter}")["items"][0]


def test_a_trace_says_who_kept_it_and_how_many_are_like_it(page: Page, server: ServerProcess, figures: dict[str, Any]) -> None:
    failed, lucky = one(server, "status:error"), one(server, "status:ok")
    page.goto(f"/traces/{lucky['trace_id']}")
    kept = page.locator(".summary").get_by_title(re.compile("sampling policies"))
    expect(kept).to_contain_text("kept by quarter")
    expect(kept).to_contain_text("≈ 4 traces like it")
    page.goto(f"/traces/{failed['trace_id']}")
    expect(kept).to_contain_text(re.compile("kept by errors(, quarter)?$"))
    expect(kept).to_have_attribute("title", re.compile("stands for itself"))


def test_counts_of_kept_traces_are_marked_as_estimates(page: Page, server: ServerProcess, figures: dict[str, Any]) -> None:
    said = asked(server, "histogram?of=traces")
    lucky = figures["traces"]["kept"] - FAILED
    assert (said["exact"], said["total"]) == (False, FAILED + 4 * lucky)
    page.goto("/explore?of=traces")
    title = page.locator(".when h2")
    expect(title).to_have_text(f"≈ {said['total']} traces")
    expect(title).to_have_attribute("title", re.compile(rf"^{said['total']} ± \d+ \(standard error\), estimated from kept traces$"))
    facets = page.get_by_role("complementary", name="values")
    expect(facets.get_by_role("button", name=re.compile("^error"))).to_contain_text(str(FAILED))
    expect(facets.get_by_role("button", name=re.compile("^error"))).not_to_contain_text("≈")
    expect(facets.get_by_role("button", name=re.compile("^ok"))).to_contain_text(f"≈ {4 * lucky}")
    page.goto("/errors")
    expect(page.locator(".page-note")).to_contain_text(f"{FAILED} failures of 1 kinds")


def test_the_status_page_has_the_sampler_s_figures(page: Page, figures: dict[str, Any]) -> None:
    page.goto("/status")
    room = page.get_by_role("region", name="sampling")
    for policy in figures["policies"]:
        row = room.get_by_role("row", name=re.compile(f"^{policy['name']}"))
        expect(row.get_by_role("cell")).to_have_text(
            [policy["settles"], *(str(policy[name]) for name in ("kept_traces", "kept_spans", "dropped_traces", "dropped_spans"))]
        )
    kept, dropped = figures["traces"]["kept"], figures["traces"]["dropped"]
    row = room.get_by_role("row", name=re.compile("^all together"))
    expect(row.get_by_role("cell")).to_have_text(
        [re.compile(r"keeps \d+(\.\d+)? ?% of traces"), str(kept), str(2 * kept), str(dropped), str(2 * dropped)]
    )
    expect(room).to_contain_text(re.compile(rf"spans dropped, by reason\s*{2 * dropped} not kept"))
    expect(room).to_contain_text("0 traces, 0 spans")
