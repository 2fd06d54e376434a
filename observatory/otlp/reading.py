"""What the reference decoder's spans and logs share: the request around the records, attribute lists, values, joined messages."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from observatory.model import anyvalue
from observatory.model.anyvalue import KeyValues
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp import faults
from observatory.otlp.faults import ATTRIBUTE, OVER_BUDGET, ROW, VALUE_DEEP, Fault
from observatory.otlp.routing import Router, unique
from observatory.otlp.wire import Bytes, fields
from observatory.semconv.routes import Route

Part = tuple[Bytes, int, int]
"""A message: bytes, where it begins, where it ends."""

NOTHING: Part = (b"", 0, 0)
_DOUBLE = struct.Struct("<d")
_RESOURCE_ATTRIBUTES, _SCOPE_ATTRIBUTES, _ENTRIES = 0x0A, 0x1A, 0x0A


class Reader(ABC):
    """Reads one body. What spans and logs share: resource and scope around the records, attribute lists, values."""

    def __init__(self, signal: Signal, routes: Sequence[Route], received_at: int, project: str | None, budget: int) -> None:
        shape = schema(signal)
        self._on_resource, self.on_record = Router(shape, routes, "resource"), Router(shape, routes, "span")
        self._said_by_scope: dict[str, dict[str, str]] = {}
        for route in routes:
            if route.where == "scope":
                self._said_by_scope.setdefault(route.key, {}).setdefault(route.column, route.rule.rest)
        names = shape.names
        self._routed = names[names.index("project") + 1 :]
        self._received_at, self._project, self._left = received_at, project, budget
        self._arrival: list[Any] = []
        self.rows: list[list[Any]] = []
        self.rejected, self.message, self.index = 0, "", 0

    @abstractmethod
    def record(self, part: Part) -> tuple[list[Any], dict[str, tuple[int, Any]]] | None:
        """One span or log record: its own columns and the routed ones; None when it is rejected."""

    def request(self, body: bytes) -> None:
        """The whole body into `rows`, `rejected` and `message`. Raises Fault, with a byte of `body` in `at`."""
        for tag, at, start, end in fields(body, 0, len(body)):
            if tag == 0x0A:
                try:
                    self._resource_records((body, start, end))
                except Fault as fault:
                    fault.at = at if fault.at < 0 else fault.at
                    raise

    def _resource_records(self, part: Part) -> None:
        resource, schema_url = NOTHING, ""
        for tag, _, start, end in fields(*part):
            if tag == 0x0A:
                resource = self.join(resource, part[0], start, end)
            elif tag == 0x1A:
                schema_url = text_of(part[0], start, end)
        attributes, _, _, dropped = self._described(resource, _RESOURCE_ATTRIBUTES, 0x10)
        routed = self._on_resource.values(attributes)
        project = self._project if self._project is not None else routed.get("project", "default")
        self._arrival = [routed.get("service_name"), routed.get("environment"), self._received_at, project]
        about = anyvalue.to_json(attributes)
        self.spend(len(about.encode()) + len(schema_url.encode()))
        for tag, _, start, end in fields(*part):
            if tag == 0x12:
                self._scope_records([about, dropped, schema_url], (part[0], start, end))

    def _scope_records(self, resource: list[Any], part: Part) -> None:
        scope, schema_url = NOTHING, ""
        records = []
        for tag, _, start, end in fields(*part):
            if tag == 0x12:
                self.spend(ROW)
                records.append(self.record((part[0], start, end)))
                self.index += 1
            elif tag == 0x0A:
                scope = self.join(scope, part[0], start, end)
            elif tag == 0x1A:
                schema_url = text_of(part[0], start, end)
        attributes, name, version, dropped = self._described(scope, _SCOPE_ATTRIBUTES, 0x20)
        about = anyvalue.to_json(attributes)
        self.spend(sum(len(text.encode()) for text in (name, version, about, schema_url)))
        around = [*resource, name, version, about, dropped, schema_url, *self._arrival]
        said = self._said_by_scope.get(name, {})
        for own, slots in filter(None, records):
            self.rows.append(own + around + [said.get(column, slots.get(column, (0, None))[1]) for column in self._routed])

    def _described(self, part: Part, attributes_tag: int, dropped_tag: int) -> tuple[KeyValues, str, str, int]:
        """Attributes, name, version and dropped count of a resource or a scope (a resource has neither name nor version)."""
        name = version = ""
        dropped = 0
        for tag, _, start, end in fields(*part):
            if tag == dropped_tag:
                dropped = start & 0xFFFFFFFF
            elif tag == 0x0A and attributes_tag != tag:
                name = text_of(part[0], start, end)
            elif tag == 0x12 and attributes_tag != 0x0A:
                version = text_of(part[0], start, end)
        return self._pairs(part, attributes_tag, 0), name, version, dropped

    def _pairs(self, part: Part, entry_tag: int, depth: int) -> KeyValues:
        """Every KeyValue of the message at `part` that stands in field `entry_tag`."""
        for tag, _, start, end in fields(*part):
            if tag == entry_tag:
                for _ in fields(part[0], start, end):  # as the kernel does, which must know all keys before it writes the first value
                    pass
        pairs = KeyValues()
        for tag, _, start, end in fields(*part):
            if tag == entry_tag:
                key, value = self.key_value((part[0], start, end))
                pairs.append((key, self.value(value, depth + 1)))
        return pairs

    def key_value(self, part: Part) -> tuple[str, Part]:
        """A KeyValue's key, and its value still as a message."""
        key, value = "", NOTHING
        for tag, _, start, end in fields(*part):
            if tag == 0x0A:
                key = text_of(part[0], start, end)
            elif tag == 0x12:
                value = self.join(value, part[0], start, end)
        return key, value

    def value(self, part: Part, depth: int) -> Any:
        """An AnyValue as the Python value that `model.anyvalue` speaks of; an attribute's own has depth 1."""
        if depth > faults.DEEPEST_VALUE:
            raise Fault(VALUE_DEEP, -1 if isinstance(part[0], bytearray) else part[1])
        value: Any = None
        open_tag, inner = 0, NOTHING
        for tag, _, start, end in fields(*part):
            if tag in (0x2A, 0x32):
                inner = self.join(inner if tag == open_tag else NOTHING, part[0], start, end)
                open_tag = tag
                continue
            match tag:
                case 0x0A:
                    value = text_of(part[0], start, end)
                case 0x10:
                    value = start != 0
                case 0x18:
                    value = signed(start)
                case 0x21:
                    value = _DOUBLE.unpack(start.to_bytes(8, "little"))[0]
                case 0x3A:
                    value = bytes(part[0][start:end])
                case _:
                    continue
            open_tag = 0
        if open_tag == 0x2A:
            return [self.value((inner[0], start, end), depth + 1) for tag, _, start, end in fields(*inner) if tag == 0x0A]
        if open_tag == 0x32:
            return self._pairs(inner, _ENTRIES, depth)
        return value

    def join(self, before: Part, data: Bytes, start: int, end: int) -> Part:
        """The message whose bytes are those of `before` (NOTHING when this is its first part) and `data[start:end]`."""
        if before is NOTHING:
            return data, start, end
        joined = before[0]
        if joined is data:
            joined = bytearray(data[before[1] : before[2]])
            self.spend(len(joined))
        assert isinstance(joined, bytearray)
        joined += data[start:end]
        self.spend(end - start)
        return joined, 0, len(joined)

    def spend(self, size: int) -> None:
        """Take `size` bytes of columns from the body's budget."""
        self._left -= size
        if self._left < 0:
            raise Fault(OVER_BUDGET)


class Attributes:
    """One attribute list in the making: unique keys, texts and types; routed columns on the side."""

    def __init__(self, reader: Reader, router: Router | None) -> None:
        self._reader, self._router = reader, router
        self._taken: dict[str, int] = {}
        self.pairs: list[tuple[str, str]] = []
        self.types: list[str] = []
        self.slots: dict[str, tuple[int, Any]] = {}

    def add(self, part: Part) -> None:
        """One KeyValue message."""
        key, entry = self._reader.key_value(part)
        value = self._reader.value(entry, 1)
        letter, text = anyvalue.letter(value), anyvalue.text(value)
        if self._router is not None:
            self._router.feed(self.slots, key, value)
        name = unique(self._taken, key)
        self.pairs.append((name, text))
        self.types.append(letter if name == key else letter.upper())
        self._reader.spend(ATTRIBUTE + len(name.encode()) + len(text.encode()))


def text_of(data: Bytes, start: int, end: int) -> str:
    """Text of the wire; what is not UTF-8 is replaced."""
    return data[start:end].decode("utf-8", "replace")


def signed(value: int) -> int:
    """64 bits as int64."""
    return value - (value >> 63 << 64)
