"""Messages of real instrumentations, whatever form they came in: every recorded trace is read as a transcript and span by span."""

from __future__ import annotations

import pytest
from drive import Sender, asked, eventually
from playwright.sync_api import Page, expect

from observatory.testing.server import ServerProcess

SHOWN = (
    "openinference-langchain/multi_agent",
    "openllmetry-langchain/*",
    "pydantic-ai-0.8/delegation",
    "vercel-ai-7-json/agent",
    "google-adk/agent",
    "strands-native/agent",
    "otel-openai-v2/tools",
    "langfuse-sdk/tools",
)


@pytest.fixture(scope="module")
def traces(server: ServerProcess, sender: Sender) -> list[dict]:
    for pattern in SHOWN:
        assert sender.captures(pattern) > 0, pattern
        sender.captures(pattern, "logs")

    def with_calls() -> list[dict]:
        items = asked(server, "traces?sort=-span_count&limit=200")["items"]
        calling = [trace for trace in items if trace["llm_calls"]]
        return calling if len(items) > 10 and len(calling) > 8 else []

    return eventually(with_calls, "the traces with their counted calls", 30)


def test_every_recorded_conversation_is_read(page: Page, traces: list[dict]) -> None:
    """No entry stays empty, none fails; what was not captured is said."""
    for trace in traces:
        page.goto(f"/traces/{trace['trace_id']}?view=transcript")
        feed = page.get_by_role("feed", name="transcript")
        expect(feed.get_by_role("article").first).to_be_visible()
        expect(feed.locator("[aria-busy=true]")).to_have_count(0)
        expect(feed.get_by_text("could not be read")).to_have_count(0)
        texts = feed.get_by_role("article").all_inner_texts()
        assert all(text.strip() for text in texts), trace


def test_every_call_tells_its_messages(page: Page, server: ServerProcess, traces: list[dict]) -> None:
    for trace in traces[:12]:
        spans = asked(server, f"traces/{trace['trace_id']}?view=tree")["spans"]
        call = next((span for span in spans if span.get("call", {}).get("counted")), None)
        if call is None:
            continue  # its calls' spans are in another trace
        page.goto(f"/traces/{trace['trace_id']}?view=waterfall&span={call['span_id']}&tab=messages")
        panel = page.get_by_role("tabpanel")
        expect(panel.locator(".turn, .flags").first).to_be_visible()
        said = asked(server, f"traces/{trace['trace_id']}/spans/{call['span_id']}/messages")
        if said["output"]:
            expect(panel.locator(".turn.is-answer")).to_have_count(len(said["output"]))


def test_a_tool_call_opens_with_its_arguments_laid_out(page: Page, server: ServerProcess, traces: list[dict]) -> None:
    spans = [
        (trace["trace_id"], span["span_id"])
        for trace in traces
        for span in asked(server, f"traces/{trace['trace_id']}?view=tree")["spans"]
        if span.get("call", {}).get("counted")
    ]
    for trace_id, span_id in spans:
        said = asked(server, f"traces/{trace_id}/spans/{span_id}/messages")
        calls = [part for message in said["output"] for part in message["parts"] if part["type"] == "tool_call" and part.get("arguments")]
        if calls:
            break
    else:
        pytest.fail("no recorded call asked for a tool")
    page.goto(f"/traces/{trace_id}?view=waterfall&span={span_id}&tab=messages")
    card = page.get_by_role("tabpanel").locator(".turn.is-answer .part-card").first
    expect(card).to_contain_text(calls[0]["name"])
    card.get_by_role("button").first.click()
    for key in calls[0]["arguments"]:
        expect(card.locator(".part-body")).to_contain_text(key)
