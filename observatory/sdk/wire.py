"""Ended spans and log records as bytes of an OTLP export request, written without protobuf messages in between.

OpenTelemetry's own encoder makes a message of every attribute and hashes the resource's JSON for every span: ten times the work, which the
application's processor pays. Field numbers are those of opentelemetry-proto 1.x; the tests hold every byte to OpenTelemetry's encoder.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from observatory.sdk.scrub import LEFT_OUT, Scrubber

_ONE: Final = tuple(bytes((number,)) for number in range(128))
_fixed64, _fixed32, _double = struct.Struct("<Q").pack, struct.Struct("<I").pack, struct.Struct("<d").pack
_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200


def spans(batch: Sequence[Any], scrub: Scrubber | None = None) -> bytes:
    """An ExportTraceServiceRequest of ReadableSpans."""
    return _request(batch, lambda span: span.resource, lambda span: _span(span, scrub), scrub)


def logs(batch: Sequence[Any], scrub: Scrubber | None = None) -> bytes:
    """An ExportLogsServiceRequest of what a LogRecordProcessor is given, of any OpenTelemetry."""
    return _request(batch, _resource_of_log, lambda log: _log(log, scrub), scrub)


def _request(batch: Iterable[Any], resource_of: Callable[[Any], Any], write: Callable[[Any], bytes], scrub: Scrubber | None) -> bytes:
    """Records under their scope, scopes under their resource: both requests have the same shape. Resources are told apart by identity."""
    resources: dict[int, tuple[Any, dict[Any, list[bytes]]]] = {}
    for record in batch:
        resource = resource_of(record)
        scopes = resources.setdefault(id(resource), (resource, {}))[1]
        scopes.setdefault(record.instrumentation_scope or None, []).append(_field(b"\x12", write(record)))
    written = []
    for resource, scopes in resources.values():
        parts = [_field(b"\x0a", _attributes(b"\x0a", of_this_process(resource.attributes), scrub))]
        parts += (_field(b"\x12", _scope(scope, scrub) + b"".join(records)) for scope, records in scopes.items())
        parts.append(_text(b"\x1a", resource.schema_url))
        written.append(_field(b"\x0a", b"".join(parts)))
    return b"".join(written)


def of_this_process(resource: Any) -> Any:
    """A resource's attributes where this process is a fork of the one that made them: what it sends it has seen itself."""
    return {**resource, "process.pid": os.getpid()} if "process.pid" in resource else resource


def _scope(scope: Any, scrub: Scrubber | None) -> bytes:
    if scope is None:
        return b"\x0a\x00"
    said = _text(b"\x0a", scope.name) + _text(b"\x12", scope.version) + _attributes(b"\x1a", getattr(scope, "attributes", None), scrub)
    return _field(b"\x0a", said) + _text(b"\x1a", scope.schema_url)


def _span(span: Any, scrub: Scrubber | None) -> bytes:
    context, parent, status = span.context, span.parent, span.status
    message = status.description or ""
    parts = [
        b"\x0a\x10" + context.trace_id.to_bytes(16, "big") + b"\x12\x08" + context.span_id.to_bytes(8, "big"),
        _text(b"\x1a", ",".join([f"{key}={value}" for key, value in context.trace_state.items()]) if context.trace_state else ""),
        b"\x22\x08" + parent.span_id.to_bytes(8, "big") if parent else b"",
        _text(b"\x2a", span.name),
        b"\x30" + _ONE[span.kind.value + 1] + b"\x39" + _fixed64(span.start_time) + b"\x41" + _fixed64(span.end_time),
        _attributes(b"\x4a", span.attributes, scrub),
        _count(b"\x50", span.dropped_attributes),
        *(_field(b"\x5a", _event(event, scrub)) for event in span.events),
        _count(b"\x60", span.dropped_events),
        *(_field(b"\x6a", _link(link, scrub)) for link in span.links),
        _count(b"\x70", span.dropped_links),
        _field(
            b"\x7a", _text(b"\x12", scrub.status(message) if scrub and message else message) + _count(b"\x18", status.status_code.value)
        ),
        b"\x85\x01" + _fixed32(_flags(parent)),
    ]
    return b"".join(parts)


def _flags(context: Any) -> int:
    return _HAS_IS_REMOTE | _IS_REMOTE if context and context.is_remote else _HAS_IS_REMOTE


def _event(event: Any, scrub: Scrubber | None) -> bytes:
    said = b"\x09" + _fixed64(event.timestamp) + _text(b"\x12", event.name) + _attributes(b"\x1a", event.attributes, scrub)
    return said + _count(b"\x20", event.dropped_attributes)


def _link(link: Any, scrub: Scrubber | None) -> bytes:
    context = link.context
    ids = b"\x0a\x10" + context.trace_id.to_bytes(16, "big") + b"\x12\x08" + context.span_id.to_bytes(8, "big")
    said = ids + _attributes(b"\x22", link.attributes, scrub) + _count(b"\x28", link.dropped_attributes)
    return said + b"\x35" + _fixed32(_flags(context))


def _resource_of_log(log: Any) -> Any:
    return log.resource if hasattr(log, "resource") else log.log_record.resource  # of the record before 1.38


def _log(log: Any, scrub: Scrubber | None) -> bytes:
    record = log.log_record
    attributes, body = record.attributes or {}, record.body
    name = getattr(record, "event_name", None) or ""
    if scrub is not None:
        body = scrub.body(name or str(attributes.get("event.name") or ""), body)
    dropped = getattr(log, "dropped_attributes", None) if hasattr(log, "dropped_attributes") else record.dropped_attributes
    parts = [
        b"\x09" + _fixed64(record.timestamp) if record.timestamp else b"",
        _count(b"\x10", getattr(record.severity_number, "value", None)),
        _text(b"\x1a", record.severity_text),
        _field(b"\x2a", _value(body)),
        _attributes(b"\x32", attributes, scrub),
        _count(b"\x38", dropped),
        b"\x45" + _fixed32(record.trace_flags) if record.trace_flags else b"",
        b"\x4a\x10" + record.trace_id.to_bytes(16, "big") if record.trace_id else b"",
        b"\x52\x08" + record.span_id.to_bytes(8, "big") if record.span_id else b"",
        b"\x59" + _fixed64(record.observed_timestamp) if record.observed_timestamp else b"",
        _text(b"\x62", name),
    ]
    return b"".join(parts)


def _attributes(tag: bytes, attributes: Any, scrub: Scrubber | None) -> bytes:
    """KeyValues under this tag. OpenTelemetry's mapping runs Python for every item read from it; its copy is a dict."""
    if not attributes:
        return b""
    written = []
    for key, value in attributes.copy().items():
        if scrub is not None:
            value = scrub.value(key, value)
            if value is LEFT_OUT:
                continue
        said = _value(value)
        name = _key(key)
        length = _varint(len(said))
        written += tag, _varint(len(name) + 1 + len(length) + len(said)), name, b"\x12", length, said
    return b"".join(written)


@lru_cache(2048)
def _key(key: str) -> bytes:
    return _text(b"\x0a", key) or b"\x0a\x00"


def _value(value: Any) -> bytes:
    """An AnyValue. What OTLP has no type for is told by its type's name; whole numbers beyond 64 bits as text."""
    if type(value) is str:  # most are
        said = value.encode("utf-8", "replace")
        return b"\x0a" + _varint(len(said)) + said
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, str):
        return _value(str.__str__(value))
    if isinstance(value, int):
        return b"\x18" + _varint(value & 0xFFFF_FFFF_FFFF_FFFF) if -(1 << 63) <= value < 1 << 63 else _value(str(value))
    if isinstance(value, float):
        return b"\x21" + _double(value)
    if isinstance(value, bytes):
        return _field(b"\x3a", value)
    if isinstance(value, Mapping):
        return _field(b"\x32", b"".join([_field(b"\x0a", _key(str(key)) + _field(b"\x12", _value(item))) for key, item in value.items()]))
    if isinstance(value, Sequence):
        return _field(b"\x2a", b"".join([_field(b"\x0a", _value(item)) for item in value]))
    return _value(f"[{type(value).__name__}]")


def _text(tag: bytes, text: str | None) -> bytes:
    return _field(tag, text.encode("utf-8", "replace")) if text else b""


def _count(tag: bytes, number: int | None) -> bytes:
    return tag + _varint(number) if number else b""


def _field(tag: bytes, body: bytes) -> bytes:
    return tag + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    if number < 128:
        return _ONE[number]
    if number < 16_384:  # most lengths
        return bytes((number & 127 | 128, number >> 7))
    said = bytearray()
    while number >= 128:
        said.append(number & 127 | 128)
        number >>= 7
    said.append(number)
    return bytes(said)
