"""What leaves the process is looked at last: content that may not leave is taken out, texts are redacted and cut.

It works on the encoded request, off the application's threads, so that it sees the same thing whoever recorded it: attributes, events,
links, log bodies, of any instrumentation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from observatory.sdk import guard
from observatory.sdk.config import Config, Redact

# Keys that carry what people and models say, of every convention the server reads. Prefixes end in a dot.
CONTENT_KEYS = frozenset({
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.tool.message", "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents", "gen_ai.prompt", "gen_ai.completion", "gen_ai.content",
    "input.value", "output.value", "llm.prompts", "llm.completions", "llm.invocation_parameters",
    "llm.function_call", "llm.prompt_template.template", "llm.prompt_template.variables", "retrieval.documents", "reranker.query",
    "tool.parameters", "tool.json_schema", "tool_call.function.arguments", "tool_arguments", "tool_response", "final_result",
    "pydantic_ai.all_messages", "all_messages_events", "events", "model_request_parameters", "logfire.json_schema",
    "traceloop.entity.input", "traceloop.entity.output", "crew_tasks", "crew_agents", "crew_inputs", "formatted_task",
    "ai.prompt", "ai.prompt.messages", "ai.prompt.tools", "ai.response.text", "ai.response.toolCalls", "ai.response.object",
    "ai.toolCall.args", "ai.toolCall.result", "ai.value", "ai.values",
    "mcp.request.argument", "mcp.response.value", "exception.message", "exception.stacktrace", "db.statement", "db.query.text",
})  # fmt: skip
CONTENT_PREFIXES = (
    "gen_ai.prompt.", "gen_ai.completion.", "llm.input_messages.", "llm.output_messages.", "llm.tools.", "llm.prompts.", "llm.choices.",
    "retrieval.documents.", "reranker.input_documents.", "reranker.output_documents.", "embedding.embeddings.", "message.",
    "llm.request.functions.", "ai.prompt.", "langsmith.inputs", "langsmith.outputs", "langfuse.observation.input",
    "langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output", "crewai.agent.", "crewai.task.", "crewai.crew.tasks",
)  # fmt: skip
# Names of roles and reasons, which say nothing that was said; without them a conversation's shape would be gone, too.
_HARMLESS_ENDS = (".role", ".finish_reason", ".mime_type", ".tool_call.id", ".tool_call.function.name", ".name", ".id", ".score")
_CONTENT_EVENTS = ("gen_ai.content.", "gen_ai.user.message", "gen_ai.system.message", "gen_ai.assistant.message", "gen_ai.tool.message",
                   "gen_ai.choice", "gen_ai.client.inference.operation.details")  # fmt: skip
NOT_REDACTED = "[redaction failed]"
_CUT = "… [cut]"


def is_content(key: str) -> bool:
    """The attribute carries what was said, asked for or answered."""
    if key in CONTENT_KEYS:
        return True
    return key.startswith(CONTENT_PREFIXES) and not key.endswith(_HARMLESS_ENDS)


class Scrubber:
    """Applies a configuration's `capture_content`, `redact` and `max_attribute_length` to encoded requests, in place."""

    def __init__(self, config: Config) -> None:
        self._content, self._redact, self._longest = config.capture_content, config.redact, config.max_attribute_length

    def needed(self, largest: int) -> bool:
        """Something may have to change in a batch whose largest record has this many bytes."""
        return not self._content or self._redact is not None or largest > self._longest

    def spans(self, request: Any) -> None:
        """An ExportTraceServiceRequest."""
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self._attributes(span.attributes)
                    span.status.message = self._status(span.status.message)
                    for event in span.events:
                        self._attributes(event.attributes)
                    for link in span.links:
                        self._attributes(link.attributes)

    def logs(self, request: Any) -> None:
        """An ExportLogsServiceRequest. Only bodies of GenAI's events are content: an application's own log lines are its own business."""
        for resource in request.resource_logs:
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    self._attributes(record.attributes)
                    name = getattr(record, "event_name", "") or next(
                        (a.value.string_value for a in record.attributes if a.key == "event.name"), ""
                    )
                    if not self._content and name.startswith(_CONTENT_EVENTS):
                        record.ClearField("body")
                    else:
                        self._value("body", record.body)

    def _status(self, message: str) -> str:
        if not message:
            return message
        if not self._content:  # a provider's error repeats what was sent
            return message.partition(":")[0][:80]
        return self._text("status.message", message) or ""

    def _attributes(self, attributes: Any) -> None:
        removed = []
        for i, attribute in enumerate(attributes):
            if (not self._content and is_content(attribute.key)) or not self._value(attribute.key, attribute.value):
                removed.append(i)
        for i in reversed(removed):
            del attributes[i]

    def _value(self, key: str, value: Any) -> bool:
        """False when the whole value is to be left out."""
        kind = value.WhichOneof("value")
        if kind == "string_value":
            said = value.string_value
            text = self._text(key, said)
            if text is None:
                return False
            if text is not said:
                value.string_value = text
        elif kind == "array_value":
            for item in value.array_value.values:
                if not self._value(key, item):
                    item.string_value = ""
        elif kind == "kvlist_value":
            for item in value.kvlist_value.values:
                if not self._value(item.key, item.value):
                    item.value.string_value = ""
        return True

    def _text(self, key: str, text: str) -> str | None:
        if self._redact is not None:
            text_or_none = _redacted(self._redact, key, text)
            if text_or_none is None:
                return None
            text = text_or_none
        return text if len(text) <= self._longest else cut(text, self._longest)


def _redacted(redact: Redact, key: str, text: str) -> str | None:
    """Fails closed: what the hook could not look at is not sent."""
    try:
        said = redact(key, text)
        return said if said is None or isinstance(said, str) else NOT_REDACTED
    except Exception as error:
        guard.failed("redact", error)
        return NOT_REDACTED


def cut(text: str, longest: int) -> str:
    """A text of at most so many characters. JSON stays JSON: its longest texts are cut, not its end."""
    if text[:1] in "[{":
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        for each in (longest // 2, longest // 8, longest // 64, 32) if document is not None else ():
            shorter = json.dumps(_with_leaves(document, lambda leaf, most=each: _cut(leaf, most)), ensure_ascii=False)
            if len(shorter) <= longest:
                return shorter
    return _cut(text, longest)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(0, most - len(_CUT))] + _CUT


def _with_leaves(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, str):
        return change(node)
    if isinstance(node, list):
        return [_with_leaves(item, change) for item in node]
    if isinstance(node, dict):
        return {key: _with_leaves(value, change) for key, value in node.items()}
    return node
