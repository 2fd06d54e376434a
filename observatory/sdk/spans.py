"""Spans at a third of their usual price: OpenTelemetry's own to everybody who uses them, plainer in what they are made of.

OpenTelemetry's span cleans each attribute through abstract base classes, keeps attributes, events and links in guarded containers whether
there are any or not, and is copied when it ends. Here attributes are a dict that takes values of the usual types as they are, containers
are made when they are needed, and the ended span itself is handed on: nothing can be set on it any more. What is not usual takes
OpenTelemetry's way. Only a provider that `init` makes has such spans; one that the application made is joined as it is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from time import time_ns
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Span, Tracer, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, get_current_span

from observatory.sdk import guard
from observatory.sdk.calls import left_out

_UNSET = Status()
_RANDOM: int = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)
_FLAGS = tuple(TraceFlags(number) for number in range(256))


class Deferred:
    """A text that is written when somebody asks for it: by the thread that sends, not by the application's."""

    __slots__ = ("value", "write")

    def __init__(self, value: Any, write: Callable[[Any], str]) -> None:
        self.value, self.write = value, write

    @guard.safely(otherwise=lambda: "[not written]")
    def text(self) -> str:
        """It."""
        return self.write(self.value)


_AS_THEY_ARE = frozenset({str, bool, int, float, bytes, Deferred})


class LeanSpan(Span):
    """See opentelemetry.sdk.trace.Span. Every method that is not here is inherited, and finds the attributes that it looks for."""

    def __init__(
        self, tracer: Any, name: str, context: SpanContext, parent: SpanContext | None, kind: SpanKind, on_exception: tuple[bool, bool]
    ) -> None:
        self._name, self._context, self._parent, self._kind = name, context, parent, kind
        self._resource, self._sampler, self._limits = tracer.resource, tracer.sampler, tracer._span_limits
        self._instrumentation_info, self._instrumentation_scope = tracer.instrumentation_info, tracer._instrumentation_scope
        self._span_processor = tracer.span_processor
        self._record_exception, self._set_status_on_exception = on_exception
        self._status = _UNSET
        self._start_time: int | None = None
        self._end_time: int | None = None
        self._lock = threading.Lock()
        self._events = self._links = ()
        self.said: dict[str, Any] = {}
        self._lost, self._deferred = 0, False

    @property
    def _attributes(self) -> dict[str, Any]:
        if self._deferred:
            self.said.update({key: value.text() for key, value in self.said.copy().items() if type(value) is Deferred})
            self._deferred = False
        return self.said

    @property
    def dropped_attributes(self) -> int:
        """See ReadableSpan."""
        return self._lost

    def set_attribute(self, key: str, value: Any) -> None:
        """See Span."""
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """See Span."""
        if self._end_time is not None:
            super().set_attributes(attributes)  # says so
            return
        said, most = self.said, self._limits.max_span_attributes
        for key, value in attributes.items():
            if not key or type(key) is not str or type(value) not in _AS_THEY_ARE:
                cleaned = BoundedAttributes(1, {key: value})  # OpenTelemetry decides what becomes of it
                self._lost += cleaned.dropped
                for key, value in cleaned.items():
                    said.pop(key, None)
                    said[key] = value
            else:
                if key in said:
                    del said[key]
                said[key] = value
                if type(value) is Deferred:
                    self._deferred = True
            if len(said) > most:  # the oldest goes
                del said[next(iter(said))]
                self._lost += 1

    def _add_event(self, event: Any) -> None:
        if not self._events:
            self._events = BoundedList(self._limits.max_events)
        super()._add_event(event)

    def _add_link(self, link: Any) -> None:
        if not self._links:
            self._links = BoundedList(self._limits.max_links)
        super()._add_link(link)

    def end(self, end_time: int | None = None) -> None:
        """See Span."""
        with self._lock:
            first = self._end_time is None
            if first:
                self._end_time = time_ns() if end_time is None else end_time
        if not first:
            super().end()  # says so
            return
        processor = self._span_processor
        if hasattr(processor, "_on_ending"):
            processor._on_ending(self)
        processor.on_end(self)


class LeanTracer(Tracer):
    """See opentelemetry.sdk.trace.Tracer."""

    _observatory_flags = 0
    """Of a root: its trace id is random."""

    def start_span(
        self,
        name: str,
        context: Any = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Any = None,
        links: Any = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Any:
        """See Tracer. Links, which are rare, make OpenTelemetry's own span."""
        config = getattr(self, "_tracer_config", None)
        if links or (config is not None and not config.is_enabled):
            return super().start_span(name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception)
        above: Any = get_current_span(context).get_span_context()
        if above.is_valid:
            trace_id, flags = above.trace_id, above.trace_flags & _RANDOM
        else:
            above, trace_id, flags = None, self.id_generator.generate_trace_id(), self._observatory_flags
        sampled = self.sampler.should_sample(context, trace_id, name, kind, attributes, links)
        flags = _FLAGS[flags | sampled.decision.is_sampled()]
        own = SpanContext(trace_id, self.id_generator.generate_span_id(), False, flags, sampled.trace_state)
        if not sampled.decision.is_recording():
            return left_out(NonRecordingSpan(own), self, attributes)
        span = LeanSpan(self, name, own, above, kind, (record_exception, set_status_on_exception))
        if sampled.attributes:
            span.set_attributes(sampled.attributes)
        span._start_time = time_ns() if start_time is None else start_time
        self.span_processor.on_start(span, parent_context=context)
        return span


class LeanProvider(TracerProvider):
    """A provider whose tracers make lean spans."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """See TracerProvider."""
        tracer: Any = super().get_tracer(*args, **kwargs)
        if tracer.__class__ is Tracer:
            tracer.__class__ = LeanTracer
            is_random = getattr(self.id_generator, "is_trace_id_random", None)
            if is_random is not None and is_random():
                tracer._observatory_flags = _RANDOM
        return tracer


def provider(**arguments: Any) -> TracerProvider:
    """A lean one, where a trial shows that the OpenTelemetry that is installed is built as this file expects; else a plain one."""
    return guard.safely(_tried)(arguments) or TracerProvider(**arguments)


def _tried(arguments: Mapping[str, Any]) -> TracerProvider | None:
    if os.environ.get("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "").strip().lower() == "true":
        return None  # OpenTelemetry's tracer counts its spans
    tracer = LeanProvider(**{**arguments, "sampler": ALWAYS_ON}).get_tracer("observatory")
    with tracer.start_as_current_span("trial", attributes={"a": "b"}) as span:
        span.set_attribute("c", [1, 2])
        span.add_event("event", {"d": 1.5})
        span.set_status(StatusCode.ERROR, "none")
        span.update_name("tried")
    shown = (type(span), span.name, dict(span.attributes), len(span.events), span.status.description, span.is_recording())
    if shown != (LeanSpan, "tried", {"a": "b", "c": (1, 2)}, 1, "none", False) or span.start_time > span.end_time:
        raise RuntimeError(f"the installed OpenTelemetry makes other spans than are known: {shown}")
    return LeanProvider(**arguments)
