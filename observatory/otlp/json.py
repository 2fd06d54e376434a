"""OTLP/JSON to OTLP protobuf, by the specification's own rules, so that there is one decoder.

Names are lowerCamelCase and unknown ones ignored; trace and span ids are hex, other bytes base64; enums are integers; integers may be
numbers or strings, 64 bits exact; doubles may be the strings `NaN`, `Infinity`, `-Infinity`; null is absent. An id of a wrong length is
passed on, so that the decoder rejects that span and not the request. Text that is not UTF-8 (JavaScript cuts emoji in two) is repaired.
"""

from __future__ import annotations

import json
from functools import cache

import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observatory.errors import Malformed
from observatory.model.signal import Signal
from observatory.otlp import jsonwire
from observatory.otlp.jsonwire import Wrong
from observatory.otlp.wire import varint

_REQUESTS = {
    Signal.SPANS: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRIC_POINTS: ExportMetricsServiceRequest,
}
_HEX = ("traceId", "spanId", "parentSpanId")
_KINDS = {
    FieldDescriptorProto.TYPE_STRING: (jsonwire.STRING, 2),
    FieldDescriptorProto.TYPE_BYTES: (jsonwire.BASE64, 2),
    FieldDescriptorProto.TYPE_BOOL: (jsonwire.BOOL, 0),
    FieldDescriptorProto.TYPE_INT64: (jsonwire.INT64, 0),
    FieldDescriptorProto.TYPE_UINT64: (jsonwire.UINT64, 0),
    FieldDescriptorProto.TYPE_INT32: (jsonwire.INT32, 0),
    FieldDescriptorProto.TYPE_UINT32: (jsonwire.UINT32, 0),
    FieldDescriptorProto.TYPE_SINT32: (jsonwire.SINT32, 0),
    FieldDescriptorProto.TYPE_ENUM: (jsonwire.ENUM, 0),
    FieldDescriptorProto.TYPE_FIXED64: (jsonwire.FIXED64, 1),
    FieldDescriptorProto.TYPE_SFIXED64: (jsonwire.SFIXED64, 1),
    FieldDescriptorProto.TYPE_DOUBLE: (jsonwire.DOUBLE, 1),
    FieldDescriptorProto.TYPE_FIXED32: (jsonwire.FIXED32, 5),
    FieldDescriptorProto.TYPE_MESSAGE: (jsonwire.MESSAGE, 2),
}


def to_protobuf(signal: Signal, body: bytes) -> bytes:
    """The request as protobuf bytes. Raises Malformed with the JSON path of what is wrong."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        request = _patient(body)
    try:
        return jsonwire.write(request, _fields(signal))
    except Wrong as wrong:
        raise Malformed(f"{wrong.path or 'the body'}: {wrong}") from None
    except RecursionError:
        raise Malformed("the body: values are nested too deeply") from None


def _patient(body: bytes) -> object:
    """What orjson will not read: text that is not UTF-8, half of a surrogate pair. Whatever is no JSON at all is refused here."""
    try:
        return json.loads(body.decode("utf-8", "replace"), parse_constant=_refuse)
    except RecursionError:
        raise Malformed("the body: values are nested too deeply") from None
    except ValueError as wrong:
        raise Malformed(f"the body is not JSON: {wrong}") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON; OTLP writes it as a string")


@cache
def _fields(signal: Signal) -> jsonwire.Fields:
    return _of(_REQUESTS[signal].DESCRIPTOR, {})


def _of(message: Descriptor, done: dict[str, jsonwire.Fields]) -> jsonwire.Fields:
    """The fields of a message by JSON name, as `jsonwire` wants them; messages that hold themselves share one table."""
    if message.full_name in done:
        return done[message.full_name]
    fields: jsonwire.Fields = {}
    done[message.full_name] = fields
    shape = DescriptorProto()
    message.CopyToProto(shape)
    for field, plain in zip(message.fields, shape.field, strict=True):
        kind, wire = _KINDS[plain.type]
        name = field.json_name
        inner = _of(field.message_type, done) if field.message_type is not None else {}
        if name in _HEX:
            kind = jsonwire.HEX
        elif field.message_type is not None and field.message_type.name == "AnyValue":
            kind = jsonwire.ANY_VALUE
        repeated = plain.label == FieldDescriptorProto.LABEL_REPEATED
        if repeated and kind not in (jsonwire.MESSAGE, jsonwire.ANY_VALUE, jsonwire.STRING):
            wire = 2  # numbers are packed
        fields[name] = (kind, repeated, varint(field.number << 3 | wire), inner)
    return fields
