"""docs/CONVENTIONS.md shows exactly the rows of the tables."""

from __future__ import annotations

from pathlib import Path

from observatory.semconv import conventions

PAGE = Path(__file__).parents[3] / "docs" / "CONVENTIONS.md"
WHOSE = (
    (("langfuse.",), "Langfuse"),
    (("langsmith.",), "LangSmith"),
    (("traceloop.", "gen_ai.openai.", "llm.usage.", "llm.request.type", "llm.is_", "llm.user", "gen_ai.is_", "gen_ai.user"), "OpenLLMetry"),
    (("gen_ai.prompt.0.", "gen_ai.completion.0.", "gen_ai.usage.reasoning_tokens"), "OpenLLMetry"),
    (("opentelemetry.instrumentation.",), "OpenLLMetry"),
    (("gen_ai.usage.cache_read_input", "gen_ai.usage.cache_creation_input"), "OpenLLMetry"),
    (("gen_ai.usage.cache_write_input", "strands."), "Strands"),
    (("gen_ai.usage.details.", "operation.cost", "agent_name", "model_name", "all_messages_events", "pydantic"), "pydantic-ai"),
    (("logfire.",), "Logfire"),
    (("gen_ai.cost.", "litellm", "error.code", "error.llm_provider"), "LiteLLM"),
    (("gen_ai.usage.cost", "telemetry.sdk.name", "gen_ai.request.user"), "OpenLIT"),
    (("gcp.vertex.agent",), "Google ADK"),
    (("ai.", "gen_ai.client.operation."), "Vercel AI SDK"),
    (("anthropic.",), "Anthropic SDK"),
    (("observatory.",), "ours"),
    (("openinference.", "llm.", "embedding.", "reranker.", "tool.name", "agent.name", "tag.tags", "prompt.id"), "OpenInference"),
    (
        ("gen_ai.", "openai.", "error.type", "http.", "server.", "net.", "enduser.", "mcp.", "event.", "service.", "deployment."),
        "OpenTelemetry",
    ),
    (("session.id", "user.id"), "OpenTelemetry, OpenInference, Langfuse"),
    (("tags",), "Strands"),
)


def whose(key: str, where: str) -> str:
    if where == "scope" and key == "gen_ai":
        return "Vercel AI SDK"
    return next(name for prefixes, name in WHOSE if key.startswith(prefixes))


def tables() -> str:
    """The part of the page below `## Columns`."""
    by_column: dict[str, list[str]] = {}
    lists: dict[str, list[str]] = {}
    for line in (conventions.ORIGIN + conventions.SPANS + conventions.LOGS).split("\n"):
        words = line.partition("#")[0].split()
        if words and words[0].startswith("@"):
            lists.setdefault(words[0], []).extend(words[1:])
        elif words:
            column, where, key, *rules = words
            at = "" if where == "span" else f" ({where})"
            read = f"`{' '.join(rules)}`" if rules else ""
            by_column.setdefault(column, []).append(f"| `{key}`{at} | {whose(key, where)} | {read} |")
    said = ["\n".join([f"### {column}", "| key | of | read as |", "|---|---|---|", *rows]) for column, rows in by_column.items()]
    said.append("\n".join(["## Lists", *(f"* `{name}`: `{' '.join(words)}`" for name, words in lists.items())]))
    return "\n\n".join(said)


def test_the_page_shows_the_tables() -> None:
    _, _, below = PAGE.read_text().partition("## Columns\n")
    assert below.strip() == tables(), (
        "write the output of tests/unit/semconv/test_conventions_page.py:tables below `## Columns` of docs/CONVENTIONS.md"
    )
