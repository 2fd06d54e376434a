"""What leaves the process: content when it may, redacted, cut so that JSON stays JSON. Held to the requests that are sent."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from observatory.sdk import wire
from observatory.sdk.config import Config
from observatory.sdk.scrub import NOT_REDACTED, Scrubber, cut, is_content


class Ended(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def sent(config: Config, attributes: dict[str, Any], event: dict[str, Any] | None = None, error: str | None = None) -> Any:
    provider, ended = TracerProvider(shutdown_on_exit=False), Ended()
    provider.add_span_processor(ended)
    span = provider.get_tracer("test").start_span("chat", attributes=attributes)
    if event is not None:
        span.add_event("exception", event)
    if error is not None:
        from opentelemetry.trace import Status, StatusCode

        span.set_status(Status(StatusCode.ERROR, error))
    span.end()
    request = ExportTraceServiceRequest.FromString(wire.spans(ended.spans, Scrubber(config)))
    return request.resource_spans[0].scope_spans[0].spans[0]


def texts(span: Any) -> dict[str, str]:
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}


CONTENT = {
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "my secret"}]}]',
    "gen_ai.tool.call.arguments": '{"city": "my secret"}',
    "llm.input_messages.0.message.content": "my secret",
    "gen_ai.prompt.0.content": "my secret",
    "input.value": "my secret",
    "traceloop.entity.output": "my secret",
    "ai.prompt": "my secret",
}
FACTS = {"gen_ai.request.model": "gpt-4.1", "session.id": "s", "llm.input_messages.0.message.role": "user", "input.mime_type": "text/plain"}


def test_without_content_nothing_that_was_said_is_sent_and_every_fact_is() -> None:
    span = sent(Config(capture_content=False), CONTENT | FACTS, {"exception.message": "refused: my secret"}, error="BadRequest: my secret")
    assert texts(span) == FACTS
    assert b"my secret" not in span.SerializeToString()
    assert span.status.message == "BadRequest"


def test_with_content_nothing_is_touched() -> None:
    assert texts(sent(Config(), CONTENT | FACTS)) == CONTENT | FACTS


def test_the_hook_sees_every_text_and_decides() -> None:
    seen: list[str] = []

    def redact(key: str, text: str) -> str | None:
        seen.append(key)
        return None if key == "input.value" else text.replace("secret", "***")

    span = sent(Config(redact=redact), {**CONTENT, "list": ["a secret", "b"]}, {"exception.message": "secret"}, error="secret")
    assert "input.value" not in texts(span)
    assert b"secret" not in span.SerializeToString()
    assert {*CONTENT, "list", "exception.message", "status.message"} <= set(seen)


def test_a_hook_that_fails_lets_nothing_through() -> None:
    def broken(key: str, text: str) -> str:
        raise RuntimeError

    span = sent(Config(redact=broken), {"input.value": "my secret"})
    assert texts(span) == {"input.value": NOT_REDACTED}
    span = sent(Config(redact=lambda key, text: 5), {"input.value": "my secret"})  # type: ignore[arg-type, return-value]
    assert texts(span) == {"input.value": NOT_REDACTED}


def test_a_long_conversation_is_cut_at_its_longest_texts_and_stays_json() -> None:
    long = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "x" * 5000}, {"type": "text", "content": "short"}]}])
    said = texts(sent(Config(max_attribute_length=1000), {"gen_ai.input.messages": long}))["gen_ai.input.messages"]
    assert len(said) <= 1000
    document = json.loads(said)
    assert document[0]["parts"][1]["content"] == "short"
    assert document[0]["parts"][0]["content"].endswith("[cut]")


@given(st.recursive(st.text() | st.integers() | st.booleans() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(),
inner)),
       st.integers(40, 500))  # fmt: skip
def test_what_is_cut_is_never_longer_than_allowed(document: Any, longest: int) -> None:
    text = json.dumps(document, ensure_ascii=False)
    assert len(text) <= longest or len(cut(text, longest)) <= longest


def test_every_key_of_a_convention_s_messages_is_content() -> None:
    assert is_content("llm.output_messages.3.message.tool_calls.0.tool_call.function.arguments")
    assert not is_content("llm.output_messages.3.message.tool_calls.0.tool_call.function.name")
    assert not is_content("gen_ai.usage.input_tokens")
    assert not is_content("gen_ai.completion.0.finish_reason")


def test_events_of_genai_in_logs_lose_their_body_and_own_logs_keep_it() -> None:
    kept: list[Any] = []

    class Emitted(LogRecordProcessor):
        def on_emit(self, log_record: Any) -> None:
            kept.append(log_record)

        def shutdown(self) -> None: ...

        def force_flush(self, timeout_millis: int = 0) -> bool:
            return True

    from opentelemetry._logs import LogRecord

    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(Emitted())
    logger = provider.get_logger("test")
    logger.emit(LogRecord(event_name="gen_ai.user.message", body={"content": "my secret"}))
    logger.emit(LogRecord(body="an ordinary line"))
    request = wire.logs(kept, Scrubber(Config(capture_content=False)))
    assert b"my secret" not in request
    assert b"an ordinary line" in request


def test_nothing_is_looked_at_where_nothing_can_have_to_change() -> None:
    assert not Scrubber(Config()).needed(1000)
    assert Scrubber(Config()).needed(100_000)
    assert Scrubber(Config(capture_content=False)).needed(1)
