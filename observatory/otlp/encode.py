"""Columns back to OTLP protobuf: the other half of the round trip.

Rows keep their order; neighbours with equal resource, and within it equal scope, share one envelope. Typed columns are not written: the
attributes they came from are. What cannot come back: whether an empty resource, scope, status or value was there or missing, a log's ids
when they were invalid, a log's `event_name` when its attribute `event.name` says the same, fields that OTLP does not have.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa

from observatory.model import anyvalue
from observatory.model.anyvalue import KeyValues
from observatory.model.signal import Signal
from observatory.model.threshold import threshold_for
from observatory.otlp.wire import block, number
from observatory.semconv.tracestate import with_threshold

Row = dict[str, Any]

_U64, _U32, _F64 = struct.Struct("<Q"), struct.Struct("<I"), struct.Struct("<d")
_RESOURCE = ("resource", "resource_dropped_attributes_count", "resource_schema_url")
_SCOPE = ("scope_name", "scope_version", "scope_attributes", "scope_dropped_attributes_count", "scope_schema_url")
_METRIC = ("name", "description", "unit", "metadata", "kind", "temporality", "is_monotonic")
_CHUNK = 4096
"""Rows that are Python values at a time."""


def encode(signal: Signal, rows: pa.RecordBatch | pa.Table) -> bytes:
    """An Export*ServiceRequest of all rows (of `schema(signal)`, at least its OTLP columns)."""
    write = {Signal.SPANS: _spans, Signal.LOGS: _logs, Signal.METRIC_POINTS: _metrics}[signal]
    out = []
    for about_resource, of_resource in _groups(_rows(rows), _RESOURCE):
        text, dropped, schema_url = about_resource
        scopes = []
        for about_scope, of_scope in _groups(of_resource, _SCOPE):
            scopes.append(block(b"\x12", _scope(about_scope) + write(of_scope) + _text(b"\x1a", about_scope[4])))
        resource = _attributes(b"\x0a", anyvalue.from_json(text)) + _number(b"\x10", dropped)
        out.append(block(b"\x0a", _block(b"\x0a", resource) + b"".join(scopes) + _text(b"\x1a", schema_url)))
    return b"".join(out)


def _rows(rows: pa.RecordBatch | pa.Table) -> Iterator[Row]:
    for start in range(0, rows.num_rows, _CHUNK):
        yield from rows.slice(start, _CHUNK).to_pylist()


def _groups(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[tuple[list[Any], Iterator[Row]]]:
    return groupby(rows, lambda row: [row[column] for column in columns])


def _scope(about: list[Any]) -> bytes:
    name, version, attributes, dropped, _ = about
    return _block(
        b"\x0a",
        _text(b"\x0a", name) + _text(b"\x12", version) + _attributes(b"\x1a", anyvalue.from_json(attributes)) + _number(b"\x20", dropped),
    )


def _spans(rows: Iterable[Row]) -> bytes:
    return b"".join(block(b"\x12", _span(row)) for row in rows)


def _span(row: Row) -> bytes:
    status = _text(b"\x12", row["status_message"]) + _number(b"\x18", row["status_code"])
    parts = [
        _bytes(b"\x0a", row["trace_id"]),
        _bytes(b"\x12", row["span_id"]),
        _text(b"\x1a", _state(row)),
        _bytes(b"\x22", row["parent_span_id"] or b""),
        _text(b"\x2a", row["name"]),
        _number(b"\x30", row["kind"]),
        _fixed64(b"\x39", row["start_ns"]),
        _fixed64(b"\x41", row["start_ns"] + row["duration_ns"]),
        _own_attributes(b"\x4a", row),
        _number(b"\x50", row["dropped_attributes_count"]),
    ]
    parts += [block(b"\x5a", _event(event)) for event in row["events"]]
    parts.append(_number(b"\x60", row["dropped_events_count"]))
    parts += [block(b"\x6a", _link(link)) for link in row["links"]]
    parts += [_number(b"\x70", row["dropped_links_count"]), _block(b"\x7a", status), _fixed32(b"\x85\x01", row["flags"])]
    return b"".join(parts)


def _state(row: Row) -> str:
    """The trace state as it came, with the threshold of what was decided here (SAMPLING.md)."""
    if not row.get("decided_by"):
        return row["trace_state"]
    count = row["adjusted_count"]
    return with_threshold(row["trace_state"], None if count is None else threshold_for(count))


def _event(event: Row) -> bytes:
    return (
        _fixed64(b"\x09", event["time_ns"])
        + _text(b"\x12", event["name"])
        + _own_attributes(b"\x1a", event)
        + _number(b"\x20", event["dropped_attributes_count"])
    )


def _link(link: Row) -> bytes:
    return (
        _bytes(b"\x0a", link["trace_id"])
        + _bytes(b"\x12", link["span_id"])
        + _text(b"\x1a", link["trace_state"])
        + _own_attributes(b"\x22", link)
        + _number(b"\x28", link["dropped_attributes_count"])
        + _fixed32(b"\x35", link["flags"])
    )


def _logs(rows: Iterable[Row]) -> bytes:
    return b"".join(block(b"\x12", _log(row)) for row in rows)


def _log(row: Row) -> bytes:
    event_name = row["event_name"]
    if ("event.name", event_name) in row["attributes"]:
        event_name = ""  # it came from there, and will again
    return b"".join(
        (
            _fixed64(b"\x09", row["time_ns"]),
            _number(b"\x10", row["severity_number"]),
            _text(b"\x1a", row["severity_text"]),
            _block(b"\x2a", value(anyvalue.parse(row["body_type"], row["body"]))),
            _own_attributes(b"\x32", row),
            _number(b"\x38", row["dropped_attributes_count"]),
            _fixed32(b"\x45", row["flags"]),
            _bytes(b"\x4a", row["trace_id"] or b""),
            _bytes(b"\x52", row["span_id"] or b""),
            _fixed64(b"\x59", row["observed_time_ns"]),
            _text(b"\x62", event_name),
        )
    )


def _metrics(rows: Iterable[Row]) -> bytes:
    out = []
    for about, points in _groups(rows, _METRIC):
        name, description, unit, metadata, kind, temporality, is_monotonic = about
        tag, point = _KINDS[kind]
        data = b"".join(block(b"\x0a", point(each)) for each in points) + _number(b"\x10", temporality) + _number(b"\x18", is_monotonic)
        described = _text(b"\x0a", name) + _text(b"\x12", description) + _text(b"\x1a", unit)
        out.append(block(b"\x12", described + block(tag, data) + _attributes(b"\x62", anyvalue.from_json(metadata))))
    return b"".join(out)


def _times(row: Row) -> bytes:
    return _fixed64(b"\x11", row["start_ns"]) + _fixed64(b"\x19", row["time_ns"])


def _number_point(row: Row) -> bytes:
    return _times(row) + _either(b"\x21", row) + _exemplars(b"\x2a", row) + _own_attributes(b"\x3a", row) + _number(b"\x40", row["flags"])


def _histogram_point(row: Row) -> bytes:
    return b"".join(
        (
            _times(row),
            _fixed64(b"\x21", row["count"]),
            _optional(b"\x29", row["sum"]),
            _packed(b"\x32", _U64, row["bucket_counts"]),
            _packed(b"\x3a", _F64, row["explicit_bounds"]),
            _exemplars(b"\x42", row),
            _own_attributes(b"\x4a", row),
            _number(b"\x50", row["flags"]),
            _optional(b"\x59", row["min"]),
            _optional(b"\x61", row["max"]),
        )
    )


def _exponential_point(row: Row) -> bytes:
    return b"".join(
        (
            _own_attributes(b"\x0a", row),
            _times(row),
            _fixed64(b"\x21", row["count"]),
            _optional(b"\x29", row["sum"]),
            _number(b"\x30", _zigzag(row["scale"])),
            _fixed64(b"\x39", row["zero_count"]),
            _buckets(b"\x42", row["positive_offset"], row["positive_counts"]),
            _buckets(b"\x4a", row["negative_offset"], row["negative_counts"]),
            _number(b"\x50", row["flags"]),
            _exemplars(b"\x5a", row),
            _optional(b"\x61", row["min"]),
            _optional(b"\x69", row["max"]),
            _double(b"\x71", row["zero_threshold"]),
        )
    )


def _summary_point(row: Row) -> bytes:
    quantiles = [block(b"\x32", _double(b"\x09", each["quantile"]) + _double(b"\x11", each["value"])) for each in row["quantiles"]]
    counted = _fixed64(b"\x21", row["count"]) + _double(b"\x29", row["sum"])
    return _times(row) + counted + b"".join(quantiles) + _own_attributes(b"\x3a", row) + _number(b"\x40", row["flags"])


_KINDS: dict[str, tuple[bytes, Callable[[Row], bytes]]] = {
    "gauge": (b"\x2a", _number_point),
    "sum": (b"\x3a", _number_point),
    "histogram": (b"\x4a", _histogram_point),
    "exponential_histogram": (b"\x52", _exponential_point),
    "summary": (b"\x5a", _summary_point),
}


def _buckets(tag: bytes, offset: int | None, counts: list[int]) -> bytes:
    if offset is None:
        return b""
    return block(tag, _number(b"\x08", _zigzag(offset)) + _block(b"\x12", b"".join(number(b"", count) for count in counts)))


def _exemplars(tag: bytes, row: Row) -> bytes:
    return b"".join(
        block(
            tag,
            _fixed64(b"\x11", each["time_ns"])
            + _either(b"\x19", each)
            + _bytes(b"\x22", each["span_id"])
            + _bytes(b"\x2a", each["trace_id"])
            + _own_attributes(b"\x3a", each),
        )
        for each in row["exemplars"]
    )


def _either(as_double: bytes, row: Row) -> bytes:
    """`as_double` (field 4 of a point, 3 of an exemplar) or `as_int` (6 of both); zero counts."""
    if row["double_value"] is not None:
        return as_double + _F64.pack(row["double_value"])
    return b"" if row["int_value"] is None else b"\x31" + _U64.pack(row["int_value"] & 2**64 - 1)


def _own_attributes(tag: bytes, row: Row) -> bytes:
    """The attribute map of a row, its repeated keys put back: `key#2` with an upper-case letter is `key`."""
    out = []
    for (key, text), letter in zip(row["attributes"], row["attribute_types"], strict=True):
        name = key if letter.islower() else key.rpartition("#")[0]
        out.append(_pair(tag, name, anyvalue.parse(letter, text)))
    return b"".join(out)


def _attributes(tag: bytes, pairs: KeyValues) -> bytes:
    return b"".join(_pair(tag, key, each) for key, each in pairs)


def _pair(tag: bytes, key: str, each: Any) -> bytes:
    return block(tag, _text(b"\x0a", key) + block(b"\x12", value(each)))


def value(each: Any) -> bytes:
    """The AnyValue of a Python value as `model.anyvalue` has them."""
    match each:
        case None:
            return b""
        case bool():
            return b"\x10\x01" if each else b"\x10\x00"
        case int():
            return number(b"\x18", each)
        case float():
            return b"\x21" + _F64.pack(each)
        case str():
            return block(b"\x0a", each.encode())
        case bytes():
            return block(b"\x3a", each)
        case KeyValues():
            return block(b"\x32", _attributes(b"\x0a", each))
        case _:
            return block(b"\x2a", b"".join(block(b"\x0a", value(item)) for item in each))


# What is zero or empty is not written, as proto3 has it.


def _number(tag: bytes, each: int) -> bytes:
    return number(tag, each) if each else b""


def _text(tag: bytes, each: str) -> bytes:
    return block(tag, each.encode()) if each else b""


def _bytes(tag: bytes, each: bytes) -> bytes:
    return block(tag, each) if each else b""


_block = _bytes


def _fixed64(tag: bytes, each: int) -> bytes:
    return tag + _U64.pack(each & 2**64 - 1) if each else b""


def _fixed32(tag: bytes, each: int) -> bytes:
    return tag + _U32.pack(each) if each else b""


def _double(tag: bytes, each: float) -> bytes:
    packed = _F64.pack(each)
    return tag + packed if any(packed) else b""


def _optional(tag: bytes, each: float | None) -> bytes:
    return b"" if each is None else tag + _F64.pack(each)


def _packed(tag: bytes, form: struct.Struct, items: list[Any]) -> bytes:
    return block(tag, b"".join(map(form.pack, items))) if items else b""


def _zigzag(each: int) -> int:
    return (each << 1) ^ (each >> 31)
