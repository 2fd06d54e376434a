"""Every recorded instrumentation: what the provider answered and what the user asked is what the normalised messages say."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest
from captured import calls, conversations, meta, names, said, spans

from observatory.semconv.messages import genai
from observatory.semconv.messages.kinds import LLM, kind_of
from observatory.semconv.messages.normalise import conversation
from observatory.semconv.messages.span import CarriedSpan

NO_CONTENT = "content was not captured"
NO_IDS = "the log records that say it have no trace and span ids"
BROKEN = "the stream broke; the client saw its beginning"
DROPPED = "the instrumentation exports no span, or none with an answer, for this call"
# What the bytes of a capture do not say: {capture: {number of the call: why}}. The test fails when one of these appears after all.
UNSAID = {
    "google-adk/agent": dict.fromkeys(range(4), NO_CONTENT),
    "langfuse-sdk/errors": {7: BROKEN},
    "litellm-otel/chat": {1: DROPPED},
    "openlit/chat": {1: "OpenLIT joins the texts of two choices in one"},
    "openlit/errors": {7: DROPPED},
    "openllmetry-0.43/anthropic_cache": {2: DROPPED},
    "openllmetry-0.43/errors": {6: "OpenLLMetry says FILTERED instead of a filtered text", 7: DROPPED},
    "openllmetry-clients-events/anthropic_tools": dict.fromkeys(range(3), NO_IDS),
    "openllmetry-clients-events/stream": dict.fromkeys(range(2), NO_IDS),
    "openllmetry-clients-events/tools": {2: NO_IDS},
    "openllmetry-clients/errors": {7: BROKEN},
    "otel-genai-1.3-nocontent/chat": dict.fromkeys(range(2), NO_CONTENT),
    "otel-genai-1.3-nocontent/tools": dict.fromkeys(range(3), NO_CONTENT),
    "otel-genai-1.3/errors": {7: BROKEN},
    "otel-openai-v2-latest/errors": {7: BROKEN},
}
_RESPONSE_IDS = ("gen_ai.response.id", "ai.response.id")


@pytest.mark.parametrize("capture", names())
def test_answers_are_what_the_provider_said(capture):
    outputs = [message for _, found in conversations(capture) for message in found.output]
    missing = set()
    for number, call in enumerate(meta(capture).get("provider_calls", [])):
        text, tools = call.get("text"), Counter(call.get("tool_calls") or [])
        if text and not any(said(message).strip() == text.strip() for message in outputs):
            missing.add(number)
        if tools and not any(Counter(made["name"] for made in calls(message)) == tools for message in outputs):
            missing.add(number)
        if UNSAID.get(capture, {}).get(number) == BROKEN:
            assert any(said(message) and text.startswith(said(message)) for message in outputs), (capture, number)
    assert missing == UNSAID.get(capture, {}).keys()


@pytest.mark.parametrize("capture", names())
def test_a_span_says_the_answer_of_its_own_call(capture):
    """Where a span names the response: no other call's answer, nothing twice, nothing besides."""
    unsaid = UNSAID.get(capture, {})
    numbered = enumerate(meta(capture).get("provider_calls", []))
    answers = {call["response_id"]: call for number, call in numbered if call.get("response_id") and number not in unsaid}
    for span, found in conversations(capture):
        call = answers.get(span.text(*_RESPONSE_IDS) or "")
        if call is None or not found.output or kind_of(span) != LLM:
            continue
        if call.get("text"):
            assert call["text"].strip() in {said(message).strip() for message in found.output}, span.name
        tools = Counter(call.get("tool_calls") or [])
        assert len(found.output) == call.get("choices", 1), span.name
        assert Counter(made["name"] for message in found.output for made in calls(message)) == tools, span.name


# What the recorded programs ask, by scenario: every instrumentation ran the same programs.
_SHOP = "May I return an opened hedge trimmer?"
_SLOGAN = "Give me a one-line slogan for a bakery. Zwei Varianten, bitte – 日本語でも可."
ASKED = {
    "chat": ("What is the capital of Portugal?", _SLOGAN),
    "stream": ("Explain hash maps in two sentences.", "Say hello in French."),
    "tools": ("Compare the weather in Lisbon and Osaka.", "How is the weather in Lisbon?"),
    "anthropic_tools": ("Compare the weather in Lisbon and Osaka.", "How is the weather in Lisbon?"),
    "anthropic_stream": ("Explain the Calvin cycle", "Explain binary search"),
    "anthropic_cache": (_SHOP, "And a used spade?", "And batteries?"),
    "anthropic_thinking": ("Is 1763 prime?",),
    "cached_reasoning": (_SHOP, "Prove that the square root of two is irrational."),
    "responses": ("What is the refund policy?", "Explain photosynthesis", "How is the weather in Lisbon?", "A long answer please"),
    "responses_stream": ("Write a SQL query for top customers",),
    "embeddings": ("refund policy", "delivery times", "warranty for hedge trimmers", "single string"),
    "parallel": tuple(f"Summarise paragraph {number} of the contract." for number in range(8)),
}
_CLIENTS = (
    "openinference-clients", "openlit", "openllmetry-0.43", "openllmetry-clients", "openllmetry-clients-events", "otel-genai-1.3",
    "otel-genai-1.3-grpc", "otel-genai-1.3-nocontent", "otel-openai-v2", "otel-openai-v2-latest", "langfuse-sdk",
)  # fmt: skip
UNASKED = {
    "otel-genai-1.3-nocontent/chat": NO_CONTENT,
    "otel-genai-1.3-nocontent/tools": NO_CONTENT,
    "otel-openai-v2/embeddings": NO_CONTENT,
    "otel-openai-v2-latest/embeddings": NO_CONTENT,
    "openllmetry-clients-events/anthropic_tools": NO_IDS,
}


@pytest.mark.parametrize("capture", [name for name in names() if name.split("/")[0] in _CLIENTS and name.split("/")[1] in ASKED])
def test_questions_are_what_the_user_asked(capture):
    asked = {said(message) for _, found in conversations(capture) for message in found.input if message["role"] == "user"} - {""}
    expected = set(ASKED[capture.split("/")[1]])
    if capture in UNASKED:
        assert not asked
    else:
        assert asked == expected


@pytest.mark.parametrize("capture", names())
def test_a_call_without_content_says_so_and_one_with_content_does_not(capture):
    for span, found in conversations(capture):
        if kind_of(span) == LLM:
            unsaid = {flag["where"] for flag in found.flags if flag["flag"] == "not_captured"}
            assert bool(found.input) != ("input" in unsaid), span.name
            assert not (found.output and "output" in unsaid), span.name


@pytest.mark.parametrize("capture", names())
def test_a_tool_call_is_the_same_wherever_it_is_told(capture):
    """In the answer, in the histories of later requests, in the span of the tool: same name, same arguments, fit for the tool."""
    told = defaultdict(set)
    for span, found in conversations(capture):
        schemas = {tool.get("name"): tool.get("parameters") for tool in found.tool_definitions}
        for message in [*found.input, *found.output]:
            for made in calls(message):
                assert isinstance(made["arguments"], dict), made
                told[made.get("id")].add((made["name"], json.dumps(made["arguments"], sort_keys=True)))
                if schema := schemas.get(made["name"]):
                    assert set(schema.get("required", ())) <= made["arguments"].keys() <= schema["properties"].keys()
        if found.tool and found.tool.get("id") and "arguments" in found.tool:
            told[found.tool["id"]].add(
                (span.text("gen_ai.tool.name", "ai.toolCall.name"), json.dumps(found.tool["arguments"], sort_keys=True))
            )
    told.pop(None, None)
    assert [each for each in told.items() if len(each[1]) > 1] == []


@pytest.mark.parametrize("capture", names())
def test_tool_spans_have_arguments_and_result(capture):
    for span, found in conversations(capture):
        if kind_of(span) == "tool":
            assert found.tool and found.tool["name"], span.name
            assert not found.input
            assert not found.output
            if "arguments" in found.tool:
                assert found.tool["arguments"] not in (None, "")


@pytest.mark.parametrize("capture", names())
def test_normalised_messages_are_canonical(capture):
    """Law: sent again in the convention's own form they are the same."""
    for span, found in conversations(capture):
        again = conversation(
            CarriedSpan(
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.input.messages": json.dumps(found.input),
                    "gen_ai.output.messages": json.dumps(found.output),
                    "gen_ai.system_instructions": json.dumps(found.system_instructions),
                    "gen_ai.tool.definitions": json.dumps(found.tool_definitions),
                }
            )
        )
        assert (again.input, again.output) == (found.input, found.output), span.name
        assert (again.system_instructions, again.tool_definitions) == (found.system_instructions, found.tool_definitions)


def test_span_and_log_record_say_the_same():
    """Law: where an instrumentation sends both, either alone gives the same conversation."""
    compared = 0
    for span in (span for capture in names() for span in spans(capture)):
        if "gen_ai.output.messages" not in span.attributes or not any(
            "gen_ai.output.messages" in record.attributes for record in span.logs
        ):
            continue
        whole = conversation(span)
        bare = {
            key: value for key, value in span.attributes.items() if not key.endswith((".messages", "system_instructions", "definitions"))
        }
        by_logs = conversation(CarriedSpan(span.name, span.scope_name, bare, (), span.logs))
        assert (by_logs.input, by_logs.output) == (whole.input, whole.output)
        assert by_logs.source["output"] == genai.LOG_EVENT
        compared += 1
    assert compared > 20


def test_vectors_are_never_shown():
    for capture in names():
        if "embed" in capture or "rag" in capture:
            for span, found in conversations(capture):
                assert "0.6751" not in json.dumps([found.input, found.output, found.tool, found.documents]), span.name
