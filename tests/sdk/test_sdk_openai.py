"""OpenAI's client, traced by one line: what the provider saw is what the server counted."""

from __future__ import annotations

import pytest
from sdk_stage import Stage, agree

pytestmark = pytest.mark.slow


def test_calls_tokens_models_errors_and_streams_are_what_the_provider_saw(stage: Stage) -> None:
    seen = stage.play("clients", "openai_calls.py", "openai-app")
    rows = stage.calls("openai-app", len(seen) - 1)
    complete = [call for call in seen if not any(word in call.prompt for word in ("abandoned", "closed", "cancelled"))]
    agree([row for row in rows if row["session_id"] != "s-3"], complete, retried=1)

    first = next(row for row in rows if row["response_id"] == next(call.response_id for call in seen if "streamed [first" in call.prompt))
    assert first["ttft_ms"] >= 100
    assert first["tokens_per_second"] > 0


def test_a_stream_that_is_left_has_a_span_and_a_first_token(stage: Stage) -> None:
    left = [row for row in stage.calls("openai-app", 25) if row["session_id"] == "s-3"]
    assert len(left) == 3
    assert all(row["ttft_ms"] is not None and row["streaming"] for row in left)


def test_sessions_users_tags_and_metadata_reach_every_call(stage: Stage) -> None:
    rows = stage.calls("openai-app", 25)
    by_session = {name: [row for row in rows if row["session_id"] == name] for name in ("s-1", "s-2", "s-3")}
    assert sum(map(len, by_session.values())) == len(rows)
    assert {row["user_id"] for row in by_session["s-1"]} == {"u-1"}
    assert {tuple(row["tags"]) for row in by_session["s-1"]} == {("beta",)}
    gathered = {row["user_id"] for row in by_session["s-2"] if row["user_id"]}
    assert gathered == {"user-0", "user-1", "user-2", "user-3"}
    assert len([row for row in by_session["s-2"] if row["user_id"]]) == 8
    tenants = stage.sql(
        "SELECT DISTINCT attributes['metadata.tenant'] AS tenant FROM spans WHERE service_name = 'openai-app' AND session_id = 's-1'"
    )
    assert tenants == [{"tenant": "acme"}]


def test_an_agent_holds_its_calls_and_tools(stage: Stage) -> None:
    agent = stage.sql("SELECT trace_id, span_id FROM spans WHERE service_name = 'openai-app' AND observation_kind = 'agent'")
    assert len(agent) == 1
    below = stage.sql(
        f"SELECT observation_kind, input_tokens, attributes['input.value'] AS input, attributes['output.value'] AS output FROM spans"
        f" WHERE trace_id = '{agent[0]['trace_id']}' AND parent_span_id = '{agent[0]['span_id']}' ORDER BY start_ns"
    )
    assert [span["observation_kind"] for span in below] == ["llm", "tool", "tool", "llm"]
    assert below[1]["input"] == '{"city": "get_weather"}'
    assert below[1]["output"] == "sunny in get_weather"


def test_the_provider_is_not_told_who_asks(stage: Stage) -> None:
    told = [name for call in stage.provider.calls for name in ("traceparent", "baggage", "tracestate") if name in call.headers]
    assert stage.provider.calls
    assert not told
