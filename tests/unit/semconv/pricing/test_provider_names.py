"""Who bills a call: official names, what libraries make of them, addresses, prefixes, and who must not be guessed."""

from __future__ import annotations

import pytest

from observatory.semconv.pricing.aliases import provider_name
from observatory.semconv.pricing.bundled import bundled
from observatory.semconv.pricing.plan import Kind
from observatory.semconv.pricing.prices import Prices

PRICES = Prices(bundled())


@pytest.mark.parametrize(
    ("reported", "billed_by"),
    [
        # the official values of gen_ai.provider.name
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("aws.bedrock", "aws"),
        ("azure.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("cohere", "cohere"),
        ("deepseek", "deepseek"),
        ("gcp.gemini", "google"),
        ("gcp.vertex_ai", "google"),
        ("gcp.gen_ai", "google"),
        ("groq", "groq"),
        ("mistral_ai", "mistral"),
        ("moonshot_ai", "moonshotai"),
        ("perplexity", "perplexity"),
        ("x_ai", "x-ai"),
        # older ones, and what libraries send
        ("az.ai.openai", "azure"),
        ("azure_openai", "azure"),
        ("azure-openai.chat", "azure"),
        ("Azure", "azure"),
        ("OpenAI", "openai"),
        ("openai.chat", "openai"),
        ("openai.responses", "openai"),
        ("openai.embedding", "openai"),
        ("anthropic.messages", "anthropic"),
        ("Anthropic", "anthropic"),
        ("google.generative-ai", "google"),
        ("google_genai", "google"),
        ("vertex_ai", "google"),
        ("vertexai", "google"),
        ("gemini", "google"),
        ("bedrock", "aws"),
        ("amazon-bedrock", "aws"),
        ("aws.bedrock.converse", "aws"),
        ("mistralai", "mistral"),
        ("xai", "x-ai"),
        ("xai.chat", "x-ai"),
        ("together_ai", "together"),
        ("fireworks_ai", "fireworks"),
        ("moonshot", "moonshotai"),
        # no provider that bills by the table
        ("ibm.watsonx.ai", None),
        ("langchain", None),
        ("strands-agents", None),
        ("ollama", None),
        ("llama.cpp", None),
    ],
)
def test_a_reported_provider_is_who_bills(reported: str, billed_by: str | None) -> None:
    provider = bundled().provider(provider_name(reported) or "")
    assert (provider.id if provider else None) == billed_by


@pytest.mark.parametrize("reported", [None, "", "  "])
def test_nothing_reported_is_nobody(reported: str | None) -> None:
    assert provider_name(reported) is None


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        # whose address was called wins over what the client is called
        (Kind("openai", "gpt-4o", None, "acme.openai.azure.com", None), "azure>openai/gpt-4o"),
        (Kind("openai", "grok-4-0709", None, "api.x.ai", None), "x-ai>x-ai/grok-4-0709"),
        (Kind("anthropic", "claude-haiku-4-5", None, "us-east5-aiplatform.googleapis.com", None), "google>google/claude-haiku-4-5"),
        (Kind("openai", "gpt-4o", None, "https://api.openai.com/v1", None), "openai>openai/gpt-4o"),
        # an address that nobody is known by changes nothing
        (Kind("openai", "gpt-4o", None, "llm-gateway.internal", None), "openai>openai/gpt-4o"),
        # the response's model before the request's, at each of who may bill
        (Kind("openai", "gpt-4o-2024-11-20", "gpt-4.1", None, None), "openai>openai/gpt-4o"),
        (Kind("openai", "deployment", "gpt-4.1", None, None), "openai>openai/gpt-4.1"),
        # prefixes of gateways and routers
        (Kind("litellm", "anthropic/claude-haiku-4-5", None, None, None), "anthropic>anthropic/claude-haiku-4-5"),
        (Kind(None, "bedrock/amazon.nova-pro-v1:0", None, None, None), "aws>aws/amazon.nova-pro-v1:0"),
        (Kind("openrouter", "openai/gpt-4o", None, None, None), "openrouter>openrouter/openai/gpt-4o"),
        # nobody
        (Kind("ollama", "deepseek-chat", None, "localhost", None), None),
        (Kind(None, "ollama/deepseek-chat", None, None, None), None),
        (Kind("vllm", "gpt-4o", None, None, None), None),
        (Kind("openai", None, None, None, None), None),
    ],
)
def test_a_call_finds_its_price(kind: Kind, found: str | None) -> None:
    answer = PRICES.find(kind)
    assert (f"{answer[0].id}>{answer[1].id}/{answer[2].id}" if answer else None) == found
