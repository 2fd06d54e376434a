"""What one span carries, as plain values: what the readers of this room are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """A span event, or a log record with the span's ids. Values are plain: None, bool, int, float, str, list, dict (`json_text.plain`)."""

    name: str
    attributes: Mapping[str, Any]
    body: Any = None


@dataclass(frozen=True, slots=True)
class CarriedSpan:
    """One span and the log records that belong to it; `attributes` are plain values, events and logs in the order they were made."""

    name: str = ""
    scope_name: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Record] = ()
    logs: Sequence[Record] = ()
    dropped_attributes: int = 0
    dropped_events: int = 0

    def text(self, *keys: str) -> str | None:
        """The first of these attributes that is text with something in it."""
        for key in keys:
            value = self.attributes.get(key)
            if isinstance(value, str) and value:
                return value
        return None

    def carriers(self, where: str = "") -> Iterator[tuple[str, Any]]:
        """(`where`, value) of all attributes, events and log records whose place is `where` or inside it, as `At.where` names them."""
        for key, value in self.attributes.items():
            if _inside(place := f"attributes:{key}", where):
                yield place, value
        for kind, records in (("events", self.events), ("logs", self.logs)):
            for number, record in enumerate(records):
                for key, value in [*record.attributes.items(), ("body", record.body)]:
                    if _inside(place := f"{kind}:{number}:{key}", where):
                        yield place, value


def _inside(place: str, where: str) -> bool:
    return not where or place == where or (place.startswith(where) and place[len(where)] in ".:")


class At:
    """Where a value was found, and what is wrong with it.

    `where` is `attributes:KEY` (for indexed keys their common beginning), `events:N:KEY` or `logs:N:KEY`, `logs:N:body`.
    """

    __slots__ = ("flags", "where")

    def __init__(self, where: str) -> None:
        self.where = where
        self.flags: set[str] = set()

    def flag(self, name: str) -> None:
        """Note it: `malformed_json`, `truncated`, `stored_elsewhere`."""
        self.flags.add(name)
