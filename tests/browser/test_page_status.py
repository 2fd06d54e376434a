"""The observatory's own state on a page, and what it says loudly on every page."""

from __future__ import annotations

import json
import re

from drive import Sender
from playwright.sync_api import Page, Route, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker


def test_the_status_page_follows_the_server(page: Page, server: ServerProcess, sender: Sender) -> None:
    page.goto("/status")
    figures = page.locator(".figure")
    expect(figures.filter(has_text="accepting")).to_contain_text(re.compile("yes.*up .* decoder", re.S))
    expect(page.locator(".room", has_text="listeners")).to_contain_text(server.addresses["otlp_grpc"])
    sender.send(Maker(seed=3).flat(321))
    expect(figures.filter(has_text="spans per second")).to_contain_text("321 since start")
    expect(page.get_by_role("row", name=re.compile("^compact"))).to_contain_text("none")


def test_fields_of_a_later_version_are_shown_too(page: Page) -> None:
    def later(route: Route) -> None:
        said = route.fetch().json()
        said["mirroring"] = {"kept_per_s": 12.5, "held_bytes": 1_500_000}
        route.fulfill(json=said)

    page.route(re.compile("/api/v1/status"), later)
    page.goto("/status")
    expect(page.locator(".room", has_text="mirroring")).to_contain_text(re.compile(r"kept per s\s*13 /s|12.5 /s"))
    expect(page.locator(".room", has_text="mirroring")).to_contain_text("1.50 MB")


def test_what_must_be_known_is_said_on_every_page(page: Page) -> None:
    def worse(route: Route) -> None:
        said = route.fetch().json() | {"decoder": "reference", "accepting": {"ok": False, "reason": "the disk is full"}}
        route.fulfill(body=json.dumps(said), content_type="application/json")

    page.route(re.compile("/api/v1/status"), worse)
    page.goto("/traces")
    expect(page.get_by_role("alert").filter(has_text="the disk is full")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="slow decoder")).to_be_visible()
