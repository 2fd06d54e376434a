"""Anthropic's client, traced by one line."""

from __future__ import annotations

import pytest
from sdk_stage import Stage, agree

pytestmark = pytest.mark.slow


def test_calls_tokens_models_errors_and_streams_are_what_the_provider_saw(stage: Stage) -> None:
    seen = stage.play("clients", "anthropic_calls.py", "anthropic-app")
    rows = stage.calls("anthropic-app", len(seen) - 1)
    agree(
        [row for row in rows if row["session_id"] != "s-3"],
        [call for call in seen if "abandoned" not in call.prompt and "left" not in call.prompt],
        retried=1,
    )
    assert {row["user_id"] for row in rows if row["session_id"] == "s-1"} == {"u-1"}
    left = [row for row in rows if row["session_id"] == "s-3"]
    assert len(left) == 2
    assert all(row["ttft_ms"] is not None for row in left)
    first = next(row for row in rows if row["response_id"] == next(call.response_id for call in seen if "streamed [first" in call.prompt))
    assert first["ttft_ms"] >= 100
    assert not [call for call in seen if "baggage" in call.headers]
