"""Span makers: OTLP requests that read like what they say.

    make = Maker(seed=7)
    payload = make.trace(service="shop")                      # a believable LLM trace of 8 spans
    payload = make.spans(make.span("GET /", trace_id=T), make.span("chat", parent=…, error="timeout"))
    payload.protobuf, payload.json, payload.span_ids

Everything not said is made up from the seed, so the same calls give the same bytes; times follow `now`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from observatory.model.clock import SECOND, Nanos
from observatory.model.signal import Signal
from observatory.otlp import jsonwrite

Request = ExportTraceServiceRequest | ExportLogsServiceRequest | ExportMetricsServiceRequest
Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Payload:
    """One export request, ready to be sent in either encoding. Treat `message` as frozen once bytes were taken."""

    signal: Signal
    message: Request

    @cached_property
    def protobuf(self) -> bytes:
        """The request as OTLP protobuf."""
        return self.message.SerializeToString()

    @cached_property
    def json(self) -> bytes:
        """The request as OTLP/JSON: hex ids, enums as numbers, 64-bit integers as text."""
        return jsonwrite.encode(self.message)

    @property
    def all_spans(self) -> list[Span]:
        """Every span of a trace request, in order."""
        assert isinstance(self.message, ExportTraceServiceRequest)
        return [span for resource in self.message.resource_spans for scope in resource.scope_spans for span in scope.spans]

    @cached_property
    def span_ids(self) -> frozenset[bytes]:
        """The ids of its spans."""
        return frozenset(span.span_id for span in self.all_spans)

    @cached_property
    def trace_ids(self) -> frozenset[bytes]:
        """The ids of its traces."""
        return frozenset(span.trace_id for span in self.all_spans)


class Maker:
    """Makes requests. `seed` decides every id and figure that is not given; None makes them different in every run.

    `now` (nanoseconds since 1970; the wall clock when not given) is when the newest thing it makes ends; set `make.now` to move on.
    """

    def __init__(self, seed: int | None = 0, now: Nanos | None = None) -> None:
        self.random = random.Random(seed)
        self.now = time.time_ns() if now is None else now

    def trace_id(self) -> bytes:
        """A new trace id: 16 bytes, its randomness in the low 56 bits as W3C asks."""
        return self.random.randbytes(15) + bytes([self.random.randrange(1, 256)])

    def span_id(self) -> bytes:
        """A new span id of 8 bytes."""
        return self.random.randbytes(7) + bytes([self.random.randrange(1, 256)])

    def span(
        self,
        name: str = "work",
        *,
        trace_id: bytes | None = None,
        span_id: bytes | None = None,
        parent: Span | bytes | None = None,
        start_ns: Nanos | None = None,
        duration_s: float = 1.0,
        kind: int = Span.SPAN_KIND_INTERNAL,
        attributes: Attributes | None = None,
        error: str | None = None,
        **fields: Any,
    ) -> Span:
        """One span. `parent` is a span (whose trace it joins) or an id; `error` is the status message of a failed one.

        `fields` are further fields of OTLP's `Span` (`trace_state`, `flags`, `events`, `links`, `dropped_attributes_count`, …).
        """
        duration = round(duration_s * SECOND)
        if isinstance(parent, Span):
            trace_id, parent = trace_id or parent.trace_id, parent.span_id
        start = self.now - duration if start_ns is None else start_ns
        return Span(
            trace_id=self.trace_id() if trace_id is None else trace_id,
            span_id=self.span_id() if span_id is None else span_id,
            parent_span_id=parent or b"",
            name=name,
            kind=kind,  # type: ignore[arg-type]
            start_time_unix_nano=start,
            end_time_unix_nano=start + duration,
            attributes=key_values(attributes or {}),
            status=Status(code=Status.STATUS_CODE_ERROR, message=error) if error is not None else Status(),
            **fields,
        )

    def spans(
        self,
        *spans: Span,
        service: str = "app",
        resource: Attributes | None = None,
        scope: str = "observatory.testing",
        scope_version: str = "1",
        scope_attributes: Attributes | None = None,
        schema_url: str = "",
    ) -> Payload:
        """A trace request of these spans, from one service and scope."""
        inner = ScopeSpans(scope=_scope(scope, scope_version, scope_attributes), spans=spans, schema_url=schema_url)
        outer = ResourceSpans(resource=_resource(service, resource), scope_spans=[inner], schema_url=schema_url)
        return Payload(Signal.SPANS, ExportTraceServiceRequest(resource_spans=[outer]))

    def flat(self, count: int, service: str = "app", size: int = 0) -> Payload:
        """`count` root spans, each a trace of its own; `size` adds that many bytes of text to each."""
        text = {"text": "x" * size} if size else {}
        return self.spans(*(self.span(f"work {i}", attributes={"i": i, **text}) for i in range(count)), service=service)

    def trace(
        self,
        spans: int = 8,
        *,
        service: str = "assistant",
        error: str | None = None,
        trace_id: bytes | None = None,
        user: str = "u-17",
        session: str = "s-4711",
        model: str = "gpt-4.1-mini",
        duration_s: float = 4.0,
        resource: Attributes | None = None,
    ) -> Payload:
        """A believable LLM trace: request, agent, then turns of chat, tool and retrieval. With `error` its last span fails.

        At least 2 spans; beyond 8 the turns repeat.
        """
        return self.spans(
            *_conversation(self, spans, error, trace_id or self.trace_id(), user, session, model, duration_s),
            service=service,
            resource={"deployment.environment.name": "test", **(resource or {})},
            scope="opentelemetry.instrumentation.openai_v2",
        )

    def logs(self, *bodies: Any, service: str = "app", span: Span | None = None, **fields: Any) -> Payload:
        """A logs request, one record for each body (any OTLP value), within `span` when given; `fields` go to each `LogRecord`."""
        where = {"trace_id": span.trace_id, "span_id": span.span_id} if span is not None else {}
        attributes = key_values(fields.pop("attributes", {}))
        records = [
            LogRecord(
                time_unix_nano=self.now,
                observed_time_unix_nano=self.now,
                body=any_value(body),
                attributes=attributes,
                **{"severity_number": 9, "severity_text": "INFO", **where, **fields},
            )
            for body in bodies or ("hello",)
        ]
        inner = ScopeLogs(scope=_scope("observatory.testing", "1", None), log_records=records)
        outer = ResourceLogs(resource=_resource(service, None), scope_logs=[inner])
        return Payload(Signal.LOGS, ExportLogsServiceRequest(resource_logs=[outer]))

    def metrics(self, points: int = 3, service: str = "app") -> Payload:
        """A metrics request of `points` data points: a gauge, a counter and a histogram in turn."""
        made: list[Metric] = []
        for i in range(points):
            number = NumberDataPoint(
                start_time_unix_nano=self.now - 60 * SECOND, time_unix_nano=self.now, as_int=self.random.randrange(1000)
            )
            match i % 3:
                case 0:
                    made.append(Metric(name="queue.depth", unit="1", gauge=Gauge(data_points=[number])))
                case 1:
                    total = Sum(data_points=[number], is_monotonic=True, aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE)
                    made.append(Metric(name="gen_ai.client.token.usage", unit="{token}", sum=total))
                case _:
                    made.append(Metric(name="gen_ai.client.operation.duration", unit="s", histogram=_histogram(self.now)))
        inner = ScopeMetrics(scope=_scope("observatory.testing", "1", None), metrics=made)
        outer = ResourceMetrics(resource=_resource(service, None), scope_metrics=[inner])
        return Payload(Signal.METRIC_POINTS, ExportMetricsServiceRequest(resource_metrics=[outer]))


def any_value(value: Any) -> AnyValue:
    """OTLP's `AnyValue` of a Python value; None is the empty value, a mapping a key-value list."""
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case Mapping():
            return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
        case Sequence():
            return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
        case _:
            raise TypeError(f"no OTLP value for a {type(value).__name__}: {value!r}")


def key_values(attributes: Attributes) -> list[KeyValue]:
    """Attributes as OTLP carries them."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def _scope(name: str, version: str, attributes: Attributes | None) -> InstrumentationScope:
    return InstrumentationScope(name=name, version=version, attributes=key_values(attributes or {}))


def _resource(service: str, more: Attributes | None) -> Resource:
    return Resource(attributes=key_values({"service.name": service, **(more or {})}))


def _histogram(now: Nanos) -> Histogram:
    point = HistogramDataPoint(
        start_time_unix_nano=now - 60 * SECOND,
        time_unix_nano=now,
        count=6,
        sum=4.2,
        bucket_counts=[1, 3, 2],
        explicit_bounds=[0.25, 1.0],
        min=0.1,
        max=2.0,
    )
    return Histogram(data_points=[point], aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE)


_QUESTIONS = ("Which invoices are overdue?", "Summarise the last three tickets of this customer.", "Is the red one in stock in Berlin?")
_ANSWERS = ("Two invoices are overdue: 2041 and 2044.", "The customer had trouble logging in, twice, and a refund.", "Yes, 14 pieces.")


def _conversation(
    make: Maker, count: int, error: str | None, trace_id: bytes, user: str, session: str, model: str, duration_s: float
) -> list[Span]:
    """Root, agent, then chat / tool / retrieval leaves that share the agent's time, in start order."""
    if count < 2:
        raise ValueError("an LLM trace has at least 2 spans; use `span` for one")
    who = {"gen_ai.conversation.id": session, "user.id": user}
    start = make.now - round(duration_s * SECOND)
    root = make.span(
        "POST /ask",
        trace_id=trace_id,
        duration_s=duration_s,
        kind=Span.SPAN_KIND_SERVER,
        attributes={"http.request.method": "POST", "http.route": "/ask", "http.response.status_code": 500 if error else 200, **who},
        error=error,
    )
    agent = make.span(
        "invoke_agent support",
        parent=root,
        start_ns=start + SECOND // 1000,
        duration_s=duration_s * 0.98,
        attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support", **who},
        error=error if count == 2 else None,
    )
    leaves: list[Span] = []
    step = duration_s * 0.95 / max(1, count - 2)
    for i in range(count - 2):
        last = error if i == count - 3 else None
        begin = start + round((0.02 * duration_s + i * step) * SECOND)
        match i % 3:
            case 0:
                name, kind, attributes = f"chat {model}", Span.SPAN_KIND_CLIENT, _chat(make, model, who)
            case 1:
                name, kind = "execute_tool lookup", Span.SPAN_KIND_INTERNAL
                attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "gen_ai.tool.call.id": f"call_{i}"}
            case _:
                name, kind = "embeddings text-embedding-3-small", Span.SPAN_KIND_CLIENT
                attributes = {
                    "gen_ai.operation.name": "embeddings",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "text-embedding-3-small",
                    "gen_ai.usage.input_tokens": make.random.randrange(5, 80),
                }
        if last is not None:
            attributes = {**attributes, "error.type": "timeout"}
        leaves.append(make.span(name, parent=agent, start_ns=begin, duration_s=step * 0.9, kind=kind, attributes=attributes, error=last))
    return [root, agent, *leaves]


def _chat(make: Maker, model: str, who: Attributes) -> dict[str, Any]:
    i = make.random.randrange(len(_QUESTIONS))
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.response.model": f"{model}-2026-04-14",
        "gen_ai.response.id": f"chatcmpl-{make.random.getrandbits(64):016x}",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.request.temperature": 0.2,
        "gen_ai.usage.input_tokens": make.random.randrange(200, 4000),
        "gen_ai.usage.output_tokens": make.random.randrange(20, 800),
        "gen_ai.input.messages": f'[{{"role":"user","parts":[{{"type":"text","content":"{_QUESTIONS[i]}"}}]}}]',
        "gen_ai.output.messages": f'[{{"role":"assistant","parts":[{{"type":"text","content":"{_ANSWERS[i]}"}}],"finish_reason":"stop"}}]',
        **who,
    }
