"""What leaves the process is looked at last: content that may not leave is taken out, texts are redacted and cut.

It works while a request is written, off the application's threads, so that it sees the same thing whoever recorded it: attributes, events,
links, log bodies, of any instrumentation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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


LEFT_OUT = object()
"""Stands for a value that may not be sent."""


class Scrubber:
    """Applies a configuration's `capture_content`, `redact` and `max_attribute_length` to what is about to be sent."""

    def __init__(self, config: Config) -> None:
        self._content, self._redact, self._longest = config.capture_content, config.redact, config.max_attribute_length

    def needed(self, largest: int) -> bool:
        """Something may have to change in a batch whose largest record has this many bytes."""
        return not self._content or self._redact is not None or largest > self._longest

    def value(self, key: str, value: Any) -> Any:
        """An attribute's value as it may be sent, `LEFT_OUT` where it may not."""
        return LEFT_OUT if not self._content and is_content(key) else self._changed(key, value)

    def body(self, event: str, body: Any) -> Any:
        """A log record's. Only bodies of GenAI's events are content: an application's own log lines are its own business."""
        if not self._content and event.startswith(_CONTENT_EVENTS):
            return None
        said = self._changed("body", body)
        return None if said is LEFT_OUT else said

    def status(self, message: str) -> str:
        """A span's status message."""
        if not self._content:  # a provider's error repeats what was sent
            return message.partition(":")[0][:80]
        said = self._text("status.message", message)
        return "" if said is None else said

    def _changed(self, key: str, value: Any) -> Any:
        if isinstance(value, str):
            said = self._text(key, value)
            return LEFT_OUT if said is None else said
        if isinstance(value, Mapping):
            return {name: self._inside(str(name), item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._inside(key, item) for item in value]
        return value

    def _inside(self, key: str, value: Any) -> Any:
        """Of a list or a mapping: the others keep their places."""
        said = self._changed(key, value)
        return "" if said is LEFT_OUT else said

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
