"""OTLP/JSON to protobuf bytes, by the specification's own rules, so that there is one decoder.

Those rules differ from protobuf's JSON: names are lowerCamelCase only and others are ignored, ids are hex, enums are integers only. 64-bit
integers may be text or numbers. The tables below are the messages of opentelemetry-proto; what a table does not name is ignored.
"""

from __future__ import annotations

import binascii
import json
import math
import struct
from collections.abc import Callable
from typing import Any

import orjson

from observatory.errors import Malformed
from observatory.model.signal import Signal

MAX_DEPTH = 64  # of values inside values, as in the decoders

Encode = Callable[[Any], bytes]
"""A JSON value to the bytes behind a field's tag. Raises `_Wrong`."""


class _Wrong(Exception):
    """A value is not what its field needs; `path` grows outwards while the error rises."""

    def __init__(self, expected: str, got: Any) -> None:
        said = got if isinstance(got, str) else json.dumps(got, default=str)
        super().__init__(f"expected {expected}, got {said[:60]!r}" if isinstance(got, str) else f"expected {expected}, got {said[:60]}")
        self.path: list[str] = []


def to_protobuf(signal: Signal, body: bytes) -> bytes:
    """An OTLP/JSON export request as protobuf. Raises Malformed with the JSON path, or with the place where the JSON ends to be JSON."""
    request = _load(body)
    try:
        return _message(_REQUESTS[signal], request)
    except _Wrong as wrong:
        raise Malformed(f"cannot decode {signal}: {_path(wrong.path)}: {wrong}") from None
    except RecursionError:
        raise Malformed(f"cannot decode {signal}: values are nested deeper than {MAX_DEPTH}") from None


def _path(parts: list[str]) -> str:
    return "".join(parts[::-1]).removeprefix(".") or "the request"


def _load(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:  # the patient parser takes what exporters of broken strings send: wrong UTF-8 and lone surrogates, which are replaced
        return json.loads(body.decode("utf-8", "replace"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON at character {error.pos}: {error.msg}") from None
    except ValueError as error:
        raise Malformed(f"not JSON: {error}") from None
    except RecursionError:
        raise Malformed("not JSON that can be read: it is nested too deeply") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f'{name} is not JSON; OTLP writes it as "{name}" in quotes')


# --- wire ---


def _varint(number: int) -> bytes:
    if number < 0x80:
        return _SHORT[number]
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_SHORT = [bytes([i]) for i in range(128)]
_pack_double = struct.Struct("<d").pack
_pack_fixed64 = struct.Struct("<Q").pack
_pack_sfixed64 = struct.Struct("<q").pack
_pack_fixed32 = struct.Struct("<I").pack


def _sized(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _string(value: Any) -> bytes:
    if type(value) is not str:
        raise _Wrong("text", value)
    try:
        data = value.encode()
    except UnicodeEncodeError:
        data = value.encode("utf-8", "replace")
    return _varint(len(data)) + data


def _integer(low: int, high: int) -> Callable[[Any], int]:
    expected = f"an integer from {low} to {high}"

    def parse(value: Any) -> int:
        if type(value) is not int:
            digits = type(value) is str and value.removeprefix("-").isdigit() and value.isascii() and len(value) < 40
            if not digits and not (type(value) is float and value.is_integer()):
                raise _Wrong(expected, value)
            value = int(value)
        if not low <= value <= high:
            raise _Wrong(expected, value)
        return value

    return parse


_int64, _uint64 = _integer(-(2**63), 2**63 - 1), _integer(0, 2**64 - 1)
_int32, _uint32 = _integer(-(2**31), 2**31 - 1), _integer(0, 2**32 - 1)


def _fixed64(value: Any) -> bytes:
    return _pack_fixed64(_uint64(value))


def _sfixed64(value: Any) -> bytes:
    return _pack_sfixed64(_int64(value))


def _fixed32(value: Any) -> bytes:
    return _pack_fixed32(_uint32(value))


def _unsigned(value: Any) -> bytes:
    return _varint(_uint32(value))


def _sint32(value: Any) -> bytes:
    number = _int32(value)
    return _varint((number << 1) ^ (number >> 31))


def _enum(value: Any) -> bytes:
    if type(value) is str:
        raise _Wrong("the enum's integer, names are not OTLP/JSON", value)
    return _varint(_int32(value) & 0xFFFFFFFFFFFFFFFF)


def _number(value: Any) -> float:
    if type(value) is float or type(value) is int:
        return _finite(value)
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    try:
        number = float(value) if type(value) is str and value.isascii() and "_" not in value else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _Wrong('a number, "NaN", "Infinity" or "-Infinity"', value)
    return number


def _finite(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise _Wrong("a number within the range of doubles", str(value)) from None


def _double(value: Any) -> bytes:
    return _pack_double(_number(value))


def _bool(value: Any) -> bytes:
    if type(value) is not bool:
        raise _Wrong("true or false", value)
    return b"\1" if value else b"\0"


def _hex(value: Any) -> bytes:
    """An id; one of wrong length passes, so that only its span is rejected, and counted."""
    if type(value) is str:
        try:
            return _sized(binascii.unhexlify(value))
        except (binascii.Error, ValueError):
            pass
    raise _Wrong("an id in hex", value)


def _base64(value: Any) -> bytes:
    if type(value) is str and value.isascii():
        text = value.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            return _sized(binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True))
        except binascii.Error:
            pass
    raise _Wrong("base64", value)


# --- values ---


def _value(value: Any, depth: int = 0) -> bytes:
    """An AnyValue, without its size."""
    if type(value) is not dict:
        raise _Wrong('a value object such as {"stringValue": …}', value)
    if depth > MAX_DEPTH:
        raise _Wrong(f"at most {MAX_DEPTH} values inside each other", "more")
    found: bytes | None = None
    for key, inner in value.items():
        encode = _VALUES.get(key)
        if encode is None or inner is None:
            continue
        if found is not None:
            raise _Wrong("one kind of value", value)
        try:
            found = encode(inner, depth)
        except _Wrong as wrong:
            wrong.path.append(f".{key}")
            raise
    return found or b""


def _value_string(value: Any, depth: int) -> bytes:
    return b"\x0a" + _string(value)


def _value_bool(value: Any, depth: int) -> bytes:
    return b"\x10" + _bool(value)


def _value_int(value: Any, depth: int) -> bytes:
    return b"\x18" + _varint(_int64(value) & 0xFFFFFFFFFFFFFFFF)


def _value_double(value: Any, depth: int) -> bytes:
    return b"\x21" + _double(value)


def _value_array(value: Any, depth: int) -> bytes:
    return b"\x2a" + _sized(b"".join([b"\x0a" + _sized(item) for item in _each(value, lambda v: _value(v, depth + 1))]))


def _value_kvlist(value: Any, depth: int) -> bytes:
    return b"\x32" + _sized(b"".join([b"\x0a" + _sized(item) for item in _each(value, lambda v: _pair(v, depth + 1))]))


def _value_bytes(value: Any, depth: int) -> bytes:
    return b"\x3a" + _base64(value)


_VALUES: dict[str, Callable[[Any, int], bytes]] = {
    "stringValue": _value_string,
    "boolValue": _value_bool,
    "intValue": _value_int,
    "doubleValue": _value_double,
    "arrayValue": _value_array,
    "kvlistValue": _value_kvlist,
    "bytesValue": _value_bytes,
}


def _each(holder: Any, encode: Encode) -> list[bytes]:
    """The items of `{"values": […]}`."""
    if type(holder) is not dict:
        raise _Wrong('an object such as {"values": […]}', holder)
    values = holder.get("values")
    try:
        return _list(values, encode) if values is not None else []
    except _Wrong as wrong:
        wrong.path.append(".values")
        raise


def _list(values: Any, encode: Encode) -> list[bytes]:
    if type(values) is not list:
        raise _Wrong("a list", values)
    done: list[bytes] = []
    try:
        for item in values:
            done.append(encode(item))  # noqa: PERF401  the index is wanted when one fails
    except _Wrong as wrong:
        wrong.path.append(f"[{len(done)}]")
        raise
    return done


def _pair(item: Any, depth: int = 0) -> bytes:
    """A KeyValue, without its size."""
    if type(item) is not dict:
        raise _Wrong('a pair such as {"key": …, "value": …}', item)
    out = b""
    where = ".key"
    try:
        key = item.get("key")
        if key is not None:
            out = b"\x0a" + _string(key)
        where = ".value"
        value = item.get("value")
        if value is not None:
            out += b"\x12" + _sized(_value(value, depth))
    except _Wrong as wrong:
        wrong.path.append(where)
        raise
    return out


def _pairs(items: Any, tag: bytes) -> list[bytes]:
    """An attribute list, tags and sizes included. Text is most of what attributes hold and goes a short way."""
    if type(items) is not list:
        raise _Wrong("a list", items)
    done: list[bytes] = []
    for item in items:
        try:
            key, value = item["key"], item["value"]
            text = value["stringValue"]
            if len(item) != 2 or len(value) != 1 or type(key) is not str or type(text) is not str:
                raise ValueError
            name, data = key.encode(), text.encode()
        except (KeyError, TypeError, ValueError):
            try:
                done.append(tag + _sized(_pair(item)))
            except _Wrong as wrong:
                wrong.path.append(f"[{len(done)}]")
                raise
            continue
        inner = _varint(len(data))
        pair = b"".join((b"\x0a", _varint(len(name)), name, b"\x12", _varint(len(data) + len(inner) + 1), b"\x0a", inner, data))
        done.append(tag + _varint(len(pair)) + pair)
    return done


# --- messages ---

Field = tuple[bytes, Any, bool]
"""The field's tag, how to encode one value (an `Encode`, a table for a message, None for a KeyValue), and whether it repeats."""


def _message(fields: dict[str, Field], value: Any) -> bytes:
    """A message, without its size."""
    if type(value) is not dict:
        raise _Wrong("an object", value)
    out: list[bytes] = []
    for key, inner in value.items():
        field = fields.get(key)
        if field is None or inner is None:
            continue
        tag, encode, repeats = field
        try:
            if encode is None:
                out += _pairs(inner, tag)
            elif type(encode) is dict:
                one = encode
                if repeats:
                    out += [tag + _sized(item) for item in _list(inner, lambda v, one=one: _message(one, v))]
                else:
                    out.append(tag + _sized(_message(one, inner)))
            elif repeats:
                out.append(tag + _sized(b"".join(_list(inner, encode))))  # packed
            else:
                out.append(tag + encode(inner))
        except _Wrong as wrong:
            wrong.path.append(f".{key}")
            raise
    return b"".join(out)


def _any_value(value: Any) -> bytes:
    return _sized(_value(value))


_VARINT, _64BIT, _SIZED, _32BIT = 0, 1, 2, 5
_WIRE: dict[Encode, int] = {_fixed64: _64BIT, _sfixed64: _64BIT, _double: _64BIT, _fixed32: _32BIT}
_WIRE |= {_unsigned: _VARINT, _sint32: _VARINT, _enum: _VARINT, _bool: _VARINT, _string: _SIZED, _hex: _SIZED, _any_value: _SIZED}


def _one(number: int, encode: Encode | dict[str, Any]) -> Field:
    wire = _SIZED if isinstance(encode, dict) else _WIRE[encode]
    return _varint(number << 3 | wire), encode, False


def _many(number: int, encode: Encode | dict[str, Any]) -> Field:
    return _varint(number << 3 | _SIZED), encode, True


def _attributes(number: int) -> Field:
    return _varint(number << 3 | _SIZED), None, True


def _bucket_count(value: Any) -> bytes:
    return _varint(_uint64(value))


_RESOURCE = {"attributes": _attributes(1), "droppedAttributesCount": _one(2, _unsigned)}
_SCOPE = {"name": _one(1, _string), "version": _one(2, _string), "attributes": _attributes(3), "droppedAttributesCount": _one(4, _unsigned)}
_STATUS = {"message": _one(2, _string), "code": _one(3, _enum)}
_EVENT = {
    "timeUnixNano": _one(1, _fixed64),
    "name": _one(2, _string),
    "attributes": _attributes(3),
    "droppedAttributesCount": _one(4, _unsigned),
}
_LINK = {
    "traceId": _one(1, _hex),
    "spanId": _one(2, _hex),
    "traceState": _one(3, _string),
    "attributes": _attributes(4),
    "droppedAttributesCount": _one(5, _unsigned),
    "flags": _one(6, _fixed32),
}
_SPAN = {
    "traceId": _one(1, _hex),
    "spanId": _one(2, _hex),
    "traceState": _one(3, _string),
    "parentSpanId": _one(4, _hex),
    "name": _one(5, _string),
    "kind": _one(6, _enum),
    "startTimeUnixNano": _one(7, _fixed64),
    "endTimeUnixNano": _one(8, _fixed64),
    "attributes": _attributes(9),
    "droppedAttributesCount": _one(10, _unsigned),
    "events": _many(11, _EVENT),
    "droppedEventsCount": _one(12, _unsigned),
    "links": _many(13, _LINK),
    "droppedLinksCount": _one(14, _unsigned),
    "status": _one(15, _STATUS),
    "flags": _one(16, _fixed32),
}
_LOG_RECORD = {
    "timeUnixNano": _one(1, _fixed64),
    "severityNumber": _one(2, _enum),
    "severityText": _one(3, _string),
    "body": _one(5, _any_value),
    "attributes": _attributes(6),
    "droppedAttributesCount": _one(7, _unsigned),
    "flags": _one(8, _fixed32),
    "traceId": _one(9, _hex),
    "spanId": _one(10, _hex),
    "observedTimeUnixNano": _one(11, _fixed64),
    "eventName": _one(12, _string),
}
_EXEMPLAR = {
    "timeUnixNano": _one(2, _fixed64),
    "asDouble": _one(3, _double),
    "spanId": _one(4, _hex),
    "traceId": _one(5, _hex),
    "asInt": _one(6, _sfixed64),
    "filteredAttributes": _attributes(7),
}
_POINT = {"startTimeUnixNano": _one(2, _fixed64), "timeUnixNano": _one(3, _fixed64)}
_NUMBER_POINT = _POINT | {
    "asDouble": _one(4, _double),
    "exemplars": _many(5, _EXEMPLAR),
    "asInt": _one(6, _sfixed64),
    "attributes": _attributes(7),
    "flags": _one(8, _unsigned),
}
_DISTRIBUTION = _POINT | {"count": _one(4, _fixed64), "sum": _one(5, _double)}
_HISTOGRAM_POINT = _DISTRIBUTION | {
    "bucketCounts": _many(6, _fixed64),
    "explicitBounds": _many(7, _double),
    "exemplars": _many(8, _EXEMPLAR),
    "attributes": _attributes(9),
    "flags": _one(10, _unsigned),
    "min": _one(11, _double),
    "max": _one(12, _double),
}
_BUCKETS = {"offset": _one(1, _sint32), "bucketCounts": _many(2, _bucket_count)}
_EXPONENTIAL_POINT = _DISTRIBUTION | {
    "attributes": _attributes(1),
    "scale": _one(6, _sint32),
    "zeroCount": _one(7, _fixed64),
    "positive": _one(8, _BUCKETS),
    "negative": _one(9, _BUCKETS),
    "flags": _one(10, _unsigned),
    "exemplars": _many(11, _EXEMPLAR),
    "min": _one(12, _double),
    "max": _one(13, _double),
    "zeroThreshold": _one(14, _double),
}
_QUANTILE = {"quantile": _one(1, _double), "value": _one(2, _double)}
_SUMMARY_POINT = _DISTRIBUTION | {"quantileValues": _many(6, _QUANTILE), "attributes": _attributes(7), "flags": _one(8, _unsigned)}
_TEMPORALITY = {"aggregationTemporality": _one(2, _enum)}
_METRIC = {
    "name": _one(1, _string),
    "description": _one(2, _string),
    "unit": _one(3, _string),
    "gauge": _one(5, {"dataPoints": _many(1, _NUMBER_POINT)}),
    "sum": _one(7, {"dataPoints": _many(1, _NUMBER_POINT), "isMonotonic": _one(3, _bool)} | _TEMPORALITY),
    "histogram": _one(9, {"dataPoints": _many(1, _HISTOGRAM_POINT)} | _TEMPORALITY),
    "exponentialHistogram": _one(10, {"dataPoints": _many(1, _EXPONENTIAL_POINT)} | _TEMPORALITY),
    "summary": _one(11, {"dataPoints": _many(1, _SUMMARY_POINT)}),
    "metadata": _attributes(12),
}


def _request(resource_key: str, scope_key: str, rows_key: str, row: dict[str, Any]) -> dict[str, Field]:
    scopes = {"scope": _one(1, _SCOPE), rows_key: _many(2, row), "schemaUrl": _one(3, _string)}
    resources = {"resource": _one(1, _RESOURCE), scope_key: _many(2, scopes), "schemaUrl": _one(3, _string)}
    return {resource_key: _many(1, resources)}


_REQUESTS = {
    Signal.SPANS: _request("resourceSpans", "scopeSpans", "spans", _SPAN),
    Signal.LOGS: _request("resourceLogs", "scopeLogs", "logRecords", _LOG_RECORD),
    Signal.METRIC_POINTS: _request("resourceMetrics", "scopeMetrics", "metrics", _METRIC),
}
