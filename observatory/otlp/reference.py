"""The decoder of spans and logs in pure Python: the kernel's oracle, and its stand-in where no compiler was available.

It reads in the kernel's order, so that it finds the same fault first. Where OTLP leaves room, protobuf's own rules hold: the last of a
repeated scalar wins, of a oneof the last field, and embedded messages that repeat are read as their bytes joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from observatory.model import anyvalue
from observatory.model.batch import Decoded, Outcome
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp import columns, faults
from observatory.otlp.faults import BUDGET, EVENT, LINK, Fault
from observatory.otlp.reading import NOTHING, Attributes, Part, Reader, signed, text_of
from observatory.otlp.wire import Bytes, fields
from observatory.semconv.routes import Route


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


class _Spans(Reader):
    def record(self, part: Part) -> tuple[list[Any], dict[str, tuple[int, Any]]] | None:
        data = part[0]
        trace_id = span_id = parent = b""
        state = name = said = ""
        flags = kind = start = end = code = dropped = dropped_events = dropped_links = 0
        attributes = Attributes(self, self.on_record)
        events: list[Any] = []
        links: list[Any] = []
        for tag, _, value, stop in fields(*part):
            match tag:
                case 0x0A:
                    trace_id = data[value:stop]
                case 0x12:
                    span_id = data[value:stop]
                case 0x1A:
                    state = text_of(data, value, stop)
                case 0x22:
                    parent = data[value:stop]
                case 0x85:
                    flags = value
                case 0x2A:
                    name = text_of(data, value, stop)
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
                            said = text_of(data, begin, finish)
                        elif inner == 0x18:
                            code = _signed32(begin)
                case _:
                    pass
        self.spend(len(state.encode()) + len(name.encode()) + len(said.encode()))
        if not (_valid(trace_id, 16) and _valid(span_id, 8) and len(parent) in (0, 8)):
            self._reject(trace_id, span_id, parent)
            return None
        row = [trace_id, span_id, parent if _valid(parent, 8) else None, state, flags, name, kind, signed(start)]
        row += [signed((end - start) & 0xFFFFFFFFFFFFFFFF), code, said, attributes.pairs, "".join(attributes.types), dropped]
        return [*row, events, dropped_events, links, dropped_links], attributes.slots

    def _reject(self, *ids: Bytes) -> None:
        if not self.rejected:
            wrong = next(i for i, id_ in enumerate(ids) if i == faults.PARENT_SPAN_ID or not _valid(id_, (16, 8)[i]))
            self.message = faults.rejection(self.index, wrong, len(ids[wrong]))
        self.rejected += 1

    def _event(self, part: Part) -> tuple[Any, ...]:
        time = dropped = 0
        name = ""
        attributes = Attributes(self, None)
        for tag, _, value, stop in fields(*part):
            match tag:
                case 0x09:
                    time = value
                case 0x12:
                    name = text_of(part[0], value, stop)
                case 0x1A:
                    attributes.add((part[0], value, stop))
                case 0x20:
                    dropped = value & 0xFFFFFFFF
                case _:
                    pass
        self.spend(EVENT + len(name.encode()))
        return signed(time), name, attributes.pairs, "".join(attributes.types), dropped

    def _link(self, part: Part) -> tuple[Any, ...]:
        trace_id = span_id = b""
        state = ""
        dropped = flags = 0
        attributes = Attributes(self, None)
        for tag, _, value, stop in fields(*part):
            match tag:
                case 0x0A:
                    trace_id = part[0][value:stop]
                case 0x12:
                    span_id = part[0][value:stop]
                case 0x1A:
                    state = text_of(part[0], value, stop)
                case 0x22:
                    attributes.add((part[0], value, stop))
                case 0x28:
                    dropped = value & 0xFFFFFFFF
                case 0x35:
                    flags = value
                case _:
                    pass
        self.spend(LINK + len(trace_id) + len(span_id) + len(state.encode()))
        return trace_id, span_id, state, attributes.pairs, "".join(attributes.types), dropped, flags


class _Logs(Reader):
    def record(self, part: Part) -> tuple[list[Any], dict[str, tuple[int, Any]]]:
        data = part[0]
        trace_id = span_id = b""
        severity_text = event_name = ""
        time = observed = severity = dropped = flags = 0
        attributes = Attributes(self, self.on_record)
        body = NOTHING
        for tag, _, value, stop in fields(*part):
            match tag:
                case 0x09:
                    time = value
                case 0x59:
                    observed = value
                case 0x10:
                    severity = _signed32(value)
                case 0x1A:
                    severity_text = text_of(data, value, stop)
                case 0x2A:
                    body = self.join(body, data, value, stop)
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
                    event_name = text_of(data, value, stop)
                case _:
                    pass
        content = self.value(body, 1)
        text = anyvalue.text(content)
        self.spend(len(severity_text.encode()) + len(event_name.encode()) + len(text.encode()))
        event = event_name or attributes.slots.get("event_name", (0, ""))[1]
        row = [signed(time), signed(observed), severity, severity_text, event, text, anyvalue.letter(content)]
        row += [attributes.pairs, "".join(attributes.types), dropped, flags]
        row += [trace_id if _valid(trace_id, 16) else None, span_id if _valid(span_id, 8) else None]
        return row, attributes.slots


def _valid(id_: Bytes, size: int) -> bool:
    return len(id_) == size and any(id_)


def _signed32(value: int) -> int:
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
