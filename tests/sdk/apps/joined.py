"""An application with a tracer provider of its own; `init` is called twice."""

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

import observatory


class Own(SpanProcessor):
    seen: list[ReadableSpan] = []  # noqa: RUF012

    def on_end(self, span: ReadableSpan) -> None:
        self.seen.append(span)


own = TracerProvider(resource=Resource.create({"service.name": "joined", "team": "theirs"}))
own.add_span_processor(Own())
trace.set_tracer_provider(own)
first = observatory.init(service_name="ours", instrument=False)
assert first is not None
assert first.joined
assert trace.get_tracer_provider() is own
assert observatory.init() is first
assert observatory.init(service_name="another", sample=0.1) is first

with observatory.session("s"), trace.get_tracer("theirs").start_as_current_span("their span"), observatory.span("our span"):
    pass
assert [span.name for span in Own.seen] == ["our span", "their span"]
assert {span.attributes["session.id"] for span in Own.seen} == {"s"}
observatory.shutdown()
observatory.shutdown()
with observatory.span("after the end"):
    pass
