"""One trace of tens of thousands of spans: an agent that ran all night."""

from __future__ import annotations

import http.client
import secrets
import struct
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks import payloads
from benchmarks.appliance import send

CHUNK = 512


def requests(trace_id: bytes, spans: int, seed: int = 7) -> list[bytes]:
    """Export requests that together hold one trace of `spans` spans: a root, and believable traces hung below it. It ends now."""
    made = 0
    bodies: list[bytes] = []
    shift = 0
    while made < spans:
        message = ExportTraceServiceRequest.FromString(payloads.build(CHUNK // 8, seed + len(bodies)))
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                del scope.spans[max(0, spans - made) :]
                for span in scope.spans:
                    span.trace_id = trace_id
                    span.span_id = struct.pack(">Q", made + 1)
                    shift = shift or time.time_ns() - span.end_time_unix_nano
                    span.start_time_unix_nano += shift
                    span.end_time_unix_nano += shift
                    span.parent_span_id = b"" if made == 0 else struct.pack(">Q", 1 + (made - 1) // 6)  # six children each: seven levels
                    made += 1
        bodies.append(message.SerializeToString())
    return bodies


def store(port: int, spans: int = 30_000) -> str:
    """Send such a trace to OTLP/HTTP on loopback; returns its id as hex once all of it is acknowledged."""
    trace_id = secrets.token_bytes(16)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body in requests(trace_id, spans):
        send(connection, body)
    connection.close()
    return trace_id.hex()
