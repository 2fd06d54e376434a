"""What a door answers an exporter: `Export*ServiceResponse` and `google.rpc.Status`, in protobuf or OTLP/JSON."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from typing import Any

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from observatory.model.signal import Signal

MESSAGE_BYTES = 64 * 1024
"""Messages are cut here; the specification wants responses under 4 MiB, and shorter messages before no answer."""

_RESPONSES: dict[Signal, tuple[Any, str]] = {
    Signal.SPANS: (ExportTraceServiceResponse, "rejected_spans"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
    Signal.METRIC_POINTS: (ExportMetricsServiceResponse, "rejected_data_points"),
}


def success(signal: Signal, rejected: int = 0, message: str = "", json: bool = False) -> bytes:
    """The response to an export that was taken. `partial_success` is set only when rows were rejected or there is something to say."""
    if not rejected and not message:
        return b"{}" if json else b""
    make, field = _RESPONSES[signal]
    response = make()
    setattr(response.partial_success, field, rejected)
    response.partial_success.error_message = _cut(message)
    return _json(response) if json else response.SerializeToString()


def status(
    code: int, message: str, retry_after_s: float | None = None, json: bool = False, violations: Sequence[tuple[str, str]] = ()
) -> bytes:
    """A `google.rpc.Status`: with RetryInfo when `retry_after_s` is given, with BadRequest when there are violations (field, what)."""
    said = status_pb2.Status(code=code, message=_cut(message))
    if retry_after_s is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(round(retry_after_s * 1e9))
        said.details.append(_any(error_details_pb2.RetryInfo(retry_delay=delay)))
    if violations:
        listed = [error_details_pb2.BadRequest.FieldViolation(field=field, description=_cut(text)) for field, text in violations]
        said.details.append(_any(error_details_pb2.BadRequest(field_violations=listed)))
    return _json(said) if json else said.SerializeToString()


def _any(detail: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def _cut(message: str) -> str:
    raw = message.encode(errors="replace")
    return raw[:MESSAGE_BYTES].decode(errors="ignore") + (" …" if len(raw) > MESSAGE_BYTES else "")


def _json(message: Any) -> bytes:
    return json_text.dumps(MessageToDict(message), ensure_ascii=False, separators=(",", ":")).encode()
