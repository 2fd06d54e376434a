"""What LLM applications call: models, embeddings, retrieval and tools, with the attributes of the current GenAI conventions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.trace import SpanKind

from observatory.cli.traffic.people import EMBEDDING, Model
from observatory.cli.traffic.scene import Failed, Scene

# How calls to a model fail in the field, and how often among the failures.
FAILURES = (
    (0.45, "RateLimitError", "Error code: 429 - Rate limit reached for requests per minute"),
    (0.25, "APITimeoutError", "Request timed out after 30 s"),
    (0.20, "InternalServerError", "Error code: 503 - The server is overloaded"),
    (0.10, "BadRequestError", "Error code: 400 - prompt is too long: 214,112 tokens > 200,000 maximum"),
)


async def chat(
    scene: Scene,
    model: Model,
    prompt: Sequence[Mapping[str, Any]],
    answer: str,
    *,
    who: Mapping[str, str],
    rules: str = "",
    tool: tuple[str, Mapping[str, str]] | None = None,
    stream: bool = False,
    cached: int = 0,
    reasoning: int = 0,
    finish: str = "stop",
    failing: float = 0.02,
) -> str:
    """One call. With `tool`, the answer is a call of that tool; returns its id. Raises Failed as often as `failing` says."""
    asked: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": model.provider,
        "gen_ai.request.model": model.name,
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 4096,
        "gen_ai.input.messages": json.dumps(list(prompt), ensure_ascii=False),
        "server.address": model.host,
        "server.port": 443,
        **who,
    }
    if stream:
        asked["gen_ai.request.stream"] = True
    if rules:
        asked["gen_ai.system_instructions"] = json.dumps([{"type": "text", "content": rules}])
    begin, call = scene.pace.now(), _id(scene, "call")
    with scene.span(f"chat {model.name}", asked, SpanKind.CLIENT) as span:
        if scene.chance(failing):
            await fail(scene)
        first = await scene.spend(model.first_token_s)
        parts: list[dict[str, Any]] = [{"type": "text", "content": answer}] if answer else []
        if tool:
            finish = "tool_call"
            parts.append({"type": "tool_call", "id": call, "name": tool[0], "arguments": dict(tool[1])})
        said = tokens(json.dumps(parts, ensure_ascii=False)) + reasoning
        await scene.spend(said / model.tokens_per_s, 0.15)
        read = cached + tokens(rules) + sum(tokens(json.dumps(message, ensure_ascii=False)) for message in prompt)
        span.set_attributes(
            {
                "gen_ai.response.id": _id(scene, "msg" if model.provider == "anthropic" else "chatcmpl"),
                "gen_ai.response.model": model.served_as,
                "gen_ai.response.finish_reasons": [finish],
                "gen_ai.usage.input_tokens": read,
                "gen_ai.usage.output_tokens": said,
                "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts, "finish_reason": finish}], ensure_ascii=False),
            }
        )
        if stream:
            span.set_attribute("gen_ai.response.time_to_first_chunk", round(first, 6))
        if cached:
            span.set_attribute("gen_ai.usage.cache_read.input_tokens", cached)
        if reasoning:
            span.set_attribute("gen_ai.usage.reasoning.output_tokens", reasoning)
    labels = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": model.provider, "gen_ai.request.model": model.name}
    scene.service.duration.record((scene.pace.now() - begin) / 1e9, labels)
    scene.service.tokens.record(read, {**labels, "gen_ai.token.type": "input"})
    scene.service.tokens.record(said, {**labels, "gen_ai.token.type": "output"})
    return call


async def fail(scene: Scene) -> None:
    """Take the time a failure takes, then raise it."""
    _, kind, message = scene.dice.choices(FAILURES, [share for share, *_ in FAILURES])[0]
    await scene.spend(8.0 if kind == "APITimeoutError" else 0.25)
    raise Failed(kind, message)


async def embed(scene: Scene, text: str, who: Mapping[str, str]) -> None:
    """One embedding of a text."""
    asked = {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": EMBEDDING.provider,
        "gen_ai.request.model": EMBEDDING.name,
        "gen_ai.embeddings.dimension.count": 1536,
        "server.address": EMBEDDING.host,
        **who,
    }
    with scene.span(f"embeddings {EMBEDDING.name}", asked, SpanKind.CLIENT) as span:
        await scene.spend(EMBEDDING.first_token_s)
        span.set_attributes({"gen_ai.response.model": EMBEDDING.served_as, "gen_ai.usage.input_tokens": tokens(text)})


async def retrieve(scene: Scene, question: str, documents: Sequence[str], who: Mapping[str, str], source: str = "help-center") -> None:
    """Embed the question and search with it."""
    asked = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": source,
        "gen_ai.retrieval.top_k": len(documents),
        "gen_ai.retrieval.query.text": question,
        **who,
    }
    with scene.span(f"retrieval {source}", asked, SpanKind.CLIENT) as span:
        await embed(scene, question, who)
        with scene.span("SELECT chunks", {"db.system.name": "postgresql", "db.operation.name": "SELECT"}, SpanKind.CLIENT):
            await scene.spend(0.018)
        found = [{"id": f"doc-{i + 1}", "score": round(0.91 - 0.07 * i, 2), "content": text} for i, text in enumerate(documents)]
        span.set_attribute("gen_ai.retrieval.documents", json.dumps(found, ensure_ascii=False))


async def tool(
    scene: Scene,
    name: str,
    arguments: Mapping[str, str],
    result: str,
    who: Mapping[str, str],
    call: str = "",
    seconds: float = 0.12,
    failing: float = 0.03,
) -> None:
    """Run a tool, as the model's `call` wished. Raises Failed as often as `failing` says."""
    asked = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": call or _id(scene, "call"),
        "gen_ai.tool.call.arguments": json.dumps(dict(arguments), ensure_ascii=False),
        **who,
    }
    with scene.span(f"execute_tool {name}", asked) as span:
        await scene.spend(seconds, 0.6)
        if scene.chance(failing):
            raise Failed("ToolTimeout", f"{name} did not answer within 5 s")
        span.set_attribute("gen_ai.tool.call.result", result)


def exchange(name: str, call: str, arguments: Mapping[str, str], result: str) -> list[dict[str, Any]]:
    """The two messages of a tool call: the model's wish and what came of it."""
    wish = {"type": "tool_call", "id": call, "name": name, "arguments": dict(arguments)}
    came = {"type": "tool_call_response", "id": call, "response": result}
    return [{"role": "assistant", "parts": [wish]}, {"role": "tool", "parts": [came]}]


def message(role: str, content: str) -> dict[str, Any]:
    """A message of one text part."""
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def tokens(text: str) -> int:
    """About as many as a tokenizer finds: four bytes of UTF-8 each."""
    return len(text.encode()) // 4 + (1 if text else 0)


def _id(scene: Scene, prefix: str) -> str:
    return f"{prefix}_{scene.dice.getrandbits(96):024x}"
