"""What is sent is, byte for byte of meaning, what OpenTelemetry's own encoder sends."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from observatory.sdk import wire

texts = st.text(st.characters(exclude_categories=("Cs",)))
scalars = texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary(max_size=40)
names = texts.filter(bool)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=8)
attributes = st.dictionaries(names, values, max_size=6)
REMOTE = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("ot", "th:8"), ("v", "1")]))


class Kept(SpanProcessor, LogRecordProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.logs: list[Any] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)

    def on_emit(self, log_record: Any) -> None:
        self.logs.append(log_record)


def traced(kept: Kept, **limits: int) -> TracerProvider:
    provider = TracerProvider(resource=Resource({"service.name": "s", "n": 3}, "https://schema/r"), span_limits=SpanLimits(**limits))
    provider.add_span_processor(kept)
    return provider


@given(attributes, attributes, attributes, texts, st.sampled_from(SpanKind), st.sampled_from(StatusCode), st.booleans())
def test_spans(said: dict, of_event: dict, of_link: dict, text: str, kind: SpanKind, code: StatusCode, below: bool) -> None:
    kept = Kept()
    for scope, remote in (("a", below), ("b", False), ("a", below)):
        tracer = traced(kept, max_span_attributes=4).get_tracer(scope, "1", "https://schema/s", {"scope": True})
        context = set_span_in_context(NonRecordingSpan(REMOTE)) if remote else None
        span = tracer.start_span(text, context, kind, said, [Link(REMOTE, of_link)])
        span.add_event(text, of_event, 0)
        span.set_status(Status(code, text if code is StatusCode.ERROR else None))
        span.end()
    mine = ExportTraceServiceRequest.FromString(wire.spans(kept.spans))
    assert list(mine.resource_spans) == list(encode_spans([kept.spans[0]]).resource_spans) + list(
        encode_spans([kept.spans[1]]).resource_spans
    ) + list(encode_spans([kept.spans[2]]).resource_spans)


def test_spans_are_grouped_by_resource_and_scope() -> None:
    kept = Kept()
    provider = traced(kept)
    for scope in ("a", "b", "a"):
        provider.get_tracer(scope).start_span(scope).end()
    mine = ExportTraceServiceRequest.FromString(wire.spans(kept.spans))
    assert mine == encode_spans(kept.spans)
    assert [len(each.spans) for each in mine.resource_spans[0].scope_spans] == [2, 1]


@given(values | st.none(), attributes, st.booleans())
def test_logs(body: Any, said: dict, within: bool) -> None:
    from opentelemetry._logs import LogRecord, SeverityNumber

    kept = Kept()
    provider = LoggerProvider(resource=Resource({"service.name": "s"}), shutdown_on_exit=False)
    provider.add_log_record_processor(kept)
    context = set_span_in_context(NonRecordingSpan(REMOTE)) if within else None
    for severity in (SeverityNumber.ERROR, None):
        record = LogRecord(timestamp=5, context=context, severity_number=severity, severity_text="bad", body=body, attributes=said)
        provider.get_logger("log", "2").emit(record)
    assert ExportLogsServiceRequest.FromString(wire.logs(kept.logs)) == encode_logs(kept.logs)


def test_what_has_no_type_in_otlp_is_named_and_no_text_stops_a_batch() -> None:
    kept = Kept()
    span = traced(kept).get_tracer("a").start_span("half a character: \ud800", attributes={"long": 2**70, "half": "\ud800"})
    span.end()
    (sent,) = ExportTraceServiceRequest.FromString(wire.spans(kept.spans)).resource_spans[0].scope_spans[0].spans
    assert sent.name == "half a character: ?"
    assert {each.key: each.value.string_value for each in sent.attributes} == {"long": str(2**70), "half": "?"}
    assert wire._value(object()) == b"\x0a\x08[object]"
