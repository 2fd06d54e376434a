"""The decoder of spans and logs in pure Python: the kernel's oracle, and its stand-in where no compiler was available.

It reads in the kernel's order, so that it finds the same fault first. Where OTLP leaves room, protobuf's own rules hold: the last of a
repeated scalar wins, of a oneof the last field, and embedded messages that repeat are read as their bytes joined.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from observatory.model import anyvalue
from observatory.model.anyvalue import KeyValues
from observatory.model.batch import Decoded, Outcome
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp import columns, faults
from observatory.otlp.faults import ATTRIBUTE, BUDGET, EVENT, LINK, OVER_BUDGET, ROW, VALUE_DEEP, Fault
from observatory.otlp.routing import Router, unique
from observatory.otlp.wire import Bytes, fields
from observatory.semconv.routes import Route

Part = tuple[Bytes, int, int]
"""A message: bytes, where it begins, where it ends."""

_NOTHING: Part = (b"", 0, 0)
_DOUBLE = struct.Struct("<d")
_RESOURCE_ATTRIBUTES, _SCOPE_ATTRIBUTES, _ENTRIES = 0x0A, 0x1A, 0x0A


class ReferenceDecoder:
    """A `contracts.Decoder` of spans or logs. `budget` bounds the bytes of columns one body may become."""

    def __init__(self, signal: Signal, routes: Sequence[Route], budget: int = BUDGET) -> None:
        self._signal, self._routes, self._budget = signal, routes, budget
        self._schema = schema(signal)

    def __call__(self, bodies: Sequence[bytes], received_at: int, projects: Sequence[str | None]) -> Decoded:
        """See `contracts.Decoder`."""
        rows: list[list[Any]] = []
        outcomes: list[Outcome] = []
        for body, project in zip(bodies, projects, strict=True):
            reader = (_Spans if self._signal is Signal.SPANS else _Logs)(self._signal, self._routes, received_at, project, self._budget)
            try:
                reader.request(body)
            except Fault as fault:
                error = faults.error(self._signal, fault.code, fault.at, fault.field, len(body), self._budget)
                outcomes.append(Outcome(error=error))
            else:
                rows += reader.rows
                outcomes.append(Outcome(len(reader.rows), reader.rejected, reader.message))
        return Decoded(columns.batch(self._schema, rows), outcomes)


class _Reader:
    """Reads one body. What spans and logs share: resource and scope around the records, attribute lists, values."""

    def __init__(self, signal: Signal, routes: Sequence[Route], received_at: int, project: str | None, budget: int) -> None:
        shape = schema(signal)
        self._on_resource, self._on_record = Router(shape, routes, "resource"), Router(shape, routes, "span")
        names = shape.names
        self._routed = names[names.index("project") + 1 :]
        self._received_at, self._project, self._left = received_at, project, budget
        self._arrival: list[Any] = []
        self.rows: list[list[Any]] = []
        self.rejected, self.message, self._index = 0, "", 0

    def record(self, part: Part) -> tuple[list[Any], dict[str, tuple[int, Any]]] | None:
        """One span or log record: its own columns and the routed ones; None when it is rejected."""
        raise NotImplementedError

    def request(self, body: bytes) -> None:
        for tag, at, start, end in fields(body, 0, len(body)):
            if tag == 0x0A:
                try:
                    self._resource_records((body, start, end))
                except Fault as fault:
                    fault.at = at if fault.at < 0 else fault.at
                    raise

    def _resource_records(self, part: Part) -> None:
        resource, schema_url = _NOTHING, ""
        for tag, _, start, end in fields(*part):
            if tag == 0x0A:
                resource = self._join(resource, part[0], start, end)
            elif tag == 0x1A:
                schema_url = _text(part[0], start, end)
        attributes, _, _, dropped = self._described(resource, _RESOURCE_ATTRIBUTES, 0x10)
        routed = self._on_resource.values(attributes)
        project = self._project if self._project is not None else routed.get("project", "default")
        self._arrival = [routed.get("service_name"), routed.get("environment"), self._received_at, project]
        about = anyvalue.to_json(attributes)
        self._spend(len(about.encode()) + len(schema_url.encode()))
        for tag, _, start, end in fields(*part):
            if tag == 0x12:
                self._scope_records([about, dropped, schema_url], (part[0], start, end))

    def _scope_records(self, resource: list[Any], part: Part) -> None:
        scope, schema_url = _NOTHING, ""
        records = []
        for tag, _, start, end in fields(*part):
            if tag == 0x12:
                self._spend(ROW)
                records.append(self.record((part[0], start, end)))
                self._index += 1
            elif tag == 0x0A:
                scope = self._join(scope, part[0], start, end)
            elif tag == 0x1A:
                schema_url = _text(part[0], start, end)
        attributes, name, version, dropped = self._described(scope, _SCOPE_ATTRIBUTES, 0x20)
        about = anyvalue.to_json(attributes)
        self._spend(sum(len(text.encode()) for text in (name, version, about, schema_url)))
        around = [*resource, name, version, about, dropped, schema_url, *self._arrival]
        for own, slots in filter(None, records):
            self.rows.append(own + around + [slots.get(column, (0, None))[1] for column in self._routed])

    def _described(self, part: Part, attributes_tag: int, dropped_tag: int) -> tuple[KeyValues, str, str, int]:
        """Attributes, name, version and dropped count of a resource or a scope (a resource has neither name nor version)."""
        name = version = ""
        dropped = 0
        for tag, _, start, end in fields(*part):
            if tag == dropped_tag:
                dropped = start & 0xFFFFFFFF
            elif tag == 0x0A and attributes_tag != tag:
                name = _text(part[0], start, end)
            elif tag == 0x12 and attributes_tag != 0x0A:
                version = _text(part[0], start, end)
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
                key, value = self._key_value((part[0], start, end))
                pairs.append((key, self._value(value, depth + 1)))
        return pairs

    def _key_value(self, part: Part) -> tuple[str, Part]:
        key, value = "", _NOTHING
        for tag, _, start, end in fields(*part):
            if tag == 0x0A:
                key = _text(part[0], start, end)
            elif tag == 0x12:
                value = self._join(value, part[0], start, end)
        return key, value

    def _value(self, part: Part, depth: int) -> Any:
        if depth > faults.DEEPEST_VALUE:
            raise Fault(VALUE_DEEP, -1 if isinstance(part[0], bytearray) else part[1])
        value: Any = None
        open_tag, inner = 0, _NOTHING
        for tag, _, start, end in fields(*part):
            if tag in (0x2A, 0x32):
                inner = self._join(inner if tag == open_tag else _NOTHING, part[0], start, end)
                open_tag = tag
                continue
            match tag:
                case 0x0A:
                    value = _text(part[0], start, end)
                case 0x10:
                    value = start != 0
                case 0x18:
                    value = _signed(start)
                case 0x21:
                    value = _DOUBLE.unpack(start.to_bytes(8, "little"))[0]
                case 0x3A:
                    value = bytes(part[0][start:end])
                case _:
                    continue
            open_tag = 0
        if open_tag == 0x2A:
            return [self._value((inner[0], start, end), depth + 1) for tag, _, start, end in fields(*inner) if tag == 0x0A]
        if open_tag == 0x32:
            return self._pairs(inner, _ENTRIES, depth)
        return value

    def _join(self, before: Part, data: Bytes, start: int, end: int) -> Part:
        if before is _NOTHING:
            return data, start, end
        joined = before[0]
        if joined is data:
            joined = bytearray(data[before[1] : before[2]])
            self._spend(len(joined))
        assert isinstance(joined, bytearray)
        joined += data[start:end]
        self._spend(end - start)
        return joined, 0, len(joined)

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise Fault(OVER_BUDGET)


class _Attributes:
    """One attribute list in the making: unique keys, texts and types; routed columns on the side."""

    def __init__(self, reader: _Reader, router: Router | None) -> None:
        self._reader, self._router = reader, router
        self._taken: dict[str, int] = {}
        self.pairs: list[tuple[str, str]] = []
        self.types: list[str] = []
        self.slots: dict[str, tuple[int, Any]] = {}

    def add(self, part: Part) -> None:
        key, entry = self._reader._key_value(part)
        value = self._reader._value(entry, 1)
        letter, text = anyvalue.letter(value), anyvalue.text(value)
        if self._router is not None:
            self._router.feed(self.slots, key, value)
        name = unique(self._taken, key)
        self.pairs.append((name, text))
        self.types.append(letter if name == key else letter.upper())
        self._reader._spend(ATTRIBUTE + len(name.encode()) + len(text.encode()))


class _Spans(_Reader):
    def record(self, part: Part) -> tuple[list[Any], dict[str, tuple[int, Any]]] | None:
        data = part[0]
        trace_id = span_id = parent = b""
        state = name = said = ""
        flags = kind = start = end = code = dropped = dropped_events = dropped_links = 0
        attributes = _Attributes(self, self._on_record)
        events: list[Any] = []
        links: list[Any] = []
        for tag, _, value, stop in fields(*part):
            match tag:
                case 0x0A:
                    trace_id = data[value:stop]
                case 0x12:
                    span_id = data[value:stop]
                case 0x1A:
                    state = _text(data, value, stop)
                case 0x22:
                    parent = data[value:stop]
                case 0x85:
                    flags = value
                case 0x2A:
                    name = _text(data, value, stop)
                case 0x30:
                    kind = _signed32(value)
                case 0x39:
                    start = value
                case 0x41:
                    end = value
                case 0x4A:
                    attributes.add((data, value, stop))
                case 0x50:
                    dropped = value & 0xFFFFFFFF
                case 0x5A:
                    events.append(self._event((data, value, stop)))
                case 0x60:
                    dropped_events = value & 0xFFFFFFFF
                case 0x6A:
                    links.append(self._link((data, value, stop)))
                case 0x70:
                    dropped_links = value & 0xFFFFFFFF
                case 0x7A:
                    for inner, _, begin, finish in fields(data, value, stop):
                        if inner == 0x12:
                            said = _text(data, begin, finish)
                        elif inner == 0x18:
                            code = _signed32(begin)
                case _:
                    pass
        self._spend(len(state.encode()) + len(name.encode()) + len(said.encode()))
        if not (_valid(trace_id, 16) and _valid(span_id, 8) and len(parent) in (0, 8)):
            self._reject(trace_id, span_id, parent)
            return None
        row = [trace_id, span_id, parent if _valid(parent, 8) else None, state, flags, name, kind, _signed(start)]
        row += [_signed((end - start) & 0xFFFFFFFFFFFFFFFF), code, said, attributes.pairs, "".join(attributes.types), dropped]
        return [*row, events, dropped_events, links, dropped_links], attributes.slots

    def _reject(self, *ids: Bytes) -> None:
        if not self.rejected:
            wrong = next(i for i, id_ in enumerate(ids) if i == faults.PARENT_SPAN_ID or not _valid(id_, (16, 8)[i]))
            self.message = faults.rejection(self._index, wrong, len(ids[wrong]))
        self.rejected += 1

    def _event(self, part: Part) -> tuple[Any, ...]:
        time = dropped = 0
        name = ""
        attributes = _Attributes(self, None)
        for tag, _, value, stop in fields(*part):
            match tag:
                case 0x09:
                    time = value
                case 0x12:
                    name = _text(part[0], value, stop)
                case 0x1A:
                    attributes.add((part[0], value, stop))
                case 0x20:
                    dropped = value & 0xFFFFFFFF
                case _:
                    pass
        self._spend(EVENT + len(name.encode()))
        return _signed(time), name, attributes.pairs, "".join(attributes.types), dropped

    def _link(self, part: Part) -> tuple[Any, ...]:
        trace_id = span_id = b""
        state = ""
        dropped = flags = 0
        attributes = _Attributes(self, None)
        for tag, _, value, stop in fields(*part):
            match tag:
                case 0x0A:
                    trace_id = part[0][value:stop]
                case 0x12:
                    span_id = part[0][value:stop]
                case 0x1A:
                    state = _text(part[0], value, stop)
                case 0x22:
                    attributes.add((part[0], value, stop))
                case 0x28:
                    dropped = value & 0xFFFFFFFF
                case 0x35:
                    flags = value
                case _:
                    pass
        self._spend(LINK + len(trace_id) + len(span_id) + len(state.encode()))
        return trace_id, span_id, state, attributes.pairs, "".join(attributes.types), dropped, flags


class _Logs(_Reader):
    def record(self, part: Part) -> tuple[list[Any], dict[str, tuple[int, Any]]]:
        data = part[0]
        trace_id = span_id = b""
        severity_text = event_name = ""
        time = observed = severity = dropped = flags = 0
        attributes = _Attributes(self, self._on_record)
        body = _NOTHING
        for tag, _, value, stop in fields(*part):
            match tag:
                case 0x09:
                    time = value
                case 0x59:
                    observed = value
                case 0x10:
                    severity = _signed32(value)
                case 0x1A:
                    severity_text = _text(data, value, stop)
                case 0x2A:
                    body = self._join(body, data, value, stop)
                case 0x32:
                    attributes.add((data, value, stop))
                case 0x38:
                    dropped = value & 0xFFFFFFFF
                case 0x45:
                    flags = value
                case 0x4A:
                    trace_id = data[value:stop]
                case 0x52:
                    span_id = data[value:stop]
                case 0x62:
                    event_name = _text(data, value, stop)
                case _:
                    pass
        content = self._value(body, 1)
        text = anyvalue.text(content)
        self._spend(len(severity_text.encode()) + len(event_name.encode()) + len(text.encode()))
        event = event_name or attributes.slots.get("event_name", (0, ""))[1]
        row = [_signed(time), _signed(observed), severity, severity_text, event, text, anyvalue.letter(content)]
        row += [attributes.pairs, "".join(attributes.types), dropped, flags]
        row += [trace_id if _valid(trace_id, 16) else None, span_id if _valid(span_id, 8) else None]
        return row, attributes.slots


def _valid(id_: Bytes, size: int) -> bool:
    return len(id_) == size and any(id_)


def _text(data: Bytes, start: int, end: int) -> str:
    return data[start:end].decode("utf-8", "replace")


def _signed(value: int) -> int:
    return value - (value >> 63 << 64)


def _signed32(value: int) -> int:
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
