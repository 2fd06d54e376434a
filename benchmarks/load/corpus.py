"""A corpus: export requests built beforehand, and for each the places the sender patches.

File: `OBSLOAD1`, u32 payloads, u32 stride (id words a request may use); then for each payload u32 size, u32 spans, u32 patches, u32 0, its
patches (u32 offset, u32 kind, i64 value) and its body, padded to 8 bytes. Little endian. Kinds: WORD and HEX write the id word
`mix(seed + request * stride + value)` as 8 bytes or 16 hex digits, NANOS and DIGITS write `now + value` as fixed64 or 19 digits.
The ids that providers give their responses are patched too: a response id seen twice is one call told of twice, which costs and counts
differently from two calls.

Words 0 … spans-1 are the span ids in the order of the message, then two words for each trace: so `span_ids` can tell the ids of any
request from its number alone.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

WORD, HEX, NANOS, DIGITS = range(4)
MASK = 2**64 - 1
_RESPONSE_ID = re.compile(rb"chatcmpl-([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Payload:
    """One request body and its patches (offset, kind, value)."""

    body: bytes
    spans: int
    patches: list[tuple[int, int, int]] = field(repr=False)
    traces: int

    @property
    def words(self) -> int:
        """Id words a request made of it uses."""
        return self.spans + 2 * self.traces


def mix(x: int) -> int:
    """The finaliser of splitmix64: a bijection of 64-bit numbers; `sender.c` has the same."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def span_ids(seed: int, stride: int, request: int, spans: int) -> list[str]:
    """The span ids of one request as lower-case hex, in the order of the message."""
    first = seed + request * stride
    return [struct.pack("<Q", mix((first + i) & MASK)).hex() for i in range(spans)]


def trace_ids(seed: int, stride: int, request: int, spans: int, traces: int) -> list[str]:
    """The trace ids of one request as lower-case hex, in the order of their first spans."""
    first = seed + request * stride + spans
    words = [struct.pack("<Q", mix((first + i) & MASK)).hex() for i in range(2 * traces)]
    return [words[2 * i] + words[2 * i + 1] for i in range(traces)]


def write(path: Path, payloads: Sequence[Payload]) -> int:
    """Write a corpus; returns its stride."""
    stride = max(payload.words for payload in payloads)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(b"OBSLOAD1" + struct.pack("<II", len(payloads), stride))
        for payload in payloads:
            file.write(struct.pack("<IIII", len(payload.body), payload.spans, len(payload.patches), 0))
            file.write(b"".join(struct.pack("<IIq", *patch) for patch in payload.patches))
            file.write(payload.body + bytes(-len(payload.body) % 8))
    temporary.rename(path)
    return stride


class _Ids:
    """Which word each id of a message becomes; a parent or link that points outside the message keeps its id."""

    def __init__(self, message: ExportTraceServiceRequest) -> None:
        spans = [span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]
        self.spans = {span.span_id: i for i, span in enumerate(spans)}
        if len(self.spans) != len(spans):
            raise ValueError("a payload repeats a span id")
        traces = {span.trace_id: None for span in spans}
        self.traces = {trace_id: len(spans) + 2 * i for i, trace_id in enumerate(traces)}
        self.count = len(spans)
        self.last = max((span.end_time_unix_nano for span in spans), default=0)
        """The latest end: every time keeps its distance to it, and it becomes now."""


def protobuf(body: bytes) -> Payload:
    """Find what is patched in an ExportTraceServiceRequest; its spans keep order, text and times relative to each other."""
    ids = _Ids(ExportTraceServiceRequest.FromString(body))
    patches: list[tuple[int, int, int]] = []

    def trace(at: int, value: bytes) -> None:
        if (word := ids.traces.get(value)) is not None:
            patches.extend([(at, WORD, word), (at + 8, WORD, word + 1)])

    def time(at: int) -> None:
        patches.append((at, NANOS, struct.unpack_from("<Q", body, at)[0] - ids.last))

    for _, start, end in _fields(body, 0, len(body), only=1):
        for _, start2, end2 in _fields(body, start, end, only=2):
            for _, start3, end3 in _fields(body, start2, end2, only=2):
                for number, at, stop in _fields(body, start3, end3):
                    value = body[at:stop]
                    if number == 1:
                        trace(at, value)
                    elif number in (2, 4) and (word := ids.spans.get(value)) is not None:
                        patches.append((at, WORD, word))
                    elif number in (7, 8):
                        time(at)
                    elif number == 11:
                        for _, at2, _ in _fields(body, at, stop, only=1):
                            time(at2)
                    elif number == 13:
                        for inner, at2, stop2 in _fields(body, at, stop):
                            if inner == 1:
                                trace(at2, body[at2:stop2])
                            elif inner == 2 and (word := ids.spans.get(body[at2:stop2])) is not None:
                                patches.append((at2, WORD, word))
    return Payload(body, ids.count, [*patches, *_responses(body)], len(ids.traces))


def json(body: bytes) -> Payload:
    """The same request as OTLP/JSON: ids as hex, 64-bit integers as text, enums as numbers."""
    message = ExportTraceServiceRequest.FromString(body)
    ids = _Ids(message)
    tree = json_format.MessageToDict(message, use_integers_for_enums=True)
    for resource in tree["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in span:
                        span[key] = base64.b64decode(span[key]).hex()
    text = orjson.dumps(tree)
    patches: list[tuple[int, int, int]] = []
    for found in re.finditer(rb'"(traceId|spanId|parentSpanId)":"([0-9a-f]+)"', text):
        value, at = bytes.fromhex(found[2].decode()), found.start(2)
        if found[1] == b"traceId":
            patches.extend([(at, HEX, ids.traces[value]), (at + 16, HEX, ids.traces[value] + 1)])
        elif (word := ids.spans.get(value)) is not None:
            patches.append((at, HEX, word))
    times = re.finditer(rb'"(?:startTimeUnixNano|endTimeUnixNano|timeUnixNano)":"([0-9]{19})"', text)
    patches.extend((found.start(1), DIGITS, int(found[1]) - ids.last) for found in times)
    return Payload(text, ids.count, [*patches, *_responses(text)], len(ids.traces))


def _responses(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Patches that give every response an id of its own: the word of the span with its number."""
    return ((found.start(1), HEX, number) for number, found in enumerate(_RESPONSE_ID.finditer(body)))


def runs(body: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    """The spans of a request as many small ones: each takes the next of `sizes` neighbouring spans, with resource and scope."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            at = 0
            while at < len(scope.spans):
                size = next(sizes)
                small = ExportTraceServiceRequest()
                one = small.resource_spans.add(schema_url=resource.schema_url)
                one.resource.CopyFrom(resource.resource)
                inner = one.scope_spans.add(schema_url=scope.schema_url)
                inner.scope.CopyFrom(scope.scope)
                inner.spans.extend(scope.spans[at : at + size])
                at += size
                yield small.SerializeToString()


def _fields(body: bytes, at: int, end: int, only: int | None = None) -> Iterator[tuple[int, int, int]]:
    """(field number, first byte of the value, end) of a protobuf message; of `only` one number when given."""
    while at < end:
        key, at = _varint(body, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            start = at
            _, at = _varint(body, at)
        elif wire == 2:
            size, start = _varint(body, at)
            at = start + size
        else:
            start = at
            at += {1: 8, 5: 4}[wire]
        if only is None or number == only:
            yield number, start, at


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
