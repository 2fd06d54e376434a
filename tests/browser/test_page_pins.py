"""Pinned traces: kept by the server, found in the explorer and the palette, also when the trace itself is gone."""

from __future__ import annotations

import re
import time

import pytest
from drive import Sender, asked, eventually
from playwright.sync_api import Page, expect

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

GONE = "0" * 31 + "7"


@pytest.fixture(scope="module")
def trace_id(server: ServerProcess, sender: Sender) -> str:
    make = Maker(seed=77)
    root = make.span("POST /refund", start_ns=time.time_ns() - 60 * 10**9, duration_s=1)
    sender.send(make.spans(root, service="shop"))
    eventually(lambda: asked(server, "traces?limit=1")["items"], "the trace")
    return root.trace_id.hex()


def test_a_pinned_trace_is_found_again(page: Page, trace_id: str) -> None:
    page.goto(f"/traces/{trace_id}")
    pin = page.get_by_role("button", name="pin", exact=True)
    expect(pin).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".span-row").first).to_be_visible()
    page.keyboard.press("p")
    expect(pin).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(pin).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="what to go to").fill("refund")
    expect(page.get_by_role("option").filter(has_text="POST /refund").filter(has_text="pinned")).to_be_visible()
    page.keyboard.press("Escape")
    page.goto("/explore")
    page.get_by_role("button", name="views").click()
    page.get_by_role("dialog", name="views").get_by_role("link", name="POST /refund").click()
    expect(page).to_have_url(re.compile(f"/traces/{trace_id}"))
    pin.click()
    expect(pin).to_have_attribute("aria-pressed", "false")


def test_the_pin_of_a_trace_that_is_gone_can_be_taken_away(page: Page, trace_id: str) -> None:
    body = {"root_name": "once", "service_name": None, "start_ns": "1"}
    assert page.request.put(f"/api/v1/saved/pin/{GONE}", data=body).ok
    page.goto(f"/traces/{GONE}")
    expect(page.get_by_role("heading", name="No such trace")).to_be_visible()
    page.get_by_role("button", name="pin", exact=True).click()
    expect(page.get_by_role("button", name="pin", exact=True)).to_have_count(0)
