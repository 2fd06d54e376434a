"""A stream that is broken, dropped, closed or cancelled has one span, which has ended and knows its first token, whatever the client."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sdk_stage import APPS, Stage
from test_sdk_examples import settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first waits for eight libraries to be imported
CLIENTS = ("anthropic", "bedrock", "cohere", "google", "groq", "mistral", "ollama", "litellm")
FATES = ("broken", "abandoned", "closed", "cancelled")


@pytest.fixture(scope="module")
def rows(stage: Stage) -> dict[str, list[dict[str, Any]]]:
    """What the server counted, by session."""

    def play(group: str) -> list[str]:
        done = stage.run(group, str(APPS / "left_streams.py"), service="left", timeout=500, **settings(stage.provider.url))
        return json.loads(done.stdout.splitlines()[-1])

    with ThreadPoolExecutor(2) as pool:
        sessions = [session for played in pool.map(play, ("clients", "gateways")) for session in played]
    counted = stage.calls("left-streams", len(sessions))
    return {session: [row for row in counted if row["session_id"] == session] for session in sessions}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fate", FATES)
def test_a_stream_that_ends_badly_is_one_call_with_a_first_token(rows: dict[str, list[dict[str, Any]]], client: str, fate: str) -> None:
    if (client, fate) == ("bedrock", "cancelled"):
        assert f"{client}-{fate}" not in rows  # boto3 has no asynchronous client
        return
    (row,) = rows[f"{client}-{fate}"]
    assert row["streaming"]
    assert row["ttft_ms"] is not None
    assert row["is_error"] or fate != "broken"
