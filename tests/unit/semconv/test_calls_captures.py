"""What real instrumentations sent, against what the provider they called knows it answered.

Every call that succeeded is looked for among the candidates: by its response id where the span has it, else by its figures. What is not
in the bytes is listed in ABSENT, with the reason; an entry that is not needed any more fails too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from observatory.model.signal import Signal
from observatory.otlp.decode import decoders
from observatory.otlp.json import to_protobuf
from observatory.semconv import errors, finish
from observatory.semconv.calls import read_calls

CAPTURES = Path(__file__).parents[2] / "data" / "captures"
ALL = sorted(str(meta.parent.relative_to(CAPTURES)) for meta in CAPTURES.glob("*/*/meta.json"))

Row = dict[str, Any]
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
CALL = "call"
ABSENT: dict[str, tuple[set[str], str]] = {
    "langfuse-sdk/errors": ({"finish_reason"}, "only streams say why they ended"),
    "langfuse-sdk/openai": ({"finish_reason"}, "only streams say why they ended"),
    "langfuse-sdk/tools": ({"finish_reason"}, "only streams and answers that ask for tools say why they ended"),
    "litellm-otel/chat": ({CALL}, "the library exported two of three calls"),
    "litellm-otel/stream": ({"model_name"}, "the response's model is only in the repeated request below"),
    "openinference-clients/gemini_tools": ({CALL}, "two calls of automatic function calling are one span with the usage of the last"),
    "openinference-langchain/rag": ({CALL}, "embeddings have no span"),
    "openlit/cached_reasoning": ({"reasoning_tokens"}, "never sent"),
    "openlit/stream": ({"input_tokens", "output_tokens"}, "guessed where the provider sent no usage"),
    "openllmetry-0.43/anthropic_cache": ({CALL}, "the span of messages.stream() ends at once with zero tokens"),
    "openllmetry-0.43/cached_reasoning": ({"reasoning_tokens"}, "never sent"),
    "openllmetry-0.43/lc_agent": ({"finish_reason"}, "only answers that ask for tools say why they ended"),
    "openllmetry-0.43/lc_chain": ({"finish_reason"}, "not sent"),
    "openllmetry-0.43/lc_rag": ({CALL, "finish_reason"}, "the second embedding has no span"),
    "openllmetry-0.43/lc_stream": ({"model_name", "finish_reason", "streaming"}, "not sent"),
    "openllmetry-langchain/reasoning": ({"reasoning_tokens"}, "never sent"),
    "openllmetry-langchain/stream": ({"model_name", "streaming"}, "the model asked for is sent as the one that answered"),
    "otel-openai-v2/stream": ({"finish_reason", "streaming"}, "in log records only"),
    "otel-openai-v2/tools": ({"finish_reason", "streaming"}, "in log records only, of streams"),
    "otel-openai-v2-latest/cached_reasoning": ({"cache_read_tokens", "reasoning_tokens"}, "never sent"),
    "pydantic-ai-0.8/delegation": ({"finish_reason"}, "only answers that ask for tools say why they ended"),
    "pydantic-ai-0.8/multi_turn": ({"finish_reason"}, "only answers that ask for tools say why they ended"),
    "pydantic-ai-0.8/stream": ({"model_name", "finish_reason", "streaming"}, "not sent"),
    "strands-native/agent": ({"model_name"}, "the response's model is never sent"),
    "strands-native/multi_turn": ({"model_name"}, "the response's model is never sent"),
    "vercel-ai-5-proto/responses_reasoning": ({"cache_read_tokens", "reasoning_tokens"}, "not sent"),
}
"""Truths that are not in the spans of a capture, and why."""


@cache
def meta(capture: str) -> dict[str, Any]:
    return json.loads((CAPTURES / capture / "meta.json").read_text())


@cache
def candidates(capture: str) -> list[Row]:
    """The candidates of a capture that are calls by their kind, one batch a request."""
    batches = []
    for path in sorted((CAPTURES / capture).glob("*.traces.*")):
        body = path.read_bytes()
        decoded = decoders().spans([to_protobuf(Signal.SPANS, body) if path.suffix == ".json" else body], 5, [None])
        batches.append(decoded.rows)
    rows = read_calls(batches).to_pylist()
    return [row for row in rows if row["observation_kind"] in ("llm", "embedding") and row["never_counts"] is None]


def expected(call: dict[str, Any]) -> Row:
    """What the provider knows of a call, in our columns; what it did not send the client is nobody's to know."""
    tokens = {
        "input_tokens": call.get("input_tokens_inclusive", call.get("input_tokens")),
        "output_tokens": call.get("output_tokens_inclusive", call.get("output_tokens")),
        "cache_read_tokens": call.get("cached_tokens"),
        "cache_write_tokens": call.get("cache_write_tokens"),
        "reasoning_tokens": call.get("reasoning_tokens"),
    }
    if not call.get("usage_sent", True):
        tokens = dict.fromkeys(tokens)
    reasons = call.get("finish_reasons")
    return {
        **tokens,
        "model_name": call["response_model"],
        "finish_reason": finish.reason(reasons[0]) if reasons else None,
        "streaming": bool(call.get("stream")),
    }


def differences(wanted: Row, row: Row) -> set[str]:
    """Columns in which a row is not what was wanted. A part of 0 tokens is as good as one not mentioned, no stream as good as unknown."""
    return {name for name, value in wanted.items() if (row[name] or None) != (value or None)}


def answered(capture: str) -> Iterator[dict[str, Any]]:
    for call in meta(capture).get("provider_calls", ()):
        if call["status"] == 200 and not call.get("aborted"):
            yield call


def best(capture: str, call: dict[str, Any]) -> tuple[Row | None, set[str]]:
    """The row of this call and what is wrong with it; of rows without the id the one that is least wrong in its tokens."""
    rows = candidates(capture)
    wanted = expected(call)
    mine = [row for row in rows if row["response_id"] and row["response_id"] == call.get("response_id")] or [
        row for row in rows if row["response_id"] is None
    ]
    judged = [(row, differences(wanted, row)) for row in mine]
    return min(judged, key=lambda each: (len(each[1] & {"input_tokens", "output_tokens"}), len(each[1])), default=(None, {CALL}))


@pytest.mark.parametrize("capture", [name for name in ALL if any(answered(name))])
def test_every_answered_call_is_among_the_candidates(capture: str) -> None:
    absent, _ = ABSENT.get(capture, (set[str](), ""))
    wrong = [(call["api"], call.get("response_id"), difference) for call in answered(capture) if (difference := best(capture, call)[1])]
    if CALL in absent:
        wrong, lost = (
            [each for each in wrong if not each[2] & {CALL, "input_tokens"}],
            [each for each in wrong if each[2] & {CALL, "input_tokens"}],
        )
        assert lost, "no call is lost any more"
    assert [each for each in wrong if each[2] - absent] == []
    assert set[str]().union(*(each[2] for each in wrong)) == absent - {CALL}, "what is absent is there after all"


BY_HAND = [name for name in ALL if not meta(name).get("provider_calls") and "total_input_tokens" in meta(name)["expected"]]


@pytest.mark.parametrize("capture", BY_HAND)
def test_sums_of_calls_reported_by_hand(capture: str) -> None:
    said = meta(capture)["expected"]
    rows = [row for row in candidates(capture) if row["observation_kind"] == "llm"]
    for column, name in zip(TOKENS, ("input", "output", "cached", "cache_write", "reasoning"), strict=True):
        assert sum(row[column] or 0 for row in rows) == said[f"total_{name}_tokens"], column


@pytest.mark.parametrize("capture", ALL)
def test_failed_calls_are_errors_of_their_class(capture: str) -> None:
    failed = [row for row in candidates(capture) if row["is_error"]]
    calls = meta(capture).get("provider_calls", [])
    # what failed and was answered next was tried again inside the SDK: no span knows of it
    retried = [call["status"] >= 400 and after["status"] == 200 for call, after in pairwise(calls)]
    for status in {call["status"] for call, again in zip(calls, [*retried, False], strict=False) if call["status"] >= 400 and not again}:
        wanted = errors.class_of(None, "", status)
        assert any(row["error_class"] == wanted for row in failed), (status, [(row["error_type"], row["error_class"]) for row in failed])
    said = meta(capture)["expected"]
    if not said.get("llm_errors") and not said.get("logical_llm_errors"):
        assert not [row for row in failed if row["observation_kind"] == "llm"]


def test_time_to_first_token_is_no_less_than_the_provider_took() -> None:
    measured: dict[str, int] = {}
    for capture in ALL:
        for call in answered(capture):
            row, _ = best(capture, call)
            if call["api"] == "openai.responses":
                continue  # its streams begin with events that hold no token, and everyone measures to the first event
            if call.get("ttft_s") and row is not None and row["response_id"] and row["ttft_ns"] is not None:
                assert call["ttft_s"] * 1e9 <= row["ttft_ns"] <= row["duration_ns"], (capture, row)
                measured[capture.split("/")[0]] = measured.get(capture.split("/")[0], 0) + 1
    assert {"otel-genai-1.3", "openinference-clients", "openllmetry-clients", "vercel-ai-7-json", "openlit"} <= measured.keys()
