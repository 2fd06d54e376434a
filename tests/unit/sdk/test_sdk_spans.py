"""Our spans are OpenTelemetry's to everybody who looks at them: what they hold, what they refuse, what of theirs is sent."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given, strategies as st
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from observatory.sdk import guard, spans
from observatory.sdk.export import weigh_span
from observatory.sdk.sampling import HeadSampler
from observatory.sdk.spans import Deferred, LeanProvider, LeanSpan

REMOTE = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(3))
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
scalars = st.none() | texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary(max_size=9)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(texts, inner, max_size=3), max_leaves=5
)
attributes = st.dictionaries(texts, values, max_size=6)


class Counted(IdGenerator):
    """The same ids for both."""

    def __init__(self) -> None:
        self.last = 0

    def generate_span_id(self) -> int:
        self.last += 1
        return self.last

    generate_trace_id = generate_span_id

    def is_trace_id_random(self) -> bool:
        return True


class Kept(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def made(kind: type[TracerProvider], **more: Any) -> tuple[TracerProvider, Kept]:
    provider = kind(
        resource=Resource({"service.name": "s"}),
        id_generator=Counted(),
        span_limits=SpanLimits(max_span_attributes=4, max_span_attribute_length=None),
        shutdown_on_exit=False,
        **more,
    )
    kept = Kept()
    provider.add_span_processor(kept)
    return provider, kept


def life(provider: TracerProvider, first: dict, second: dict, key: str, value: Any, kind: SpanKind, code: StatusCode) -> None:
    """All that can happen to a span."""
    tracer = provider.get_tracer("scope", "1", "https://schema", {"a": 1})
    above = trace.set_span_in_context(trace.NonRecordingSpan(REMOTE)) if code is StatusCode.OK else None
    with tracer.start_as_current_span("root", above, kind, first, start_time=5, end_on_exit=False) as root:
        root.set_attributes(second)
        root.set_attribute(key, value)
        root.add_event("event", second, 6)
        root.add_link(REMOTE, first)
        tracer.start_span("child", attributes=first, links=[Link(REMOTE, second)], start_time=7).end(8)
        with pytest.raises(KeyError), tracer.start_as_current_span("failed", start_time=7, record_exception=False):
            raise KeyError(key)
    root.set_status(Status(code, "said" if code is StatusCode.ERROR else None))
    root.update_name("renamed")
    root.end(9)


@given(attributes, attributes, texts, values, st.sampled_from(SpanKind), st.sampled_from(StatusCode))
def test_whatever_happens_to_a_span_is_told_as_opentelemetry_tells_it(
    first: dict, second: dict, key: str, value: Any, span_kind: SpanKind, code: StatusCode
) -> None:
    told = []
    for kind in (TracerProvider, LeanProvider):
        provider, kept = made(kind)
        life(provider, first, second, key, value, span_kind, code)
        for span in kept.spans:  # the only time that nobody can give
            span._end_time = 9
        told.append((encode_spans(kept.spans), [dict(span.attributes or {}) for span in kept.spans]))
    assert told[0] == told[1]


def test_an_ended_span_is_the_one_that_was_started_and_takes_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    provider, kept = made(LeanProvider)
    span: Any = provider.get_tracer("scope").start_span("work", attributes={"a": 1})
    assert span.is_recording()
    span.end()
    before = span.to_json()
    span.set_attribute("b", 2)
    span.set_attributes({"c": 3})
    span.add_event("late")
    span.update_name("late")
    span.set_status(StatusCode.ERROR)
    span.end()
    assert kept.spans == [span]
    assert isinstance(span, LeanSpan | Span | ReadableSpan)
    assert span.to_json() == before
    assert len([said for said in caplog.records if "ended span" in said.message]) == 6


def test_a_deferred_text_is_written_when_it_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    written = []

    def write(value: Any) -> str:
        written.append(value)
        return f"<{value}>"

    provider, _ = made(LeanProvider)
    span: Any = provider.get_tracer("scope").start_span("work")
    span.set_attributes({"said": Deferred([{"content": "x" * 5000}], write), "broken": Deferred(1, lambda value: value.nothing)})
    span.end()
    assert weigh_span(span) > 5000
    assert not written
    assert span.attributes["said"] == f"<{[{'content': 'x' * 5000}]}>"
    assert span.attributes["broken"] == "[not written]"
    assert len(span.attributes) == 2
    assert len(written) == 1


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_what_is_too_long_is_seen_to_be_so_before_it_is_written(text: str) -> None:
    provider, _ = made(LeanProvider)
    span: Any = provider.get_tracer("scope").start_span("work", attributes={"said": Deferred(text, json.dumps)})
    assert 2 * weigh_span(span) >= len(span.attributes["said"])


def test_what_is_sampled_out_is_no_span_of_ours() -> None:
    provider, kept = made(LeanProvider, sampler=HeadSampler(0.0))
    span = provider.get_tracer("scope").start_span("work")
    span.end()
    assert not span.is_recording()
    assert span.get_span_context().is_valid
    assert not span.get_span_context().trace_flags.sampled
    assert kept.spans == []


def test_where_opentelemetry_is_built_otherwise_its_own_spans_are_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    arguments = {"resource": Resource({}), "span_limits": SpanLimits(), "shutdown_on_exit": False}
    assert type(spans.provider(**arguments)) is LeanProvider
    monkeypatch.delattr(Span, "_add_event")
    monkeypatch.setattr(guard, "_said", set())
    with caplog.at_level(logging.WARNING):
        assert type(spans.provider(**arguments)) is TracerProvider
    assert "_tried" in caplog.text
    monkeypatch.undo()
    monkeypatch.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")
    assert type(spans.provider(**arguments)) is TracerProvider
