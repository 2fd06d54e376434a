"""An application with a tracer provider of its own, whose sampler it can switch; `init` is called twice."""

import os

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler

import observatory


class Own(SpanProcessor):
    seen: list[ReadableSpan] = []  # noqa: RUF012

    def on_end(self, span: ReadableSpan) -> None:
        self.seen.append(span)


class Switched(Sampler):
    now: Sampler = ALWAYS_ON

    def should_sample(self, *args, **kwargs):
        return self.now.should_sample(*args, **kwargs)

    def get_description(self) -> str:
        return "switched"


own = TracerProvider(resource=Resource.create({"service.name": "joined", "team": "theirs"}), sampler=ParentBased(Switched()))
own.add_span_processor(Own())
trace.set_tracer_provider(own)
first = observatory.init(service_name="ours", http_spans=True)
assert first is not None
assert first.joined
assert trace.get_tracer_provider() is own
assert observatory.init() is first
assert observatory.init(service_name="another", sample=0.1) is first

with observatory.session("s"), trace.get_tracer("theirs").start_as_current_span("their span"), observatory.span("our span"):
    pass
assert [span.name for span in Own.seen] == ["our span", "their span"]
assert {span.attributes["session.id"] for span in Own.seen} == {"s"}

import groq
import openai

client, fast = openai.OpenAI(), groq.Groq(api_key="k", base_url=os.environ["PROVIDER_URL"])
with observatory.session("s"), observatory.user("ada"):
    for Switched.now in (ALWAYS_ON, ALWAYS_OFF):
        question = [{"role": "user", "content": f"joined, {Switched.now.get_description()}"}]
        client.chat.completions.create(model="gpt-4.1", messages=question)
        fast.chat.completions.create(model="groq-llama", messages=question)
        with observatory.span("inside a trace"):
            client.chat.completions.create(model="gpt-4.1", messages=question)
observatory.shutdown()
observatory.shutdown()
with observatory.span("after the end"):
    pass
