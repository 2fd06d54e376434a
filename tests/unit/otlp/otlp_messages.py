"""Random OTLP messages, real ones, and what is done to them on the way."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from observatory.model.batch import Decoded
from observatory.model.signal import Signal
from observatory.semconv.routes import routes

CAPTURES = Path(__file__).parents[2] / "data" / "captures"
REQUESTS: dict[Signal, Any] = {
    Signal.SPANS: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRIC_POINTS: ExportMetricsServiceRequest,
}
_FILES = {Signal.SPANS: "traces", Signal.LOGS: "logs", Signal.METRIC_POINTS: "metrics"}


def captures(signal: Signal, kind: str = "pb") -> list[Path]:
    """Recorded requests of real instrumentations."""
    return sorted(CAPTURES.glob(f"*/*/*.{_FILES[signal]}.{kind}"))


def plain(decoded: Decoded) -> tuple[str, list[str]]:
    """A decoder's whole answer in a form that compares: dictionaries resolved, NaN equal to itself, errors by their words."""
    rows = decoded.rows.to_pylist(maps_as_pydicts=None)
    return repr(rows), [
        f"{each.rows} {each.rejected} {each.message!r} {type(each.error).__name__} {each.error}" for each in decoded.outcomes
    ]


_ROUTES = [route for signal in (Signal.SPANS, Signal.LOGS) for route in routes(signal)]
_ROUTED = [route.key for route in _ROUTES]
texts = st.text(max_size=20) | st.sampled_from(
    ["", "1", "-12", "+007", "1.5", "1e3", "99999999999999999999", "true", "False", "é€😀", '\x00\n"\\/\x7f']
)
keys = st.sampled_from(_ROUTED) | st.sampled_from(["a", "b", "a#2", "a#3", "", "$bytes", "$x"]) | st.text(max_size=8)
uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1) | st.integers(0, 2**31)
int64 = st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300)
enums = st.integers(-(2**31), 2**31 - 1) | st.integers(0, 5)
doubles = st.floats(width=64) | st.integers(-1000, 1000).map(float)


def _ids(size: int) -> st.SearchStrategy[bytes]:
    """Mostly valid ones, so that most spans are kept."""
    return st.integers(1, 2 ** (8 * size) - 1).map(lambda id_: id_.to_bytes(size)) | st.sampled_from(
        [bytes(range(size)), b"\x01" * size, b"\xff" * size]
    )


trace_ids, span_ids = _ids(16), _ids(8)
odd_ids = st.binary(max_size=20) | st.just(bytes(16)) | st.just(bytes(8))


def _any_value(value: Any) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            made = AnyValue()
            made.array_value.SetInParent()
            made.array_value.values.extend(_any_value(each) for each in value)
            return made
        case _:
            made = AnyValue()
            made.kvlist_value.SetInParent()
            made.kvlist_value.values.extend(_pair(*each) for each in value)
            return made


def _pair(key: str, value: Any) -> KeyValue:
    return KeyValue(key=key, value=_any_value(value))


_scalars = st.none() | st.booleans() | int64 | doubles | texts | st.binary(max_size=12)
values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(keys, inner), max_size=3).map(tuple), max_leaves=6
)
named = st.sampled_from([(route.key, value) for route in _ROUTES for value in route.rule.meanings])
"""Keys with values that their rules name, in lower case."""
pairs = st.builds(_pair, keys, values) | named.map(lambda pair: _pair(*pair)) | named.map(lambda pair: _pair(pair[0], pair[1].title()))
attributes = st.lists(pairs, max_size=5)
events = st.builds(Span.Event, time_unix_nano=uint64, name=texts, attributes=attributes, dropped_attributes_count=uint32)
links = st.builds(
    Span.Link,
    trace_id=trace_ids | odd_ids,
    span_id=span_ids | odd_ids,
    trace_state=texts,
    attributes=attributes,
    dropped_attributes_count=uint32,
    flags=uint32,
)
spans = st.builds(
    Span,
    trace_id=trace_ids | st.sampled_from([bytes(16), b"short"]),
    span_id=span_ids,
    trace_state=texts,
    parent_span_id=st.just(b"") | span_ids | st.sampled_from([bytes(8), b"short"]),
    flags=uint32,
    name=texts,
    kind=enums,
    start_time_unix_nano=uint64,
    end_time_unix_nano=uint64,
    attributes=attributes,
    dropped_attributes_count=uint32,
    events=st.lists(events, max_size=2),
    dropped_events_count=uint32,
    links=st.lists(links, max_size=2),
    dropped_links_count=uint32,
    status=st.builds(Status, message=texts, code=enums),
)
log_records = st.builds(
    LogRecord,
    time_unix_nano=uint64,
    observed_time_unix_nano=uint64,
    severity_number=enums,
    severity_text=texts,
    event_name=texts,
    body=values.map(_any_value),
    attributes=attributes,
    dropped_attributes_count=uint32,
    flags=uint32,
    trace_id=st.just(b"") | trace_ids | odd_ids,
    span_id=st.just(b"") | span_ids | odd_ids,
)
resources = st.builds(Resource, attributes=attributes, dropped_attributes_count=uint32)
scope_names = texts | st.sampled_from([route.key for route in _ROUTES if route.where == "scope"])
scopes = st.builds(InstrumentationScope, name=scope_names, version=texts, attributes=attributes, dropped_attributes_count=uint32)


def _two(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=2)


trace_requests = st.builds(
    ExportTraceServiceRequest,
    resource_spans=_two(
        st.builds(
            ResourceSpans,
            resource=resources,
            scope_spans=_two(st.builds(ScopeSpans, scope=scopes, spans=_two(spans), schema_url=texts)),
            schema_url=texts,
        )
    ),
)
log_requests = st.builds(
    ExportLogsServiceRequest,
    resource_logs=_two(
        st.builds(
            ResourceLogs,
            resource=resources,
            scope_logs=_two(st.builds(ScopeLogs, scope=scopes, log_records=_two(log_records), schema_url=texts)),
            schema_url=texts,
        )
    ),
)
requests = {Signal.SPANS: trace_requests, Signal.LOGS: log_requests}


def mutate(body: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """A body after a bad journey: bytes changed, cut, doubled, moved, put in from elsewhere, letters of another case, fields repeated or
    made unknown."""
    data = bytearray(body)
    for _ in range(rng.randint(1, 4)):
        size = len(data)
        at, to = sorted((rng.randint(0, size), rng.randint(0, size)))
        match rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 8, 9)):
            case 0 if size:
                data[rng.randrange(size)] ^= 1 << rng.randrange(8)
            case 1:
                del data[at:]
            case 2:
                del data[at : min(to, at + 40)]
            case 3:
                data[at:at] = data[at : min(to, at + 300)]
            case 4:
                other = rng.choice(others)
                start = rng.randint(0, len(other))
                data[at:at] = other[start : start + rng.randint(0, 200)]
            case 5:
                data[at:at] = rng.choice(
                    (b"\x80", b"\xff" * 11, b"\x0b", b"\x0c", b"\x12\x00", b"\x2a\x00", b"\x32\x02\x0a\x00", b"\x00", b"\x07")
                )
            case 6 if size:
                data[rng.randrange(size)] = rng.randrange(256)
            case 7 if size:
                data = bytearray(repeat_field(bytes(data), rng))
            case 9:
                data[at:to] = data[at:to].swapcase()
            case _:
                data += rng.choice(others)
    return bytes(data)


def repeat_field(body: bytes, rng: random.Random) -> bytes:
    """One length-delimited field somewhere inside, twice or swapped with its neighbour, with all lengths around it made right again."""
    parts = _fields(body)
    if not parts:
        return body
    index = rng.randrange(len(parts))
    tag, content = parts[index]
    inside = _fields(content) if content is not None else None
    if inside and tag & 7 == 2 and rng.random() < 0.8:
        parts[index] = (tag, repeat_field(content or b"", rng))
    elif rng.random() < 0.5:
        parts.insert(rng.randint(0, len(parts)), parts[index])
    else:
        rng.shuffle(parts)
    return b"".join(_write(tag, content) for tag, content in parts)


def _fields(body: bytes) -> list[tuple[int, bytes | None]] | None:
    """Fields as (tag, raw content), or None when the bytes are no message."""
    parts: list[tuple[int, bytes | None]] = []
    at = 0
    try:
        while at < len(body):
            tag, at = _varint(body, at)
            match tag & 7:
                case 0:
                    _, stop = _varint(body, at)
                case 1:
                    stop = at + 8
                case 5:
                    stop = at + 4
                case 2:
                    size, at = _varint(body, at)
                    stop = at + size
                case _:
                    return None
            if stop > len(body) or tag < 8:
                return None
            parts.append((tag, body[at:stop]))
            at = stop
    except IndexError:
        return None
    return parts


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def encode_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _write(tag: int, content: bytes | None) -> bytes:
    content = content or b""
    return encode_varint(tag) + (encode_varint(len(content)) if tag & 7 == 2 else b"") + content


def block(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return _write(number << 3 | 2, content)


def varint(number: int, value: int) -> bytes:
    """A varint field."""
    return encode_varint(number << 3) + encode_varint(value & 2**64 - 1)


def fixed64(number: int, value: int) -> bytes:
    """An eight-byte field."""
    return encode_varint(number << 3 | 1) + struct.pack("<Q", value)


IDS = block(1, bytes(range(1, 17))) + block(2, bytes(range(1, 9)))
"""A span's valid ids."""


def span_body(*fields: bytes, resource: bytes = b"", scope: bytes = b"") -> bytes:
    """A request with one span of raw fields, valid ids first."""
    return block(1, block(1, resource) + block(2, block(1, scope) + block(2, IDS + b"".join(fields))))


def attribute(key: str | bytes, value: bytes, number: int = 9) -> bytes:
    """A KeyValue field whose AnyValue has raw content."""
    return block(number, block(1, key if isinstance(key, bytes) else key.encode()) + block(2, value))


_exemplar_values = st.just({}) | st.builds(lambda v: {"as_double": v}, doubles) | st.builds(lambda v: {"as_int": v}, int64)


@st.composite
def _point(draw: st.DrawFn, make: Any, **fields: st.SearchStrategy[Any]) -> Any:
    """A message with every optional field there or not."""
    common = {"start_time_unix_nano": uint64, "time_unix_nano": uint64, "flags": uint32, "attributes": attributes}
    return make(**{name: draw(strategy) for name, strategy in {**common, **fields}.items() if draw(st.booleans())})


_exemplars = st.lists(
    st.builds(
        lambda number, **fields: Exemplar(**fields, **number),
        _exemplar_values,
        time_unix_nano=uint64,
        span_id=span_ids,
        trace_id=trace_ids,
        filtered_attributes=attributes,
    ),
    max_size=2,
)
_counts = st.lists(uint64, max_size=4)
_buckets = st.builds(ExponentialHistogramDataPoint.Buckets, offset=enums, bucket_counts=_counts)
_numbers = st.one_of(
    _point(NumberDataPoint, as_int=int64, exemplars=_exemplars), _point(NumberDataPoint, as_double=doubles, exemplars=_exemplars)
)
_stats: dict[str, Any] = {"count": uint64, "sum": doubles, "min": doubles, "max": doubles, "exemplars": _exemplars}
_histograms = _point(HistogramDataPoint, **_stats, bucket_counts=_counts, explicit_bounds=st.lists(doubles, max_size=3))
_exponentials = _point(
    ExponentialHistogramDataPoint, **_stats, scale=enums, zero_count=uint64, zero_threshold=doubles, positive=_buckets, negative=_buckets
)
_quantiles = st.lists(st.builds(SummaryDataPoint.ValueAtQuantile, quantile=doubles, value=doubles), max_size=2)
_summaries = _point(SummaryDataPoint, count=uint64, sum=doubles, quantile_values=_quantiles)
_data = st.one_of(
    st.builds(lambda points: {"gauge": Gauge(data_points=points)}, _two(_numbers)),
    st.builds(
        lambda points, how, up: {"sum": Sum(data_points=points, aggregation_temporality=how, is_monotonic=up)},
        _two(_numbers),
        st.integers(0, 2),
        st.booleans(),
    ),
    st.builds(
        lambda points, how: {"histogram": Histogram(data_points=points, aggregation_temporality=how)}, _two(_histograms), st.integers(0, 2)
    ),
    st.builds(
        lambda points, how: {"exponential_histogram": ExponentialHistogram(data_points=points, aggregation_temporality=how)},
        _two(_exponentials),
        st.integers(0, 2),
    ),
    st.builds(lambda points: {"summary": Summary(data_points=points)}, _two(_summaries)),
)
_metrics = st.builds(lambda data, **fields: Metric(**fields, **data), _data, name=texts, description=texts, unit=texts, metadata=attributes)
metric_requests = st.builds(
    ExportMetricsServiceRequest,
    resource_metrics=_two(
        st.builds(
            ResourceMetrics,
            resource=resources,
            scope_metrics=_two(st.builds(ScopeMetrics, scope=scopes, metrics=_two(_metrics), schema_url=texts)),
            schema_url=texts,
        )
    ),
)
