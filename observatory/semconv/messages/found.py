"""What a reader found in a span, and the conversation that is made of what all readers found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from observatory.semconv.messages.span import At, CarriedSpan

FIELDS = ("system_instructions", "input", "output", "tool_definitions", "query", "documents")
_EMPTY, _BROKEN, _WHOLE = 1, 2, 3  # how good a find is
_TOOL_FIELDS = ("name", "id", "type", "description", "arguments", "result")


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a span says, in the shapes of the GenAI convention.

    Messages are `{role, parts, name?, finish_reason?}`, `flags` are `{flag, where}`, `source` names for each field the form it came in. A
    field that nothing was found for is empty or None.
    """

    system_instructions: list[dict[str, Any]] = field(default_factory=list)
    input: list[dict[str, Any]] = field(default_factory=list)
    output: list[dict[str, Any]] = field(default_factory=list)
    tool_definitions: list[dict[str, Any]] = field(default_factory=list)
    tool: dict[str, Any] | None = None
    query: str | None = None
    documents: list[dict[str, Any]] | None = None
    flags: list[dict[str, str]] = field(default_factory=list)
    source: dict[str, str] = field(default_factory=dict)


class _Find(NamedTuple):
    form: str
    value: Any
    at: At
    quality: int


class Finds:
    """Collects what readers find. Among several finds for a field the best is taken, among equals the first: readers come most
    canonical first, and the same conversation in two forms is never shown twice."""

    def __init__(self) -> None:
        self._finds: dict[str, list[_Find]] = {}

    def add(self, form: str, name: str, value: Any, at: At) -> None:
        """A value for a field of `FIELDS` or `tool.NAME`; None and empty values are no finds."""
        if value is None or value == "" or value == []:
            return
        quality = _WHOLE
        if name in ("input", "output") and not any(message["parts"] for message in value):
            quality = _EMPTY
        elif at.flags & {"malformed_json", "truncated"}:
            quality = _BROKEN
        self._finds.setdefault(name, []).append(_Find(form, value, at, quality))

    def add_request(self, form: str, found: Iterable[Any], at: At) -> None:
        """System instructions, input and tool definitions at once: a `shapes.Request`."""
        for name, value in zip(("system_instructions", "input", "tool_definitions"), found, strict=True):
            self.add(form, name, value, at)

    def whole(self, form: str, *names: str) -> bool:
        """Whether this form gave each of these fields whole."""
        return all(any(find.form == form and find.quality == _WHOLE for find in self._finds.get(name, ())) for name in names)

    def conversation(self, missing: Sequence[str], cut: Callable[[str, At], bool]) -> Conversation:
        """The conversation. `missing` says which fields, when nothing is found for them, were not captured; `cut`, whether a find may
        lack what the SDK dropped."""
        best = {name: max(finds, key=lambda find: find.quality) for name, finds in self._finds.items()}
        flags: dict[tuple[str, str], None] = {}
        for find in best.values():
            told = sorted(find.at.flags | ({"truncated"} if cut(find.form, find.at) else set()))
            flags.update(dict.fromkeys((flag, find.at.where) for flag in told))
        flags.update(dict.fromkeys(("not_captured", name) for name in missing if name not in best))
        tool = {name: best[f"tool.{name}"].value for name in _TOOL_FIELDS if f"tool.{name}" in best}
        return Conversation(
            **{name: best[name].value for name in FIELDS if name in best},
            tool=tool or None,
            flags=[{"flag": flag, "where": where} for flag, where in flags],
            source={name: find.form for name, find in best.items()},
        )


Reader = Callable[[CarriedSpan, str, Finds], None]
"""Adds what a span says in one family of forms; the text is the span's kind (`kinds.kind_of`). Never raises."""
