"""Shapes of usage, answers, errors, reasons and providers as they come packed in attributes; figures as the providers document them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from calling_spans import call

from observatory.semconv import errors, finish, provider
from observatory.semconv.response import response_of
from observatory.semconv.tokens import usage_of

ANTHROPIC = {"input_tokens": 34, "output_tokens": 95, "cache_creation_input_tokens": 128, "cache_read_input_tokens": 3120}


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        # OpenAI: cached within the prompt, reasoning within the completion
        (
            {
                "prompt_tokens": 2304,
                "completion_tokens": 512,
                "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 7},
                "completion_tokens_details": {"reasoning_tokens": 384, "audio_tokens": 5},
            },
            (2304, 512, 1920, None, 384, None, 7, 5),
        ),
        (
            {
                "input_tokens": 1400,
                "output_tokens": 420,
                "input_tokens_details": {"cached_tokens": 1152},
                "output_tokens_details": {"reasoning_tokens": 320},
            },
            (1400, 420, 1152, None, 320, None, None, None),
        ),
        # Anthropic: 34 + 128 + 3120
        (ANTHROPIC, (3282, 95, 3120, 128, None, None, None, None)),
        (
            ANTHROPIC | {"cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 28}},
            (3282, 95, 3120, 128, None, 28, None, None),
        ),
        # Gemini: thoughts beside the candidates, what tools brought in beside the prompt
        (
            {
                "promptTokenCount": 412,
                "candidatesTokenCount": 96,
                "thoughtsTokenCount": 128,
                "cachedContentTokenCount": 256,
                "toolUsePromptTokenCount": 10,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 400}, {"modality": "AUDIO", "tokenCount": 12}],
            },
            (422, 224, 256, None, 128, None, 12, None),
        ),
        ({"prompt_token_count": 20, "candidates_token_count": 39, "thoughts_token_count": 96}, (20, 135, None, None, 96, None, None, None)),
        # Bedrock Converse: 30 + 100 + 20
        (
            {"inputTokens": 30, "outputTokens": 9, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 20},
            (150, 9, 100, 20, None, None, None, None),
        ),
        # LangChain's own: inclusive
        (
            {
                "input_tokens": 350,
                "output_tokens": 240,
                "input_token_details": {"audio": 10, "cache_creation": 200, "cache_read": 100},
                "output_token_details": {"audio": 10, "reasoning": 200},
            },
            (350, 240, 100, 200, 200, None, 10, 10),
        ),
        # langchain-anthropic names the lifetimes and writes 0 for their sum
        (
            {
                "input_tokens": 350,
                "output_tokens": 1,
                "input_token_details": {"cache_creation": 0, "ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
            },
            (350, 1, None, 100, None, 40, None, None),
        ),
        # Langfuse: the total says whether the parts are inside
        (
            {"input": 1200, "output": 300, "input_cached_tokens": 800, "output_reasoning_tokens": 120, "total": 1500},
            (1200, 300, 800, None, 120, None, None, None),
        ),
        (
            {"input": 400, "output": 180, "input_cached_tokens": 800, "output_reasoning_tokens": 120, "total": 1500},
            (1200, 300, 800, None, 120, None, None, None),
        ),
        ({"input": 2}, (2, None, None, None, None, None, None, None)),
        ({}, (None,) * 8),
        ([1], (None,) * 8),
        ({"input_tokens": "12", "output_tokens": True}, (None,) * 8),
    ],
)
def test_usage(usage: Any, counts: tuple[int | None, ...]) -> None:
    names = ("input", "output", "cache_read", "cache_write", "reasoning", "cache_write_1h", "input_audio", "output_audio")
    found = usage_of(usage)
    assert tuple(found.get(f"{name}_tokens") for name in names) == counts


def test_pythons_repr_is_read_as_data_only() -> None:
    row = call({"metadata.usage_object": "{'prompt_tokens': 17, 'completion_tokens': 35, 'prompt_tokens_details': None}"})
    assert (row["input_tokens"], row["output_tokens"]) == (17, 35)
    assert call({"metadata.usage_object": "__import__('os').getpid()"})["input_tokens"] is None
    assert call({"metadata.usage_object": "(" * 100_000})["input_tokens"] is None


def test_an_answer_in_json_that_a_model_wrote_is_no_response() -> None:
    assert response_of({"id": "5", "answer": "yes", "model": "mine"}) == {}
    row = call({"output.value": '{"id": "5", "status": "failed", "output": "text"}'})
    assert row["response_id"] is row["finish_reason"] is None and row["has_output"]


def test_a_response_that_calls_functions_ended_for_tools() -> None:
    said = {
        "object": "response",
        "id": "resp_1",
        "status": "completed",
        "output": [{"type": "function_call"}],
        "model": "gpt-4.1-2025-04-14",
    }
    row = call({"output.value": json.dumps(said)}, finish_reasons="stop", response_model="gpt-4.1")
    assert (row["response_id"], row["finish_reason"], row["model_name"]) == ("resp_1", "tool_call", "gpt-4.1-2025-04-14")


def test_a_finish_reason_in_a_span_event() -> None:
    events = [("gen_ai.user.message", 1, {"content": "x"}), ("gen_ai.choice", 5, {"finish_reason": "tool_use", "message": "[]"})]
    assert call(events=events)["finish_reason"] == "tool_call"
    assert call(events=events, finish_reasons="stop")["finish_reason"] == "stop"
    details = "gen_ai.client.inference.operation.details"
    answer = '[{"role":"assistant","parts":[],"finish_reason":"length"}]'
    row = call(events=[(details, 1, {"gen_ai.input.messages": "[]"}), (details, 2, {"gen_ai.output.messages": answer})])
    assert row["finish_reason"] == "length" and row["has_output"]
    assert not call(events=[(details, 1, {"gen_ai.input.messages": "[]"})])["has_output"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("stop STOP end_turn stop_sequence completed FinishReason.STOP", "stop"),
        ("length max_tokens MAX_TOKENS max_output_tokens incomplete", "length"),
        ("tool_call tool_calls tool-calls tool_use function_call", "tool_call"),
        ("content_filter content-filter SAFETY refusal guardrail_intervened", "content_filter"),
        ("error failed cancelled", "error"),
        ("none null FINISH_REASON_UNSPECIFIED unknown", None),
        ("pause_turn", "pause_turn"),
    ],
)
def test_finish_reasons(words: str, reason: str | None) -> None:
    assert {finish.normalise(word) for word in words.split()} == {reason}


@pytest.mark.parametrize(
    ("type_", "message", "status", "class_"),
    [
        ("RateLimitError", "", None, "rate_limit"),
        ("anthropic.OverloadedError", "", None, "overloaded"),
        ("_OTHER", "Error code: 529 - overloaded_error", None, "overloaded"),
        ("InternalServerError", "", None, "server_error"),
        ("BadRequestError", "", None, "bad_request"),
        ("openai.AuthenticationError", "", None, "auth"),
        ("PermissionDeniedError", "", None, "auth"),
        ("APITimeoutError", "", None, "timeout"),
        ("ReadTimeout", "", None, "timeout"),
        ("APIConnectionError", "Connection error.", None, "connection"),
        ("ConnectionRefusedError", "", None, "connection"),
        ("ContentFilterFinishReasonError", "", None, "content_filter"),
        ("TOOL_ERROR", "", None, "tool_error"),
        ("ValueError", "", None, "other"),
        (None, "", 404, "bad_request"),
        ("APIStatusError", "", 502, "server_error"),
        ("APIStatusError", "", 504, "timeout"),
        ("NotFoundError", "", None, "bad_request"),
    ],
)
def test_error_classes(type_: str | None, message: str, status: int | None, class_: str) -> None:
    assert errors.class_of(type_, message, status or errors.status_in(type_ or "") or errors.status_in(message)) == class_
    assert class_ in errors.CLASSES


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Error code: 429 - Rate limit reached for tokens: Limit 30000, Used 29411", 429),
        ("429 Too Many Requests", 429),
        ("429", 429),
        ("Client error '404 Not Found' for url", 404),
        ("status code 503", 503),
        ("got status: 500. {...}", 500),
        ("took 429 ms and 500 tokens", None),
        ("used 512 of 400 tokens", None),
        ("HTTP/1.1 401 Unauthorized", 401),
    ],
)
def test_status_in_words(text: str, status: int | None) -> None:
    assert errors.status_in(text) == status


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-2024-08-06", "openai"),
        ("o4-mini", "openai"),
        ("ft:gpt-4o-mini:acme", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock"),
        ("models/gemini-2.5-pro", "gcp.gemini"),
        ("mistral-small-latest", "mistral_ai"),
        ("grok-4", "x_ai"),
        ("llama-3.3-70b", None),
        ("openchat-3.5", None),
        ("gpt-oss-120b", None),
        ("", None),
    ],
)
def test_makers_of_models(model: str, name: str | None) -> None:
    assert provider.of_model(model) == name


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("api.openai.com", "openai"),
        ("notopenai.com", None),
        ("acme.openai.azure.com", "azure.ai.openai"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "aws.bedrock"),
        ("europe-west1-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("127.0.0.1", None),
    ],
)
def test_hosts(address: str, name: str | None) -> None:
    assert provider.of_host(address) == name
