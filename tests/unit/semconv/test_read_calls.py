"""Spans to candidates: which spans, and what their columns mean."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from calling_spans import START, call, span, spans
from hypothesis import given, settings, strategies as st

from observatory.semconv.calls import CANDIDATES, read_calls
from observatory.semconv.packed import READERS
from observatory.semconv.usage import COUNTS

MS = 10**6


# ── which spans


def test_nothing_gives_the_schema() -> None:
    assert read_calls([]).schema == CANDIDATES
    assert read_calls([spans()]).schema == CANDIDATES
    assert read_calls([spans(span(name="GET /"))]).num_rows == 0


@pytest.mark.parametrize("kind", ["llm", "embedding", "reranker"])
def test_calls_are_candidates_without_usage(kind: str) -> None:
    row = call(observation_kind=kind)
    assert row["observation_kind"] == kind and not row["has_usage"] and not row["has_output"]


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"observation_kind": "agent"}, "agent"),
        ({"observation_kind": "tool"}, "chain"),
        ({"observation_kind": None, "request_model": "gpt-4o"}, "llm"),
        ({"observation_kind": None, "response_model": "gpt-4o", "agent_name": "boss"}, "agent"),
        ({"observation_kind": None, "request_model": "text-embedding-3-small", "operation": "embeddings"}, "embedding"),
        ({"observation_kind": None}, "chain"),
    ],
)
def test_other_spans_are_candidates_by_their_usage(columns: dict[str, Any], kind: str) -> None:
    assert read_calls([spans(span(**columns))]).num_rows == 0
    assert call(**columns, input_tokens=3)["observation_kind"] == kind
    packed = {"langfuse.observation.usage_details": '{"input": 3, "output": 1}'}
    assert call(packed, **columns)["input_tokens"] == 3
    assert read_calls([spans(span({"langfuse.observation.usage_details": "{}"}, **columns))]).num_rows == 0


def test_rows_keep_their_order_across_batches() -> None:
    rows = [span(observation_kind=("llm", None, "embedding")[i % 3], response_id=f"r{i}", request_model=f"m{i}") for i in range(30)]
    whole = read_calls([spans(*rows)])
    parts = read_calls([spans(*rows[i : i + 7]) for i in range(0, 30, 7)])
    sliced = read_calls([spans(*rows).slice(0, 11), spans(*rows).slice(11)])
    assert whole.to_pylist() == parts.to_pylist() == sliced.to_pylist()
    assert whole["response_id"].to_pylist() == [f"r{i}" for i in range(30) if i % 3 != 1]


def test_packed_attributes_find_their_row_in_slices() -> None:
    rows = [
        span(
            {"a": "1", "langfuse.observation.usage_details": f'{{"input": {i + 1}, "output": 2}}'},
            observation_kind="llm" if i % 2 else None,
        )
        for i in range(9)
    ]
    batch = spans(*rows)
    read = read_calls([batch.slice(0, 2), batch.slice(2, 3), batch.slice(5)])
    assert read["input_tokens"].to_pylist() == list(range(1, 10))


# ── usage


def test_cached_tokens_beside_the_input_are_added_when_that_is_certain() -> None:
    row = call(input_tokens=34, output_tokens=95, cache_read_tokens=3120, cache_write_tokens=128)
    assert (row["input_tokens"], row["usage_flags"]) == (3282, "made_inclusive")


def test_cached_tokens_within_the_input_stay_there() -> None:
    row = call(input_tokens=3282, cache_read_tokens=3120, cache_write_tokens=128)
    assert (row["input_tokens"], row["usage_flags"]) == (3282, None)


def test_an_emitter_known_to_count_beside_is_added_though_it_could_be_inside() -> None:
    columns: dict[str, Any] = {"input_tokens": 5000, "cache_read_tokens": 3000, "provider": "anthropic"}
    assert call(**columns, scope_name="openlit.instrumentation.anthropic")["input_tokens"] == 8000
    assert call(**columns, scope_name="opentelemetry.instrumentation.anthropic")["input_tokens"] == 5000
    assert call(**{**columns, "provider": "openai"}, scope_name="openlit.instrumentation.openai")["input_tokens"] == 5000


def test_a_repeated_usage_object_says_what_the_input_means() -> None:
    usage = {"input_tokens": 5000, "output_tokens": 9, "cache_read_input_tokens": 3000, "cache_creation_input_tokens": 0}
    packed = {"ai.response.providerMetadata": json.dumps({"anthropic": {"usage": usage}})}
    assert call(packed, input_tokens=5000)["input_tokens"] == 8000
    assert call(packed, input_tokens=8000)["input_tokens"] == 8000
    assert call(packed)["input_tokens"] == 8000
    assert call(packed, input_tokens=5000)["cache_read_tokens"] == 3000


def test_reasoning_beside_the_output_is_added_when_that_is_certain() -> None:
    assert call(output_tokens=96, reasoning_tokens=128)["output_tokens"] == 224
    assert call(output_tokens=224, reasoning_tokens=128)["output_tokens"] == 224


def test_missing_usage_is_null_and_zero_usage_is_missing() -> None:
    row = call(input_tokens=0, output_tokens=0, cache_read_tokens=0)
    assert not row["has_usage"] and [row[name] for name in COUNTS] == [None] * len(COUNTS)
    row = call(input_tokens=12)
    assert row["has_usage"] and row["output_tokens"] is None
    assert call(input_tokens=12, output_tokens=0)["output_tokens"] == 0


def test_parts_beyond_their_whole_are_clamped_and_flagged() -> None:
    row = call(input_tokens=100, cache_write_tokens=10, cache_write_1h_tokens=30, input_audio_tokens=200)
    assert (row["cache_write_1h_tokens"], row["input_audio_tokens"], row["usage_flags"]) == (10, 100, "clamped")


def test_a_part_of_nothing_is_nothing() -> None:
    row = call(input_tokens=0, input_audio_tokens=5)
    assert not row["has_usage"] and row["input_audio_tokens"] is row["usage_flags"] is None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {name: st.none() | st.integers(-5, 5000) | st.integers(-(2**63), 2**63 - 1) for name in COUNTS},
        )
        | st.fixed_dictionaries({name: st.none() | st.integers(0, 50) for name in COUNTS}),
        max_size=6,
    ),
    st.sampled_from(["", "openlit.instrumentation.anthropic", "strands.telemetry.tracer"]),
)
def test_counts_mean_what_their_names_say(counts: list[dict[str, Any]], scope: str) -> None:
    rows = read_calls([spans(*(span(observation_kind="llm", scope_name=scope, provider="anthropic", **each) for each in counts))])
    for row, sent in zip(rows.to_pylist(), counts, strict=True):
        known = [row[name] for name in COUNTS if row[name] is not None]
        assert row["has_usage"] == bool(known) and (not known or any(known)) and all(value >= 0 for value in known)
        if row["input_tokens"] is not None:
            assert row["input_tokens"] >= (row["cache_read_tokens"] or 0) + (row["cache_write_tokens"] or 0)
            assert row["input_tokens"] >= (row["input_audio_tokens"] or 0)
        if row["output_tokens"] is not None:
            assert row["output_tokens"] >= (row["reasoning_tokens"] or 0)
        assert all(sent[name] is not None for name in COUNTS if row[name] is not None), "a count was made up"


# ── time


def test_ttft_of_a_column_or_of_the_first_event() -> None:
    assert call(time_to_first_token_s=0.25)["ttft_ns"] == 250 * MS
    chunks = [("gen_ai.content.completion.chunk", 300 * MS, {}), ("gen_ai.content.completion.chunk", 200 * MS, {}), ("other", 5, {})]
    row = call(events=chunks)
    assert row["ttft_ns"] == 200 * MS and row["streaming"] and row["has_output"]
    assert call(events=chunks, time_to_first_token_s=0.1)["ttft_ns"] == 100 * MS
    assert call(events=[("exception", 3, {})])["ttft_ns"] is None


def test_ttft_beyond_the_end_extends_the_duration() -> None:
    row = call(events=[("First Token Stream Event", 969 * MS, {})], duration_ns=48 * MS)
    assert row["ttft_ns"] == row["duration_ns"] == 969 * MS
    assert call({"ai.response.msToFinish": "1500.5"}, duration_ns=48 * MS)["duration_ns"] == 1_500_500_000
    assert call({"ai.response.msToFinish": "15"}, duration_ns=48 * MS)["duration_ns"] == 48 * MS


def test_ttft_of_langfuse_is_a_moment() -> None:
    row = call({"langfuse.observation.completion_start_time": '"2026-11-23T07:46:40.250Z"'}, start_ns=START, duration_ns=10**9)
    assert row["ttft_ns"] == 250 * MS and row["streaming"]


def test_server_ttft_means_milliseconds_or_seconds_by_its_emitter() -> None:
    key = "gen_ai.server.time_to_first_token"
    assert call({key: "85"}, scope_name="strands.telemetry.tracer")["ttft_ns"] == 85 * MS
    assert call({key: "0.085"}, scope_name="openlit.instrumentation.openai", streaming=True)["ttft_ns"] == 85 * MS
    assert call({key: "0.085"}, scope_name="openlit.instrumentation.openai", streaming=False)["ttft_ns"] is None


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 1e300])
def test_nonsense_is_no_ttft(seconds: float) -> None:
    assert call(time_to_first_token_s=seconds)["ttft_ns"] is None


# ── names


def test_model_and_provider() -> None:
    row = call(request_model="gpt-4o", response_model="gpt-4o-2024-08-06")
    assert (row["model_name"], row["request_model"], row["provider"]) == ("gpt-4o-2024-08-06", "gpt-4o", "openai")
    assert call(request_model="gpt-4o")["model_name"] == "gpt-4o"
    assert call(request_model="claude-sonnet-4-5", provider="langchain")["provider"] == "anthropic"
    assert call(request_model="llama-3", server_address="https://api.groq.com/openai/v1")["provider"] == "groq"
    assert call(request_model="gpt-4o", server_address="127.0.0.1", provider="OpenAI")["provider"] == "openai"
    assert call(request_model="llama-3")["provider"] is None
    assert call(server_address="http://127.0.0.1:28899/v1/")["server_address"] == "127.0.0.1"


def test_application_is_of_the_resource() -> None:
    resource = {"service.name": "web", "service.namespace": "shop", "observatory.project": "checkout"}
    assert call(resource=json.dumps(resource))["application"] == "checkout"
    del resource["observatory.project"]
    assert call(resource=json.dumps(resource))["application"] == "shop"
    assert call(resource='{"service.name":"web"}')["application"] == "web"
    assert call(resource="{}")["application"] == call(resource="[")["application"] == "unknown_service"


def test_what_never_counts() -> None:
    assert call(input_tokens=3, observation_kind="agent", scope_name="strands.telemetry.tracer")["never_counts"] == "cumulative_usage"
    assert call(scope_name="strands.telemetry.tracer")["never_counts"] is None
    assert call(operation="fetch_response")["never_counts"] == "no_model_call"
    assert call({"langsmith.span.kind": "prompt"})["never_counts"] == "no_model_call"
    assert call({"langsmith.span.kind": "llm"})["never_counts"] is None
    assert call(name="raw_gen_ai_request")["never_counts"] == "repeats_call"
    assert call(scope_name="com.anthropic.sdk.python")["native_sdk"]
    assert not call(scope_name="openinference.instrumentation.anthropic")["native_sdk"]


# ── outcome


def test_finish_reason_is_the_first_that_says_something() -> None:
    assert call(finish_reasons='["tool_calls","stop"]')["finish_reason"] == "tool_call"
    assert call(finish_reasons="MAX_TOKENS")["finish_reason"] == "length"
    assert call(finish_reasons='["weird"]')["finish_reason"] == "weird"
    assert call(finish_reasons="[]")["finish_reason"] is None
    messages = {"gen_ai.output.messages": '[{"role":"assistant","parts":[],"finish_reason":"tool_call"}]'}
    assert call(messages)["finish_reason"] == "tool_call"
    assert call(messages, finish_reasons='["stop"]')["finish_reason"] == "stop"


def test_errors_by_type_status_and_words() -> None:
    row = call(error_type="openai.RateLimitError", status_code=2)
    assert row["is_error"] and row["error_class"] == "rate_limit" and row["http_status_code"] is None
    raised = [("exception", 5, {"exception.type": "anthropic.OverloadedError", "exception.message": "x"})]
    row = call(status_code=2, status_message="Error code: 529 - overloaded", events=raised)
    assert (row["error_type"], row["error_class"], row["http_status_code"]) == ("anthropic.OverloadedError", "overloaded", 529)
    assert call(error_type="429")["http_status_code"] == 429
    assert call(error_type="_OTHER")["error_class"] == "other"
    assert call({"error.code": "500"}, status_code=2)["error_class"] == "server_error"
    row = call({"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "Error code: 429 - slow down"})
    assert row["is_error"] and (row["error_class"], row["http_status_code"]) == ("rate_limit", 429)
    row = call(events=raised, status_message="429")
    assert not row["is_error"] and row["error_type"] is row["error_class"] is row["http_status_code"] is None


def test_reported_cost_of_zero_is_unknown() -> None:
    assert call(reported_cost_usd=0.0)["reported_cost_usd"] is None
    assert call(reported_cost_usd=2.355e-05)["reported_cost_usd"] == Decimal("0.000023550000")
    assert call({"langfuse.observation.cost_details": '{"input": 0.0018, "output": 0.003}'})["reported_cost_usd"] == Decimal("0.0048")


@pytest.mark.parametrize(
    ("state", "count"),
    [
        ("", None),
        ("vendor=1", None),
        ("ot=th:0", 1.0),
        ("ot=th:8", 2.0),
        ("ot=th:c;rv:123456789abcde", 4.0),
        ("vendor=th:8,ot=rv:123456789abcde;th:fd70a", 99.9977),
        ("ot=th:", None),
        ("ot=th:C", None),
        ("ot=th:123456789abcdef", None),
        ("ot=rv:123456789abcde", None),
        ("not=th:8", None),
    ],
)
def test_adjusted_count(state: str, count: float | None) -> None:
    read = call(trace_state=state)["adjusted_count"]
    assert read is None if count is None else read == pytest.approx(count, rel=1e-6)


def test_a_full_threshold_is_finite() -> None:
    assert call(trace_state="ot=th:ffffffffffffff")["adjusted_count"] == 2**56


# ── anything


_KEYS = [
    *(
        "usage",
        "choices",
        "generations",
        "candidates",
        "message",
        "kwargs",
        "output",
        "id",
        "object",
        "type",
        "finish_reason",
        "stop_reason",
    ),
    *("input", "total", "prompt_tokens", "input_tokens", "output_tokens", "input_tokens_details", "cached_tokens", "promptTokenCount"),
    *("anthropic", "serviceTier", "cache_read_input_tokens", "input_token_details", "promptTokensDetails", "stream", "model", "llm_output"),
]
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
_texts = (
    _json.map(lambda value: json.dumps(value)) | _json.map(repr) | st.text(max_size=20) | st.sampled_from(["[" * 5000, "(" * 500, "1e999"])
)
_columns = st.fixed_dictionaries(
    {},
    optional={
        "observation_kind": st.none() | st.sampled_from(["llm", "agent", "embedding", "x"]),
        "name": st.text(max_size=5),
        "scope_name": st.sampled_from(["strands.telemetry.tracer", "openlit.x", "", "ai"]),
        "start_ns": st.integers(-(2**63), 2**63 - 1),
        "duration_ns": st.integers(-(2**63), 2**63 - 1),
        "status_code": st.integers(-(2**31), 2**31 - 1) | st.just(2),
        "status_message": st.text(max_size=9),
        "trace_state": st.text(max_size=9) | st.text("ot=h:;,0f", max_size=12),
        "resource": _texts,
        "finish_reasons": _texts,
        "server_address": st.text(max_size=9) | st.just("http://[::1"),
        "request_model": st.text(max_size=4),
        "provider": st.text(max_size=4),
        "error_type": st.text(max_size=4),
        "http_status_code": st.integers(-(2**63), 2**63 - 1),
        "time_to_first_token_s": st.floats(),
        "reported_cost_usd": st.floats(),
        "input_tokens": st.integers(-(2**63), 2**63 - 1),
        "events": st.lists(
            st.tuples(
                st.sampled_from(["exception", "gen_ai.choice", "First Token Stream Event", "x"]),
                st.integers(-5, 5),
                st.dictionaries(st.sampled_from(["exception.type", "y"]), st.text(max_size=4), max_size=2),
            ),
            max_size=3,
        ),
    },
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(_columns, st.dictionaries(st.sampled_from([r.key for r in READERS]) | st.text(max_size=4), _texts, max_size=4)),
        max_size=5,
    )
)
def test_never_raises_and_always_gives_the_schema(rows: list[tuple[dict[str, Any], dict[str, str]]]) -> None:
    made = [span(attributes, **columns) for columns, attributes in rows]
    table = read_calls([spans(*made[:2]), spans(*made[2:])])
    assert table.schema == CANDIDATES
    table.validate(full=True)
    for column in ("native_sdk", "has_usage", "has_output", "is_error", "observation_kind", "application", "trace_id", "duration_ns"):
        assert table[column].null_count == 0
