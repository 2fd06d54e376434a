"""Believable LLM traffic as OTLP: agents of eight spans each, about 0.8 kB a span, prompts and answers on a quarter of them.

For benchmarks, the demo and tests. The same seed gives the same bytes.
"""

from __future__ import annotations

import json
import random
import time
from itertools import accumulate
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

SPANS_PER_TRACE = 8

_SERVICES = ("claims-desk", "garden-helper", "legal-search", "night-porter", "sql-tutor", "ticket-sorter", "trip-planner", "wiki-writer")
_MODELS = (
    ("openai", "gpt-5-mini", "gpt-5-mini-2025-08-07", "api.openai.com"),
    ("openai", "gpt-4o", "gpt-4o-2024-11-20", "api.openai.com"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "api.anthropic.com"),
    ("gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash", "generativelanguage.googleapis.com"),
    ("mistral_ai", "mistral-small-latest", "mistral-small-2506", "api.mistral.ai"),
)
_TOOLS = ("find_order", "read_calendar", "query_warehouse", "open_ticket", "convert_currency")
_ROUTES = ("/api/chat", "/api/ask", "/v1/agent", "/hooks/mail")
_ERRORS = ("RateLimitError: 429 too many requests", "TimeoutError: no answer within 30 s", "ToolError: argument 'city' is missing")
_SCOPES = ("opentelemetry.instrumentation.asgi", "opentelemetry.instrumentation.agents", "opentelemetry.instrumentation.openai_v2")
_SYLLABLES = (
    "ba",
    "cor",
    "den",
    "el",
    "fi",
    "gra",
    "ho",
    "in",
    "ket",
    "lo",
    "men",
    "na",
    "or",
    "pli",
    "que",
    "ra",
    "sti",
    "ter",
    "u",
    "ven",
)


def build(traces: int, seed: int, now: int | None = None) -> bytes:
    """One ExportTraceServiceRequest of one service: `traces` whole traces of eight spans, begun in the seconds before `now` (ns)."""
    return request(traces, seed, now).SerializeToString()


def request(traces: int, seed: int, now: int | None = None) -> ExportTraceServiceRequest:
    """What `build` serialises."""
    return _Writer(random.Random(seed), time.time_ns() if now is None else now).request(traces, seed)


class _Writer:
    def __init__(self, rng: random.Random, now: int) -> None:
        self.rng, self.now = rng, now
        self.vocabulary = ["".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4))) for _ in range(3000)]
        # words are used as Zipf has it, so that text compresses like text
        self.frequency = list(accumulate(1 / rank for rank in range(1, len(self.vocabulary) + 1)))

    def request(self, traces: int, seed: int) -> ExportTraceServiceRequest:
        rng, out = self.rng, ExportTraceServiceRequest()
        resource = out.resource_spans.add()
        service = _SERVICES[seed % len(_SERVICES)]
        _put(
            resource.resource,
            {
                "service.name": service,
                "service.version": f"1.{seed % 7}.0",
                "deployment.environment.name": rng.choice(("production", "production", "staging")),
                "host.name": f"node-{seed % 16:02d}",
                "k8s.pod.name": f"{service}-{self.hex(9)}-{self.hex(5)}",
                "process.pid": 2000 + seed % 5000,
                "telemetry.sdk.language": "python",
                "telemetry.sdk.name": "opentelemetry",
                "telemetry.sdk.version": "1.38.0",
            },
        )
        scopes = []
        for name in _SCOPES:
            scopes.append(resource.scope_spans.add())
            scopes[-1].scope.name, scopes[-1].scope.version = name, "0.59b0"
        for _ in range(traces):
            self.trace(service, *scopes)
        return out

    def trace(self, service: str, web: ScopeSpans, agents: ScopeSpans, models: ScopeSpans) -> None:
        """request > agent > (retrieve > embed, chat, tool, chat, guard)."""
        rng = self.rng
        took = int(rng.lognormvariate(0.4, 0.6) * 1e9)
        start = self.now - took - rng.randrange(3_000_000_000)
        trace_id, ids = rng.randbytes(16), [rng.randbytes(8) for _ in range(SPANS_PER_TRACE)]
        provider, model, served, host = rng.choice(_MODELS)
        session = {
            "gen_ai.conversation.id": f"conv_{self.hex(16)}",
            "session.id": f"sess-{self.hex(12)}",
            "user.id": f"user-{rng.randint(1, 9000)}",
        }
        route, tool, agent = rng.choice(_ROUTES), rng.choice(_TOOLS), f"{service}-agent"

        def span(
            scope: ScopeSpans, index: int, parent: int | None, name: str, kind: Any, begin: float, share: float, values: dict[str, Any]
        ) -> None:
            each = scope.spans.add()
            each.trace_id, each.span_id, each.name, each.kind, each.flags = trace_id, ids[index], name, kind, 0x101
            if parent is not None:
                each.parent_span_id = ids[parent]
            each.start_time_unix_nano = start + int(took * begin)
            each.end_time_unix_nano = each.start_time_unix_nano + max(int(took * share), 1000)
            _put(each, values)
            if rng.random() < 0.02:
                self.fail(each)

        span(
            web,
            0,
            None,
            f"POST {route}",
            Span.SPAN_KIND_SERVER,
            0,
            1,
            {
                "http.request.method": "POST",
                "http.route": route,
                "url.path": route,
                "url.scheme": "https",
                "http.response.status_code": 200,
                "server.address": f"{service}.internal",
                "client.address": f"10.{rng.randint(0, 9)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
                "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0",
                "network.protocol.version": "2",
            },
        )
        span(
            agents,
            1,
            0,
            f"invoke_agent {agent}",
            Span.SPAN_KIND_INTERNAL,
            0.01,
            0.98,
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": agent,
                "gen_ai.agent.id": f"asst_{self.hex(12)}",
                "gen_ai.provider.name": provider,
                **session,
                "app.tenant": f"tenant-{rng.randint(1, 60)}",
            },
        )
        span(
            agents,
            2,
            1,
            "retrieve handbook",
            Span.SPAN_KIND_INTERNAL,
            0.02,
            0.08,
            {
                "gen_ai.operation.name": "retrieval",
                "db.system.name": "pgvector",
                "db.collection.name": f"handbook_{rng.randint(1, 9)}",
                "db.operation.name": "search",
                "retrieval.top_k": rng.choice((4, 8, 16)),
                "retrieval.score.best": rng.random(),
                "gen_ai.retrieval.query.text": self.words(rng.randint(50, 150)),
                "server.address": "vectors.internal",
            },
        )
        span(
            models,
            3,
            2,
            "embeddings text-embedding-3-small",
            Span.SPAN_KIND_CLIENT,
            0.03,
            0.04,
            {
                "gen_ai.operation.name": "embeddings",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "text-embedding-3-small",
                "gen_ai.response.model": "text-embedding-3-small",
                "gen_ai.usage.input_tokens": rng.randint(8, 300),
                "gen_ai.embeddings.dimension.count": 1536,
                "server.address": "api.openai.com",
                "server.port": 443,
            },
        )
        for index, begin, share in ((4, 0.12, 0.32), (6, 0.6, 0.34)):
            asked, said = self.words(rng.randint(250, 1000)), self.words(rng.randint(120, 780))
            span(
                models,
                index,
                1,
                f"chat {model}",
                Span.SPAN_KIND_CLIENT,
                begin,
                share,
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": provider,
                    "gen_ai.request.model": model,
                    "gen_ai.response.model": served,
                    "gen_ai.response.id": f"chatcmpl-{self.hex(24)}",
                    "gen_ai.request.temperature": rng.choice((0.0, 0.2, 0.7, 1.0)),
                    "gen_ai.request.max_tokens": rng.choice((512, 1024, 4096)),
                    "gen_ai.response.finish_reasons": ["tool_calls" if index == 4 else "stop"],
                    "gen_ai.usage.input_tokens": len(asked) // 4 + 300,
                    "gen_ai.usage.output_tokens": len(said) // 4,
                    "gen_ai.usage.cache_read.input_tokens": rng.choice((0, 128, 256)),
                    "gen_ai.response.time_to_first_chunk": round(took * share / 3e9, 6),
                    "gen_ai.request.stream": True,
                    "gen_ai.conversation.id": session["gen_ai.conversation.id"],
                    "server.address": host,
                    "gen_ai.input.messages": _messages("user", asked),
                    "gen_ai.output.messages": _messages("assistant", said, finish_reason="stop"),
                },
            )
        span(
            agents,
            5,
            1,
            f"execute_tool {tool}",
            Span.SPAN_KIND_INTERNAL,
            0.45,
            0.12,
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": tool,
                "gen_ai.tool.call.id": f"call_{self.hex(24)}",
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.arguments": json.dumps({"query": self.words(rng.randint(20, 70)), "limit": rng.randint(1, 50)}),
                "gen_ai.tool.call.result": self.words(rng.randint(80, 240)),
                "code.function.name": f"tools.{tool}",
            },
        )
        span(
            agents,
            7,
            1,
            "guardrail answer",
            Span.SPAN_KIND_INTERNAL,
            0.95,
            0.03,
            {
                "gen_ai.operation.name": "guardrail",
                "guardrail.name": "personal_data",
                "guardrail.score": rng.random(),
                "guardrail.blocked": False,
                **session,
                "code.function.name": "guards.check_answer",
            },
        )

    def fail(self, span: Span) -> None:
        said = self.rng.choice(_ERRORS)
        span.status.code, span.status.message = 2, said
        event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano - 500)
        type_, _, message = said.partition(": ")
        where = f'File "/srv/app/agent.py", line {self.rng.randint(10, 900)}'
        stack = f"Traceback (most recent call last):\n  {where}\n    {self.words(200)}\n{said}"
        _put(event, {"exception.type": type_, "exception.message": message, "exception.stacktrace": stack})
        _put(span, {"error.type": type_})

    def words(self, size: int) -> str:
        """Text of `size` characters."""
        text = " ".join(self.rng.choices(self.vocabulary, cum_weights=self.frequency, k=size // 4 + 4))
        return text[:size] if len(text) >= size else text + " " + self.words(size - len(text) - 1)

    def hex(self, digits: int) -> str:
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"


def _messages(role: str, text: str, **more: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}], **more}])


def _put(target: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        slot = target.attributes.add(key=key).value
        match value:
            case bool():
                slot.bool_value = value
            case int():
                slot.int_value = value
            case float():
                slot.double_value = value
            case list():
                for item in value:
                    slot.array_value.values.add().string_value = item
            case _:
                slot.string_value = value
