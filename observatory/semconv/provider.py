"""Who answered: a model's or a host's name says it where a span does not."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

FRAMEWORKS = frozenset(
    (
        *("strands-agents", "strands", "langchain", "langgraph", "llamaindex", "llama_index", "crewai", "haystack"),
        *("inmemoryvectorstore", "litellm", "pydantic-ai", "agno", "dspy"),
    )
)
"""Written in the provider's place by instrumentations of frameworks; they sell no tokens."""

_HOSTS = (
    (re.compile(r"(^|\.)openai\.azure\.com$|(^|\.)cognitiveservices\.azure\.com$"), "azure.ai.openai"),
    (re.compile(r"(^|\.)(models|services)\.ai\.azure\.com$|(^|\.)inference\.ml\.azure\.com$"), "azure.ai.inference"),
    (re.compile(r"(^|\.)openai\.com$"), "openai"),
    (re.compile(r"(^|\.)anthropic\.com$"), "anthropic"),
    (re.compile(r"^generativelanguage\.googleapis\.com$"), "gcp.gemini"),
    (re.compile(r"(^|[.-])aiplatform\.googleapis\.com$"), "gcp.vertex_ai"),
    (re.compile(r"^bedrock(-[a-z-]+)?\..*amazonaws\.com(\.cn)?$"), "aws.bedrock"),
    (re.compile(r"(^|\.)mistral\.ai$"), "mistral_ai"),
    (re.compile(r"(^|\.)groq\.com$"), "groq"),
    (re.compile(r"(^|\.)deepseek\.com$"), "deepseek"),
    (re.compile(r"(^|\.)x\.ai$"), "x_ai"),
    (re.compile(r"(^|\.)(cohere\.com|cohere\.ai)$"), "cohere"),
    (re.compile(r"(^|\.)perplexity\.ai$"), "perplexity"),
    (re.compile(r"(^|\.)moonshot\.(ai|cn)$"), "moonshot_ai"),
    (re.compile(r"(^|\.)openrouter\.ai$"), "openrouter"),
    (re.compile(r"(^|\.)together\.(xyz|ai)$"), "together"),
    (re.compile(r"(^|\.)fireworks\.ai$"), "fireworks"),
)
# names that one maker alone gives; `llama`, `qwen` and the like are served by many, so they say nothing
_MODELS = (
    (
        re.compile(r"^((us|eu|apac|au|jp|ca|global)(-gov)?\.)?(amazon|anthropic|meta|mistral|cohere|ai21|deepseek|stability)\.[\w-]"),
        "aws.bedrock",
    ),
    (
        re.compile(
            r"^(ft:)?(gpt-[345]|gpt-image|gpt-realtime|gpt-audio|chatgpt-|o[134](-|$)|text-embedding-(3|ada)|text-davinci|davinci-|babbage-|whisper-|tts-1|"
            r"dall-e|computer-use-preview|codex-|omni-moderation)"
        ),
        "openai",
    ),
    (re.compile(r"^claude-"), "anthropic"),
    (re.compile(r"^(models/)?(gemini-|text-embedding-00|gemini-embedding|imagen-|veo-)"), "gcp.gemini"),
    (re.compile(r"^(mistral-|ministral-|codestral-|devstral-|magistral-|pixtral-|open-mi[sx]tral-|voxtral-)"), "mistral_ai"),
    (re.compile(r"^(command-|c4ai-|embed-(english|multilingual|v4)|rerank-(english|multilingual|v3|v4))"), "cohere"),
    (re.compile(r"^deepseek-(chat|reasoner|coder)$"), "deepseek"),
    (re.compile(r"^grok-"), "x_ai"),
    (re.compile(r"^sonar(-|$)"), "perplexity"),
    (re.compile(r"^(kimi-|moonshot-)"), "moonshot_ai"),
)


def of_host(address: str) -> str | None:
    """The provider that answers at a host name, or None."""
    return next((provider for pattern, provider in _HOSTS if pattern.search(address.lower())), None)


def of_model(model: str) -> str | None:
    """The maker of a model whose name nobody else gives, or None."""
    return next((provider for pattern, provider in _MODELS if pattern.match(model.lower())), None)


def is_framework(provider: str) -> bool:
    """Whether a provider's name is that of a framework that calls providers."""
    return provider.lower() in FRAMEWORKS


def host(address: str) -> str | None:
    """A host name, also out of a URL: some write the whole base URL as `server.address`."""
    address = address.strip()
    if "//" not in address:
        return address or None
    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


_NAMES = {
    "openai": "openai openai.chat openai.responses openai.completion openai.embedding openai.image openai.speech "
    "openai.transcription text-completion-openai",
    "anthropic": "anthropic anthropic.messages",
    "gcp.gemini": "gcp.gemini gemini google google_genai google.generative-ai google_ai_studio google-gla genai",
    "gcp.vertex_ai": "gcp.vertex_ai vertex_ai vertexai google.vertex google_vertexai google-vertex vertex.anthropic vertex_ai_beta",
    "azure.ai.openai": "azure.ai.openai az.ai.openai azure azure_openai azure-openai azure.chat azure.responses",
    "azure.ai.inference": "azure.ai.inference az.ai.inference azure_ai azure-ai",
    "aws.bedrock": "aws.bedrock bedrock aws amazon-bedrock amazon_bedrock bedrock_converse aws_bedrock",
    "mistral_ai": "mistral_ai mistral mistralai mistral.chat",
    "x_ai": "x_ai xai x-ai xai.chat",
    "cohere": "cohere cohere.chat cohere_chat",
    "groq": "groq groq.chat",
    "deepseek": "deepseek deepseek.chat",
    "perplexity": "perplexity",
    "moonshot_ai": "moonshot_ai moonshot",
    "ibm.watsonx.ai": "ibm.watsonx.ai watsonx ibm",
}
_KNOWN = {name: provider for provider, names in _NAMES.items() for name in names.split()}


def normalise(name: str) -> str | None:
    """A provider's name in the words of OpenTelemetry; one nobody here knows in lower case as it is; None for a framework's."""
    name = name.strip().lower()
    return None if not name or name in FRAMEWORKS else _KNOWN.get(name, name)
