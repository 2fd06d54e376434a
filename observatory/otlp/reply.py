"""What a receiver answers: Export*ServiceResponse and google.rpc.Status, as protobuf or JSON. OTLP wants no answer above 4 MiB."""

from __future__ import annotations

from typing import Any

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from observatory.model.signal import Signal

LONGEST_MESSAGE = 100_000
"""Characters. A reader needs the first hundred; six bytes each in JSON, once as message and once as detail, stay far below 4 MiB."""

_RESPONSES: dict[Signal, tuple[Any, str]] = {
    Signal.SPANS: (ExportTraceServiceResponse, "rejected_spans"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
    Signal.METRIC_POINTS: (ExportMetricsServiceResponse, "rejected_data_points"),
}


def success(signal: Signal, rejected: int = 0, message: str = "", json: bool = False) -> bytes:
    """The response to an export that was taken. `partial_success` is unset when nothing was rejected and there is nothing to say."""
    response, field = _RESPONSES[signal]
    answer = response()
    if rejected or message:
        setattr(answer.partial_success, field, rejected)
        answer.partial_success.error_message = _short(message)
    return _written(answer, json)


def failure(
    code: int, message: str, json: bool = False, retry_after: float | None = None, violations: dict[str, str] | None = None
) -> bytes:
    """A google.rpc.Status of a gRPC `code`; with RetryInfo of `retry_after` seconds, BadRequest of `violations` (field: what is wrong)."""
    status = status_pb2.Status(code=code, message=_short(message))
    details: list[Message] = []
    if retry_after is not None:
        nanos = round(max(retry_after, 0.0) * 1e9)
        delay = duration_pb2.Duration(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if violations:
        violation = error_details_pb2.BadRequest.FieldViolation
        listed = [violation(field=_short(name, 1000), description=_short(wrong, 1000)) for name, wrong in list(violations.items())[:100]]
        details.append(error_details_pb2.BadRequest(field_violations=listed))
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return _written(status, json)


def _written(message: Message, json: bool) -> bytes:
    return MessageToJson(message, indent=None).encode() if json else message.SerializeToString()


def _short(text: str, longest: int = LONGEST_MESSAGE) -> str:
    text = text.encode("utf-8", "replace").decode()  # a lone surrogate cannot be sent
    return text if len(text) <= longest else text[: longest - 1] + "…"
