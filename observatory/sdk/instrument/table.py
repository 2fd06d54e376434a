"""The table of libraries. A row: the module whose import is waited for, and the packages that can instrument it, the best first.

"Best" is judged against what a provider saw: calls, tokens (cached and reasoning, too), models, errors, finish reasons, streams, time to
first token, and whether the span of a broken or abandoned stream is sent at all; tests/sdk holds each first choice to it, docs/COST.md
has what the others lose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Package:
    """A distribution and its instrumentor: `module:Class`. With `call` it is no instrumentor but a function of the library itself."""

    distribution: str
    target: str
    call: bool = False


@dataclass(frozen=True, slots=True)
class Library:
    """A library by the name of our extra, with the modules whose import switches it on."""

    name: str
    modules: tuple[str, ...]
    packages: tuple[Package, ...]
    streams: tuple[str, ...] = ()
    """Functions that give a stream (`module:Class.method`), where an instrumentation tells no time to first token or leaves a span open."""
    before: str = ""
    """Instrumented when this function (`module:Class.method`) is first called, not when it is imported: an instrumentation that reads
    what the application sets up only later."""
    kind: str = "model"
    """`model`, `framework`, or `context` for what only carries the trace on."""
    env: Mapping[str, str] = field(default_factory=dict)


def _genai(name: str, cls: str) -> Package:
    return Package(f"opentelemetry-instrumentation-genai-{name.replace('_', '-')}", f"opentelemetry.instrumentation.genai.{name}:{cls}")


def _openinference(name: str, cls: str) -> Package:
    return Package(f"openinference-instrumentation-{name.replace('_', '-')}", f"openinference.instrumentation.{name}:{cls}")


def _openllmetry(name: str, cls: str) -> Package:
    return Package(f"opentelemetry-instrumentation-{name.replace('_', '-')}", f"opentelemetry.instrumentation.{name}:{cls}")


_otel = _openllmetry  # the same naming, other authors

LIBRARIES: tuple[Library, ...] = (
    Library(
        "openai",
        ("openai",),
        (
            _genai("openai", "OpenAIInstrumentor"),
            _openinference("openai", "OpenAIInstrumentor"),
            Package("opentelemetry-instrumentation-openai-v2", "opentelemetry.instrumentation.openai_v2:OpenAIInstrumentor"),
            _openllmetry("openai", "OpenAIInstrumentor"),
        ),
    ),
    Library(
        "anthropic",
        ("anthropic",),
        (
            _genai("anthropic", "AnthropicInstrumentor"),
            _openinference("anthropic", "AnthropicInstrumentor"),
            _openllmetry("anthropic", "AnthropicInstrumentor"),
        ),
        streams=tuple(
            f"anthropic.resources.{room}:{client}.stream"
            for room in ("messages", "beta.messages")
            for client in ("Messages", "AsyncMessages")
        ),
    ),
    Library(
        "google-genai",
        ("google.genai",),
        (
            Package("opentelemetry-instrumentation-google-genai", "opentelemetry.instrumentation.google_genai:GoogleGenAiSdkInstrumentor"),
            _openinference("google_genai", "GoogleGenAIInstrumentor"),
            _openllmetry("google_generativeai", "GoogleGenerativeAiInstrumentor"),
        ),
        streams=("google.genai.models:Models.generate_content_stream", "google.genai.models:AsyncModels.generate_content_stream"),
    ),
    Library(
        "mistral",
        ("mistralai", "mistralai.client"),
        (_openinference("mistralai", "MistralAIInstrumentor"), _openllmetry("mistralai", "MistralAiInstrumentor")),
        # the span is not current while its request is sent: unwatched, trace and baggage would be given to the provider
        streams=("mistralai.client.chat:Chat.stream_async", "mistralai.chat:Chat.stream_async"),
    ),
    Library(
        "groq",
        ("groq",),
        (_openllmetry("groq", "GroqInstrumentor"), _openinference("groq", "GroqInstrumentor")),
        streams=("groq.resources.chat.completions:Completions.create", "groq.resources.chat.completions:AsyncCompletions.create"),
    ),
    Library(
        "cohere",
        ("cohere",),
        (_openinference("cohere", "CohereInstrumentor"), _openllmetry("cohere", "CohereInstrumentor")),
        streams=("cohere.v2.client:V2Client.chat_stream", "cohere.v2.client:AsyncV2Client.chat_stream"),
    ),
    Library(
        "bedrock",
        ("boto3",),
        (
            _genai("bedrock", "BedrockInstrumentor"),
            _openinference("bedrock", "BedrockInstrumentor"),
            _openllmetry("bedrock", "BedrockInstrumentor"),
        ),
    ),
    Library(
        "ollama",
        ("ollama",),
        (_openinference("ollama", "OllamaInstrumentor"), _openllmetry("ollama", "OllamaInstrumentor")),
        streams=tuple(f"ollama._client:{client}.{method}" for client in ("Client", "AsyncClient") for method in ("chat", "generate")),
    ),
    Library(
        "litellm",
        ("litellm",),
        (_openinference("litellm", "LiteLLMInstrumentor"),),
        streams=("litellm:completion", "litellm:acompletion"),
    ),
    Library(
        "langchain",
        ("langchain_core",),
        (
            _genai("langchain", "LangChainInstrumentor"),
            _openinference("langchain", "LangChainInstrumentor"),
            _openllmetry("langchain", "LangchainInstrumentor"),
        ),
        kind="framework",
    ),
    Library(
        "llama-index",
        ("llama_index.core",),
        (
            _openinference("llama_index", "LlamaIndexInstrumentor"),
            _genai("llama_index", "LlamaIndexInstrumentor"),
            _openllmetry("llamaindex", "LlamaIndexInstrumentor"),
        ),
        kind="framework",
    ),
    Library(
        "crewai",
        ("crewai",),
        (_openinference("crewai", "CrewAIInstrumentor"), _openllmetry("crewai", "CrewAIInstrumentor")),
        kind="framework",
    ),
    Library(
        "openai-agents",
        ("agents",),
        (
            _genai("openai_agents", "OpenAIAgentsInstrumentor"),
            _openinference("openai_agents", "OpenAIAgentsInstrumentor"),
            _openllmetry("openai_agents", "OpenAIAgentsInstrumentor"),
        ),
        kind="framework",
    ),
    Library(
        "pydantic-ai", ("pydantic_ai",), (Package("pydantic-ai-slim", "pydantic_ai:Agent.instrument_all", call=True),), kind="framework"
    ),
    Library("mcp", ("mcp",), (_openinference("mcp", "MCPInstrumentor"), _openllmetry("mcp", "McpInstrumentor")), kind="framework"),
    Library("httpx", ("httpx",), (_otel("httpx", "HTTPXClientInstrumentor"),), kind="context"),
    Library(
        "httpx2",
        ("httpx2",),
        (Package("opentelemetry-instrumentation-httpx", "opentelemetry.instrumentation.httpx:HTTPX2ClientInstrumentor"),),
        kind="context",
    ),
    Library("requests", ("requests",), (_otel("requests", "RequestsInstrumentor"),), kind="context"),
    Library("urllib3", ("urllib3",), (_otel("urllib3", "URLLib3Instrumentor"),), kind="context"),
    Library("aiohttp-client", ("aiohttp",), (_otel("aiohttp_client", "AioHttpClientInstrumentor"),), kind="context"),
    Library("aiohttp-server", ("aiohttp.web",), (_otel("aiohttp_server", "AioHttpServerInstrumentor"),), kind="context"),
    Library("fastapi", ("fastapi",), (_otel("fastapi", "FastAPIInstrumentor"),), kind="context"),
    Library("starlette", ("starlette.applications",), (_otel("starlette", "StarletteInstrumentor"),), kind="context"),
    Library("flask", ("flask",), (_otel("flask", "FlaskInstrumentor"),), kind="context"),
    Library(
        "django",
        ("django.core.handlers.base",),
        (_otel("django", "DjangoInstrumentor"),),
        # any earlier it would configure Django's settings with nothing in them, and the application's own could not be set any more
        before="django.core.handlers.base:BaseHandler.load_middleware",
        kind="context",
    ),
    Library(
        "grpc",
        ("grpc",),
        (Package("opentelemetry-instrumentation-grpc", "opentelemetry.instrumentation.grpc:GrpcInstrumentorClient"),),
        kind="context",
    ),
    Library("celery", ("celery",), (_otel("celery", "CeleryInstrumentor"),), kind="context"),
)
