"""What the tables alone make of every recorded payload, held against what truly happened.

What the bytes do not say, or say wrongly, is named here with its reason.
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import Any

import pytest
from recorded import Scenario, scenarios

SCENARIOS = [pytest.param(scenario, id=scenario.name) for scenario in scenarios()]

# Output tokens that an instrumentation makes up: (scenario, span) -> what it says instead of the truth.
MADE_UP = {
    ("openlit/stream", "chat gpt-4o-mini"): "guesses the usage of a stream that had none",
    ("openllmetry-clients/anthropic_cache", "anthropic.chat"): "adds the 1 of message_start to streams",
    ("openllmetry-clients/anthropic_stream", "anthropic.chat"): "adds the 1 of message_start to streams",
    ("openllmetry-clients/anthropic_tools", "anthropic.chat"): "adds the 1 of message_start to streams",
    ("openllmetry-clients-events/anthropic_tools", "anthropic.chat"): "adds the 1 of message_start to streams",
    ("openllmetry-0.43/anthropic_cache", "anthropic.chat"): "ends the span of a stream at once, with zeros",
}
# Response models that no span of the scenario says.
UNSAID_MODELS = {
    ("litellm-otel/chat", "gpt-5-mini-2025-08-07"): "LiteLLM exported two of three calls",
    ("openinference-langchain/rag", "text-embedding-3-small"): "embeddings have no span",
}
# Who it was, when the bytes do not say.
UNSAID_WHO = {"google-adk": "the user stays in the runner", "vercel-ai-7-json": "no runtimeContext"}


def inclusive(call: dict[str, Any]) -> int:
    """Input with the cached tokens; Anthropic's own figure is without them."""
    beside = call["api"].startswith("anthropic")
    return call["input_tokens"] + beside * ((call.get("cached_tokens") or 0) + (call.get("cache_write_tokens") or 0))


def outputs(call: dict[str, Any]) -> set[int]:
    """Output with the reasoning tokens; Gemini's own figure is without them."""
    return {call["output_tokens"], call["output_tokens"] + (call.get("reasoning_tokens") or 0) * call["api"].startswith("gemini")}


def answered(scenario: Scenario) -> list[dict[str, Any]]:
    return [call for call in scenario.calls if call["status"] == 200]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_models_that_answered_are_known(scenario: Scenario) -> None:
    said = {span[column] for span in scenario.spans for column in ("request_model", "response_model")}
    for call in answered(scenario):
        model = call["response_model"]
        assert (model in said or call["request_model"] in said) != ((scenario.name, model) in UNSAID_MODELS), model


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_span_that_names_its_response_says_its_usage(scenario: Scenario) -> None:
    calls = {call["response_id"]: call for call in answered(scenario) if call.get("response_id")}
    for span in scenario.spans:
        call = calls.get(span["response_id"])
        if call is None or span["observation_kind"] != "llm":
            continue
        if scenario.name != "litellm-otel/stream":  # which repeats the model that was asked for
            assert span["response_model"] == call["response_model"]
        assert span["streaming"] in (None, call["stream"])
        if (scenario.name, span["name"]) in MADE_UP:
            continue
        assert span["input_tokens"] in (None, call["input_tokens"], inclusive(call))
        assert span["output_tokens"] in (None, *outputs(call))
        for column, truth in (
            ("cache_read_tokens", "cached_tokens"),
            ("cache_write_tokens", "cache_write_tokens"),
            ("reasoning_tokens", "reasoning_tokens"),
        ):
            assert span[column] in (None, call.get(truth) or 0), column


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_usage_of_a_model_is_that_of_a_call_that_was_made(scenario: Scenario) -> None:
    if scenario.instrumentation == "handmade":
        pytest.skip("no call was made")
    made = Counter[tuple[int, int]]()
    for call in scenario.calls:
        if call.get("input_tokens") is not None and call.get("output_tokens") is not None:
            made.update({(tokens, out) for tokens in (call["input_tokens"], inclusive(call)) for out in outputs(call)})
    for span in scenario.spans:
        if span["observation_kind"] == "llm" and span["input_tokens"] is not None and (scenario.name, span["name"]) not in MADE_UP:
            assert made[span["input_tokens"], span["output_tokens"]], (span["name"], span["input_tokens"], span["output_tokens"])


def test_what_is_made_up_is_made_up() -> None:
    """An exception that is no longer one is taken off the list."""
    by_name = {scenario.name: scenario for scenario in scenarios()}
    for (name, span_name), reason in MADE_UP.items():
        truths = {out for call in by_name[name].calls if call.get("output_tokens") for out in outputs(call)}
        said = {span["output_tokens"] for span in by_name[name].spans if span["name"] == span_name} - {None}
        assert said - truths, (name, reason)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("who", ["session_id", "user_id"])
def test_who_it_was(scenario: Scenario, who: str) -> None:
    truth = scenario.expected.get(who) or scenario.expected.get(f"{who}_in_metadata")
    said = {span[who] for span in scenario.spans} - {None}
    if truth is None:
        return
    if scenario.instrumentation in UNSAID_WHO and not said:
        said_somewhere = any(truth in text for span in scenario.spans for _, text in span["attributes"])
        assert not said_somewhere, "the bytes do say it"
        return
    assert said == {truth}


KINDS = """
google-adk                llm        generate_content *
google-adk                tool       execute_tool *
google-adk                agent      invoke_agent *
google-adk                chain      invoke_workflow *
handmade                  llm        chat *|llm
handmade                  reranker   rerank
handmade                  retriever  retrieve|retrieval *
handmade                  evaluator  judge
handmade                  guardrail  guard
handmade                  chain      plan *|prompt|search_memory
langfuse-sdk              llm        OpenAI-generation|classify-ticket|gen
langfuse-sdk              embedding  OpenAI-embedding
langfuse-sdk              chain      handle-request
langfuse-sdk              agent      order-agent
langsmith-otel            llm        ChatOpenAI
langsmith-otel            tool       calculator|get_weather|search_policy
langsmith-otel            chain      ChatPromptTemplate|StrOutputParser|RunnableSequence|model|tools|support-run
litellm-otel              llm        litellm_request
litellm-otel              -          raw_gen_ai_request
mcp-sdk-native            tool       tools/call *
mcp-sdk-native            -          tools/list|server/discover|agent-turn
openinference-clients     llm        ChatCompletion|Response|GenerateContent*|messages.*|anthropic.messages.create
openinference-clients     embedding  CreateEmbeddings
openinference-langchain   llm        ChatOpenAI
openinference-langchain   retriever  VectorStoreRetriever
openinference-langchain   chain      Runnable*|model|tools|ChatPromptTemplate
openinference-openai-*    llm        response
openinference-openai-*    tool       get_weather|search_policy|handoff to *|broken
openinference-openai-*    agent      Shop agent|Triage agent|Guarded
openlit                   llm        chat *
openlit                   embedding  embeddings *
openlit                   -          POST
openllmetry-*             llm        *.chat|openai.response|anthropic.messages.create
openllmetry-*             embedding  openai.embeddings
openllmetry-*             tool       *.tool|execute_tool *
openllmetry-*             chain      *.task|*.workflow|execute_task *
openllmetry-*             agent      *.agent|create_agent *|invoke_agent *
openllmetry-langchain     retriever  vector_db_retrieve *
otel-*                    llm        chat *|generate_content *|anthropic.messages.create
otel-*                    embedding  embeddings *
pydantic-ai-*             llm        chat *|Chat Completion *
pydantic-ai-*             agent      agent run|invoke_agent *
pydantic-ai-*             tool       running tool|execute_tool *
strands-native            llm        chat
strands-native            chain      execute_event_loop_cycle
strands-native            agent      invoke_agent *
strands-native            tool       execute_tool *
vercel-ai-5-proto         llm        ai.*.doGenerate|ai.*.doStream
vercel-ai-5-proto         embedding  ai.embedMany.doEmbed
vercel-ai-5-proto         chain      ai.embedMany
vercel-ai-5-proto         agent      ai.generateText|ai.streamText|ai.generateObject
vercel-ai-5-proto         tool       ai.toolCall
vercel-ai-7-json          llm        chat *
vercel-ai-7-json          chain      step *
vercel-ai-7-json          agent      invoke_agent *
vercel-ai-7-json          tool       execute_tool *
web-mixed                 llm        chat *
web-mixed                 -          GET*|POST*|nightly-job|render-page
"""


@pytest.mark.parametrize("row", KINDS.strip().split("\n"))
def test_what_spans_are_is_known_by_what_they_are_called(row: str) -> None:
    which, kind, patterns = row.split(maxsplit=2)
    found = Counter(
        span["observation_kind"]
        for scenario in scenarios()
        if fnmatchcase(scenario.instrumentation, which)
        for span in scenario.spans
        if any(fnmatchcase(span["name"], pattern) for pattern in patterns.split("|"))
    )
    assert set(found) == {None if kind == "-" else kind}


SPEAKS = {
    "google-adk": "google_adk",
    "langfuse-sdk": "langfuse",
    "langsmith-otel": "langsmith",
    "litellm-otel": "litellm",
    "openinference-langchain": "openinference",
    "openinference-openai-agents": "openinference",
    "openlit": "openlit",
    "openllmetry-0.43": "openllmetry",
    "openllmetry-langchain": "openllmetry",
    "otel-genai-1.3": "otel",
    "otel-openai-v2": "otel",
    "otel-openai-v2-latest": "otel",
    "pydantic-ai-0.8": "logfire",
    "pydantic-ai-logfire": "logfire",
    "strands-native": "strands",
    "vercel-ai-5-proto": "vercel",
    "vercel-ai-7-json": "vercel",
}


@pytest.mark.parametrize("instrumentation", SPEAKS)
def test_whose_names_a_span_speaks(instrumentation: str) -> None:
    spans = [span for scenario in scenarios() if scenario.instrumentation == instrumentation for span in scenario.spans]
    said = {
        span["convention"] for span in spans if span["observation_kind"] is not None and span["scope_name"] != "com.anthropic.sdk.python"
    }
    assert said == {SPEAKS[instrumentation]}


def test_providers_have_their_names_of_the_conventions_and_frameworks_none() -> None:
    said = {span["provider"] for scenario in scenarios() for span in scenario.spans} - {None}
    assert said == {"openai", "anthropic", "gcp.gemini", "gcp.vertex_ai"}


def test_times_are_seconds_and_costs_dollars() -> None:
    for scenario in scenarios():
        for span in scenario.spans:
            seconds, dollars = span["time_to_first_token_s"], span["reported_cost_usd"]
            assert seconds is None or 0 < seconds < 3, (scenario.name, span["name"], seconds)
            assert dollars is None or 0 < dollars < 0.1, (scenario.name, span["name"], dollars)
    assert {"vercel-ai-5-proto", "vercel-ai-7-json", "otel-genai-1.3", "pydantic-ai-logfire"} <= {
        scenario.instrumentation for scenario in scenarios() for span in scenario.spans if span["time_to_first_token_s"]
    }
