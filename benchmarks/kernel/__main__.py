"""How fast OTLP becomes columns, on one core: `python -m benchmarks.kernel [--seconds N] [--save]`.

Times are CPU seconds of the thread, the best of many rounds, so that a busy machine does not blur them. `upb_and_loop` is google.protobuf
and the least that a loop in Python can do with a span: every field that the columns keep into a dict, attributes as they are. The kernel
does more in its time: it makes texts, types and typed columns of them.
"""

from __future__ import annotations

import argparse
import base64
import json
import time
from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.machine import publish
from benchmarks.payloads import SPANS_PER_TRACE, build
from observatory.model.signal import Signal
from observatory.otlp.decode import decoders
from observatory.otlp.encode import encode
from observatory.otlp.json import to_protobuf

TRACES, BODIES = 64, 8
SPANS = TRACES * SPANS_PER_TRACE


def measure(seconds: float) -> dict[str, Any]:
    bodies = [build(TRACES, seed, now=1_790_000_000_000_000_000) for seed in range(BODIES)]
    projects = [None] * BODIES
    reference = decoders("reference")
    decoder = decoders()
    as_json = [_json(body) for body in bodies[:2]]
    rows = decoder.spans(bodies[:1], 0, [None]).rows
    share = seconds / 5
    rates = {
        "native": _rate(lambda: decoder.spans(bodies, 0, projects), BODIES, share) if decoder.native else None,
        "reference": _rate(lambda: reference.spans(bodies[:1], 0, [None]), 1, share),
        "upb_and_loop": _rate(lambda: _loop(bodies[0]), 1, share),
        "json_to_protobuf": _rate(lambda: [to_protobuf(Signal.SPANS, body) for body in as_json], len(as_json), share),
        "encode": _rate(lambda: encode(Signal.SPANS, rows), 1, share),
    }
    return {
        "bytes_per_span": round(sum(map(len, bodies)) / SPANS / BODIES),
        "json_bytes_per_span": round(sum(map(len, as_json)) / SPANS / len(as_json)),
        "spans_per_second_per_core": {name: rate and round(rate) for name, rate in rates.items()},
        "native_over_upb": round(rates["native"] / rates["upb_and_loop"], 1) if rates["native"] and rates["upb_and_loop"] else None,
    }


def _rate(work: Callable[[], object], bodies: int, seconds: float) -> float:
    best, until = float("inf"), time.monotonic() + seconds
    while True:
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
        if time.monotonic() > until:
            return SPANS * bodies / best


def _loop(body: bytes) -> list[dict[str, Any]]:
    return [
        _span(span, scope.scope.name, resource.resource)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _span(span: Any, scope: str, resource: Any) -> dict[str, Any]:
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": span.name,
        "kind": span.kind,
        "start_ns": span.start_time_unix_nano,
        "duration_ns": span.end_time_unix_nano - span.start_time_unix_nano,
        "status": span.status.code,
        "status_message": span.status.message,
        "trace_state": span.trace_state,
        "flags": span.flags,
        "dropped": (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count),
        "scope": scope,
        "resource": resource,
        "attributes": {each.key: _value(each.value) for each in span.attributes},
        "events": [
            (event.time_unix_nano, event.name, {each.key: _value(each.value) for each in event.attributes}) for event in span.events
        ],
        "links": [(link.trace_id, link.span_id, {each.key: _value(each.value) for each in link.attributes}) for link in span.links],
    }


def _value(value: Any) -> Any:
    which = value.WhichOneof("value")
    return [_value(each) for each in value.array_value.values] if which == "array_value" else getattr(value, which) if which else None


def _json(body: bytes) -> bytes:
    def hexed(value: Any) -> Any:
        if isinstance(value, list):
            return [hexed(each) for each in value]
        if not isinstance(value, dict):
            return value
        ids = ("traceId", "spanId", "parentSpanId")
        return {key: base64.b64decode(each).hex() if key in ids else hexed(each) for key, each in value.items()}

    message = MessageToDict(ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True)
    return json.dumps(hexed(message), separators=(",", ":")).encode()


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.kernel", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for all parts together")
    parser.add_argument("--json", action="store_true", help="nothing but the JSON line, which is the default")
    parser.add_argument("--save", action="store_true", help="append the line to results/kernel.jsonl")
    options = parser.parse_args()
    publish("kernel", measure(options.seconds), save=options.save)


if __name__ == "__main__":
    main()
