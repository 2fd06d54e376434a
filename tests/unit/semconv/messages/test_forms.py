"""Forms that no capture holds, choices between forms, blobs, and anything at all."""

from __future__ import annotations

import base64
import hashlib
import json
import string
from dataclasses import asdict
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from observatory.semconv.messages.json_text import plain
from observatory.semconv.messages.media import INLINE_BYTES
from observatory.semconv.messages.normalise import blob, conversation, needs_logs
from observatory.semconv.messages.span import CarriedSpan, Record

CHAT = {"gen_ai.operation.name": "chat"}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
PICTURE_TEXT = base64.b64encode(PICTURE).decode()


def user(*content: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"type": "text", "content": text} for text in content]}


def assistant(*content: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "parts": [{"type": "text", "content": text} for text in content], **more}


def test_the_details_event_as_a_span_event():
    events = [
        Record("gen_ai.client.inference.operation.details", {"gen_ai.input.messages": json.dumps([user("q")])}),
        Record("gen_ai.client.inference.operation.details", {"gen_ai.output.messages": json.dumps([assistant("a")])}),
    ]
    found = conversation(CarriedSpan("chat", attributes=CHAT, events=events))
    assert (found.input, found.output) == ([user("q")], [assistant("a")])
    assert set(found.source.values()) == {"genai_span_event"}


def test_content_events_of_old_conventions():
    events = [
        Record("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "user", "content": "q"}]'}),
        Record("gen_ai.content.completion", {"gen_ai.completion": '[{"role": "assistant", "content": "a"}]'}),
    ]
    found = conversation(CarriedSpan("chat", attributes=CHAT, events=events))
    assert (found.input, found.output) == ([user("q")], [assistant("a")])


def test_messages_that_an_upload_hook_stored_elsewhere_are_named():
    found = conversation(CarriedSpan("chat", attributes={**CHAT, "gen_ai.input.messages.ref": "s3://b/in.json"}))
    assert found.input == [{"role": "user", "parts": [{"type": "uri", "modality": "document", "uri": "s3://b/in.json"}]}]
    assert {"flag": "stored_elsewhere", "where": "attributes:gen_ai.input.messages.ref"} in found.flags


def test_blocks_that_openllmetry_counts_as_choices_are_one_answer():
    def choice(index: int, **message: Any) -> Record:
        return Record("gen_ai.choice", {}, {"index": index, "finish_reason": "tool_call", **message})

    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    logs = [choice(0, message={"content": "let me look"}), choice(1, message={"content": None}, tool_calls=[call])]
    split = conversation(CarriedSpan("chat", "opentelemetry.instrumentation.anthropic", CHAT, (), logs))
    made = {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}}
    assert split.output == [
        {**assistant("let me look"), "finish_reason": "tool_call"} | {"parts": [*assistant("let me look")["parts"], made]}
    ]
    assert len(conversation(CarriedSpan("chat", "another", CHAT, (), logs)).output) == 2


def test_a_user_who_writes_json_is_quoted():
    for content in ('{"type": "image"}', "[1, 2]", "12"):
        found = conversation(CarriedSpan("chat", attributes=CHAT, logs=[Record("gen_ai.user.message", {}, {"content": content})]))
        assert found.input == [user(content)]


@pytest.mark.parametrize("order", [1, -1])
def test_the_most_canonical_of_equal_forms_is_shown_once(order):
    forms = {
        "gen_ai.input.messages": json.dumps([user("q")]),
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "q",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "q",
        "ai.prompt.messages": '[{"role":"user","content":"q"}]',
    }
    found = conversation(CarriedSpan("chat", attributes={**CHAT, **dict(list(forms.items())[::order])}))
    assert (found.input, found.source["input"]) == ([user("q")], "genai_attributes")


def test_a_whole_form_is_shown_before_a_broken_one():
    attributes = {**CHAT, "gen_ai.output.messages": json.dumps([assistant("the answer is long")])[:72]}
    alone = conversation(CarriedSpan("chat", attributes=attributes))
    assert alone.flags[0] == {"flag": "truncated", "where": "attributes:gen_ai.output.messages"}
    assert "the answer is long".startswith(alone.output[0]["parts"][0]["content"])
    log = Record("gen_ai.client.inference.operation.details", {"gen_ai.output.messages": [assistant("the answer is long")]})
    both = conversation(CarriedSpan("chat", attributes=attributes, logs=[log]))
    assert both.output == [assistant("the answer is long")]
    assert both.source["output"] == "genai_log_event"
    assert not any(flag["flag"] == "truncated" for flag in both.flags)


def test_malformed_messages_are_kept_as_text():
    found = conversation(CarriedSpan("chat", attributes={**CHAT, "gen_ai.input.messages": "<<hello>>"}))
    assert found.input == [user("<<hello>>")]
    assert found.flags == [{"flag": "malformed_json", "where": "attributes:gen_ai.input.messages"}]


def test_a_long_conversation_that_lost_attributes_says_so():
    attributes = {"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "q"}
    assert conversation(CarriedSpan("chat", attributes=attributes)).flags == []
    cut = conversation(CarriedSpan("chat", attributes=attributes, dropped_attributes=3))
    assert cut.flags == [{"flag": "truncated", "where": "attributes:llm.input_messages"}]


def test_indexes_are_numbers_and_gaps_close():
    attributes: dict[str, Any] = {}
    for number in (11, 2, 0, 100):
        attributes[f"gen_ai.prompt.{number}.content"] = str(number)
    found = conversation(CarriedSpan("chat", attributes=attributes))
    assert [message["parts"][0]["content"] for message in found.input] == ["0", "2", "11", "100"]


def test_http_spans_have_nothing_to_say():
    found = conversation(CarriedSpan("POST", attributes={"http.method": "POST", "url.full": "http://x"}))
    assert asdict(found) == asdict(type(found)())


PICTURES: dict[str, CarriedSpan] = {
    "canonical": CarriedSpan(
        "chat",
        attributes={"gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "blob", "content": PICTURE_TEXT}]}])},
    ),
    "openinference": CarriedSpan(
        "chat",
        attributes={
            "llm.input_messages.0.message.contents.0.message_content.type": "image",
            "llm.input_messages.0.message.contents.0.message_content.image.image.url": f"data:image/png;base64,{PICTURE_TEXT}",
        },
    ),
    "vercel": CarriedSpan(
        "ai",
        attributes={
            "ai.prompt.messages": json.dumps(
                [{"role": "user", "content": [{"type": "file", "data": PICTURE_TEXT, "mediaType": "image/png"}]}]
            )
        },
    ),
    "log record": CarriedSpan(
        "chat",
        logs=[
            Record("noise", {}),
            Record("gen_ai.user.message", {}, {"content": [{"inlineData": {"mimeType": "image/png", "data": PICTURE_TEXT}}]}),
        ],
    ),
    "tool result": CarriedSpan(
        "execute_tool",
        attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": json.dumps({"shot": PICTURE_TEXT})},
    ),
    "langfuse": CarriedSpan(
        "x",
        attributes={
            "langfuse.observation.input": json.dumps(
                [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE_TEXT}"}}]}]
            )
        },
    ),
}


def refs(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value] if "ref" in value else [found for item in value.values() for found in refs(item)]
    return [found for item in value for found in refs(item)] if isinstance(value, list) else []


@pytest.mark.parametrize("form", PICTURES)
def test_large_blobs_are_by_reference_and_can_be_fetched(form):
    span = PICTURES[form]
    said = asdict(conversation(span))
    assert len(orjson.dumps(said)) < 2000
    (part,) = refs(said)
    assert (part["type"], part["size_bytes"], part["sha256"]) == ("blob", len(PICTURE), hashlib.sha256(PICTURE).hexdigest())
    assert blob(span, part["ref"]) == PICTURE
    assert blob(span, f"logs:77:body@{part['sha256']}") == PICTURE  # records may be numbered anew
    assert blob(span, part["ref"][:-1] + "x") is None


@pytest.mark.parametrize("ref", ["", "@", "x", "attributes:gen_ai.input.messages", "@" + hashlib.sha256(b"").hexdigest()])
def test_a_foreign_ref_names_nothing(ref):
    assert blob(PICTURES["canonical"], ref) is None


def test_small_blobs_are_inline():
    small = base64.b64encode(bytes(INLINE_BYTES)).decode()
    attributes = {"gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "blob", "content": small}]}])}
    assert conversation(CarriedSpan("chat", attributes=attributes)).input[0]["parts"][0]["content"] == small


_KEYS = (
    "gen_ai.operation.name", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.retrieval.documents", "gen_ai.prompt", "gen_ai.completion",
    "gen_ai.prompt.0.content", "gen_ai.prompt.0.tool_calls.0.name", "gen_ai.prompt.9.role", "gen_ai.completion.0",
    "gen_ai.completion.0.role",
    "llm.request.functions.0.parameters", "llm.input_messages.0.message.contents.0.message_content.image.image.url", "llm.prompts",
    "llm.input_messages.0.message.contents", "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
    "llm.tools.0.tool.json_schema", "message.tool_calls.0.tool_call.function.name", "retrieval.documents.0.document.metadata",
    "reranker.output_documents.1.document.id", "reranker.input_documents.0.document.id", "input.value", "output.value", "input.mime_type",
        "openinference.span.kind", "ai.operationId", "ai.prompt", "ai.prompt.messages", "ai.prompt.tools",
        "ai.response.toolCalls", "ai.values",
    "ai.toolCall.args", "events", "all_messages_events", "pydantic_ai.all_messages", "final_result", "model_request_parameters",
    "tool_arguments", "langfuse.observation.type", "langfuse.observation.input", "langfuse.observation.output", "traceloop.span.kind",
    "traceloop.entity.input", "traceloop.entity.output", "langsmith.span.kind", "llm.openai.messages", "llm.openai.choices", "llm.x",
        "content", "message", "tool.result", "role", "gen_ai.agent.tools", "gen_ai.input.messages.ref",
        "embedding.embeddings.0.embedding.text",
)  # fmt: skip
_WORDS = st.sampled_from(
    [
        "tool", "TOOL", "RETRIEVER", "RERANKER", "EMBEDDING", "LLM", "chat", "execute_tool", "retrieval", "ai.toolCall",
        "ai.embed", "application/json",
        "text", "image", "blob", "function", "tool_call", "tool_result", "reasoning", "server_tool_use",
        "web_search_call", "file", "json", "user",
        "assistant", "human", "ai", "constructor", "stop", "gen_ai.choice", "gen_ai.assistant.message", "https://x",
        "data:image/png;base64,AAAA", "data:,x",
    ]
)  # fmt: skip
_NAMES = st.sampled_from(
    [
        "type", "role", "content", "parts", "text", "tool_calls", "function", "function_call", "arguments", "input",
        "args", "name", "id", "messages",
        "choices", "message", "output", "generations", "candidates", "contents", "system", "instructions", "tools",
        "source", "data", "url", "image",
        "image_url", "file", "kwargs", "lc", "inputs", "outputs", "query", "documents", "page_content", "metadata",
        "toolUse", "toolResult", "update",
        "event.name", "status", "result", "value", "thinking", "summary", "embedding", "reasoningContent",
        "server_tool_call", "inlineData", "config",
        "input_str", "finish_reason", "index", "refusal", "audio", "transcript", "score", "kind", "thought",
        "function_tools", "toolSpec", "inputSchema",
    ]
)  # fmt: skip
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | _WORDS
    | st.text(string.printable + "é\ud83d", max_size=6)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=14,
)


def _dumped(value: Any, cut: int) -> str:
    text = json.dumps(plain(value))
    return text[: max(len(text) - cut, 0)]


_sent = _values.map(plain) | st.builds(_dumped, _values, st.sampled_from([0, 0, 0, 1, 5]))
_attributes = st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=8), _sent, max_size=6)
_records = st.lists(
    st.builds(
        Record,
        st.sampled_from(["gen_ai.user.message", "gen_ai.choice", "gen_ai.tool.message", "gen_ai.content.prompt", "x"]),
        _attributes,
        st.none() | _sent,
    ),
    max_size=2,
)
_spans = st.builds(
    CarriedSpan,
    st.sampled_from(["chat", "raw_gen_ai_request", ""]),
    st.sampled_from(["", "opentelemetry.instrumentation.anthropic"]),
    _attributes,
    _records,
    _records,
    st.integers(0, 1),
    st.integers(0, 1),
)


@given(_spans)
@settings(max_examples=200)
def test_whatever_was_sent_is_answered(span):
    found = conversation(span)
    assert orjson.loads(orjson.dumps(asdict(found)))
    for message in [*found.input, *found.output]:
        assert isinstance(message["role"], str)
        assert message.keys() <= {"role", "parts", "name", "finish_reason"}
        assert all(isinstance(part["type"], str) for part in message["parts"])
    assert all(isinstance(part["type"], str) for part in found.system_instructions)
    assert all(isinstance(tool, dict) for tool in [*found.tool_definitions, *(found.documents or [])])
    assert {flag["flag"] for flag in found.flags} <= {"malformed_json", "truncated", "not_captured", "stored_elsewhere"}
    assert isinstance(needs_logs(span), bool)
    assert blob(span, "attributes:x@00") is None


def test_depth_is_no_danger():
    deep = "[" * 100_000
    nested = '{"content":' * 900 + "1" + "}" * 900
    for text in (
        deep,
        deep + "]" * 100_000,
        nested,
        '{"messages":' * 400 + "[]" + "}" * 400,
        '[{"type":"text","content":' * 300 + '"x"' + "}]" * 300,
    ):
        for key in (
            "gen_ai.input.messages",
            "input.value",
            "langfuse.observation.input",
            "ai.prompt",
            "gen_ai.tool.definitions",
            "llm.openai.messages",
        ):
            span = CarriedSpan("raw_gen_ai_request", attributes={key: text, "gen_ai.output.messages": text})
            assert orjson.dumps(asdict(conversation(span)))
