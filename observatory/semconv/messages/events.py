"""One event for each message: log records, span events, and event dicts in an attribute, as conventions up to 1.36 had them.

The payload of an event is its body where it has one (log records), else its attributes (span events of Strands). Records without trace and
span ids, as OpenLLMetry sends some of them, belong to no span and cannot be joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from observatory.semconv.messages import json_text, shapes
from observatory.semconv.messages.found import Finds
from observatory.semconv.messages.kinds import TOOL
from observatory.semconv.messages.parts import response_value
from observatory.semconv.messages.shapes import Message
from observatory.semconv.messages.span import At, CarriedSpan, Record

LOGS, SPAN_EVENTS, DICTS, CONTENT = "message_log_events", "message_span_events", "pydantic_ai_events", "content_span_events"
_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
_CHOICE = "gen_ai.choice"


class _Event(NamedTuple):
    name: str
    payload: dict[str, Any]
    at: At


def read(span: CarriedSpan, kind: str, finds: Finds) -> None:
    """Form D, then E, then the event dicts of pydantic-ai before 1.0, then the two content events of conventions up to 1.27."""
    for form, name, records in ((LOGS, "logs", span.logs), (SPAN_EVENTS, "events", span.events)):
        events = [_event(record, f"{name}:{number}") for number, record in enumerate(records) if record.name in _ROLES]
        if kind == TOOL:
            _tool(form, events, finds)
        else:
            _conversation(form, events, _splits_blocks(span.scope_name), finds)
    for key in ("events", "all_messages_events"):
        if (value := span.attributes.get(key)) is not None and kind != TOOL:
            _dicts(value, At(f"attributes:{key}"), finds)
    for number, record in enumerate(span.events):
        for key, field, role in (("gen_ai.prompt", "input", "user"), ("gen_ai.completion", "output", "assistant")):
            if record.name == f"gen_ai.content.{key.removeprefix('gen_ai.')}" and key in record.attributes:
                at = At(f"events:{number}:{key}")
                finds.add(CONTENT, field, shapes.messages(json_text.perhaps(record.attributes[key], at), at, role), at)


def _event(record: Record, where: str) -> _Event:
    at = At(f"{where}:body" if record.body is not None else where)
    body = json_text.perhaps(record.body, at)
    if isinstance(body, dict):
        return _Event(record.name, body, at)
    return _Event(record.name, dict(record.attributes) if body is None else {"content": body}, at)


def _splits_blocks(scope_name: str) -> bool:
    """OpenLLMetry's Anthropic instrumentation sends each block of one answer as a choice of its own."""
    return scope_name == "opentelemetry.instrumentation.anthropic"


def _conversation(form: str, events: list[_Event], one_answer: bool, finds: Finds) -> None:
    asked: list[Message] = []
    said: list[Message] = []
    tools: list[dict[str, Any]] = []
    heard, answered = At("events"), At("events")
    for event in events:
        content = event.payload.get("content")
        if event.name == _CHOICE:
            answered.where = event.at.where if not said else answered.where
            _join(said, _choice(event), one_answer)
        elif isinstance(content, dict) and content.keys() == {"tools"}:  # OpenLLMetry Anthropic
            tools += shapes.tool_definitions(content["tools"], event.at)
        else:
            heard.where = event.at.where if not asked else heard.where
            asked.append(_message(event))
        (answered if event.name == _CHOICE else heard).flags |= event.at.flags
    # a blob's `ref` names the record it is in; flags name the first of the side
    finds.add(form, "input", asked, heard)
    finds.add(form, "output", said, answered)
    finds.add(form, "tool_definitions", tools, heard)


def _message(event: _Event) -> Message:
    content = event.payload.get("content")
    read = json_text.perhaps(content, event.at)
    # Strands sends blocks as JSON; any other JSON in a text is what somebody wrote
    blocks = isinstance(read, list) and all(isinstance(item, dict) for item in read)
    payload = {**event.payload, "content": read if blocks else content}
    return shapes.message(payload, event.at, _ROLES[event.name])


def _choice(event: _Event) -> list[Message]:
    """The answer, and the answers of tools that Strands adds to the choice of a cycle."""
    said = json_text.perhaps(event.payload.get("message"), event.at)
    if not isinstance(said, dict):
        said = {"content": said if isinstance(said, list) else event.payload.get("message", event.payload.get("content"))}
    calls = event.payload.get("tool_calls")
    if isinstance(calls, list):
        said = {**said, "tool_calls": calls}
    found = shapes.message({**said, "finish_reason": event.payload.get("finish_reason")}, event.at, "assistant")
    results = json_text.perhaps(event.payload.get("tool.result"), event.at)
    return [found, *shapes.messages(results, event.at, "tool")] if isinstance(results, list) else [found]


def _join(said: list[Message], choice: list[Message], one_answer: bool) -> None:
    if one_answer and said:
        said[-1]["parts"] += choice[0]["parts"]
    else:
        said += choice


def _tool(form: str, events: Iterable[_Event], finds: Finds) -> None:
    for event in events:
        if event.name == "gen_ai.tool.message":
            finds.add(form, "tool.arguments", json_text.perhaps(event.payload.get("content"), event.at), event.at)
            finds.add(form, "tool.id", event.payload.get("id"), event.at)
        elif event.name == _CHOICE:
            result = json_text.perhaps(event.payload.get("message"), event.at)
            finds.add(form, "tool.result", response_value(result, event.at), event.at)


def _dicts(value: Any, at: At, finds: Finds) -> None:
    said = json_text.expected(value, at)
    if not isinstance(said, list):
        return finds.add(DICTS, "input", shapes.messages(said, at), at)
    events = [_Event(str(item.get("event.name")), item, at) for item in said if isinstance(item, dict) and item.get("event.name") in _ROLES]
    if events and events[-1].name == "gen_ai.assistant.message":  # an agent's whole history ends with its answer
        events[-1] = _Event(_CHOICE, {"message": events[-1].payload}, at)
    return _conversation(DICTS, events, False, finds)
