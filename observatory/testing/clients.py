"""Small OTLP clients that show all of an answer: status, partial success, retry hints, headers."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

import aiohttp
import grpc
import zstandard
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from observatory.model.signal import Signal
from observatory.testing.spans import Payload

Response = ExportTraceServiceResponse | ExportLogsServiceResponse | ExportMetricsServiceResponse
Encoding = Literal["protobuf", "json"]
Compression = Literal["identity", "gzip", "zstd", "deflate", "raw-deflate"]

PATHS = {Signal.SPANS: "/v1/traces", Signal.LOGS: "/v1/logs", Signal.METRIC_POINTS: "/v1/metrics"}
METHODS = {
    Signal.SPANS: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    Signal.LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    Signal.METRIC_POINTS: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
CONTENT_TYPES = {"protobuf": "application/x-protobuf", "json": "application/json"}
_REJECTED = {Signal.SPANS: "rejected_spans", Signal.LOGS: "rejected_log_records", Signal.METRIC_POINTS: "rejected_data_points"}
_RESPONSES: dict[Signal, type[Response]] = {
    Signal.SPANS: ExportTraceServiceResponse,
    Signal.LOGS: ExportLogsServiceResponse,
    Signal.METRIC_POINTS: ExportMetricsServiceResponse,
}


@dataclass(frozen=True)
class Answer:
    """What the server said. `status` is HTTP's number or gRPC's code by name; `error` is set when the export was refused."""

    status: int | str
    partial: bool = False
    """`partial_success` was set."""
    rejected: int = 0
    message: str = ""
    """Of the partial success, or of the error."""
    error: Status | None = None
    retry_after_s: float | None = None
    """From `Retry-After` (HTTP) or `RetryInfo` (gRPC)."""
    retry_info_s: float | None = None
    """From the `RetryInfo` inside the status, either protocol."""
    headers: dict[str, str] = field(default_factory=dict)
    """Lower-case names; gRPC's trailing metadata."""
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Taken: the data is the server's now."""
        return self.status in (200, "OK")

    @property
    def retryable(self) -> bool:
        """By OTLP's rules the client should send the same bytes again."""
        if isinstance(self.status, int):
            return self.status in (429, 502, 503, 504)
        return self.status in _GRPC_RETRYABLE or (self.status == "RESOURCE_EXHAUSTED" and self.retry_info_s is not None)


_GRPC_RETRYABLE = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})


class HttpClient:
    """OTLP/HTTP to `url` (`http://127.0.0.1:4318`). Use as `async with`; `headers` go with every request."""

    def __init__(self, url: str, headers: dict[str, str] | None = None, timeout_s: float = 30.0) -> None:
        self.url, self._headers = url.rstrip("/"), headers or {}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def __aenter__(self) -> HttpClient:
        """Open the connection pool."""
        self._session = aiohttp.ClientSession(timeout=self._timeout, auto_decompress=False)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        await self._session.close()

    async def export(
        self, payload: Payload, encoding: Encoding = "protobuf", compression: Compression = "identity", **headers: str
    ) -> Answer:
        """Send a payload. Raises aiohttp.ClientError when there is no answer."""
        body = payload.protobuf if encoding == "protobuf" else payload.json
        return await self.send(payload.signal, body, encoding, compression, **headers)

    async def send(
        self, signal: Signal, body: bytes, encoding: Encoding = "protobuf", compression: Compression = "identity", **headers: str
    ) -> Answer:
        """Compress and send these bytes, whatever they are; further headers by keyword, `_` for `-` (`content_type="text/plain"`)."""
        said = {"Content-Type": CONTENT_TYPES[encoding], **self._headers}
        if compression != "identity":
            said["Content-Encoding"] = compression.removeprefix("raw-")
        said |= {key.replace("_", "-").title(): value for key, value in headers.items()}
        return await self.request("POST", PATHS[signal], compress(compression, body), said, signal)

    async def request(
        self, method: str, path: str, data: Any = None, headers: dict[str, str] | None = None, signal: Signal = Signal.SPANS
    ) -> Answer:
        """One raw request; `data` is anything aiohttp sends. The answer is read by its own Content-Type."""
        skip = ("Content-Type",) if "Content-Type" not in (headers or {}) else ()
        async with self._session.request(method, self.url + path, data=data, headers=headers, skip_auto_headers=skip) as response:
            return _read_http(signal, response.status, {k.lower(): v for k, v in response.headers.items()}, await response.read())


class GrpcClient:
    """OTLP/gRPC to `target` (`127.0.0.1:4317`), raw bytes. Use as `async with`; `metadata` goes with every call."""

    def __init__(self, target: str, metadata: dict[str, str] | None = None, timeout_s: float = 30.0) -> None:
        self.target, self._timeout = target, timeout_s
        self._metadata = tuple((key.lower(), value) for key, value in (metadata or {}).items())

    async def __aenter__(self) -> GrpcClient:
        """Open the channel."""
        # no limit of our own: the server's is what is tested
        unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        self._channel = grpc.aio.insecure_channel(self.target, options=unlimited)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        await self._channel.close()

    async def export(self, payload: Payload, compression: Literal["identity", "gzip", "deflate"] = "identity") -> Answer:
        """Send a payload."""
        return await self.send(payload.signal, payload.protobuf, compression)

    async def send(
        self,
        signal: Signal,
        body: bytes,
        compression: Literal["identity", "gzip", "deflate"] = "identity",
        method: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> Answer:
        """Send these bytes; never raises for a status, an unreachable server answers UNAVAILABLE without details."""
        call = self._channel.unary_unary(method or METHODS[signal])(
            body,
            timeout=self._timeout,
            compression=_GRPC_COMPRESSION[compression],
            metadata=self._metadata + tuple((metadata or {}).items()),
        )
        try:
            reply = await call
        except grpc.aio.AioRpcError as error:
            trailing = {key: value for key, value in error.trailing_metadata() or ()}
            return _read_grpc_error(error.code().name, error.details() or "", trailing)
        return _answer_ok("OK", signal, _RESPONSES[signal].FromString(reply), {}, reply)


def compress(compression: Compression, body: bytes) -> bytes:
    """The body in a Content-Encoding; `deflate` is zlib's format as the RFC says, `raw-deflate` what some clients send instead."""
    match compression:
        case "gzip":
            return gzip.compress(body, 1)
        case "zstd":
            return zstandard.compress(body, 1)
        case "deflate":
            return zlib.compress(body, 1)
        case "raw-deflate":
            raw = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
            return raw.compress(body) + raw.flush()
        case _:
            return body


_GRPC_COMPRESSION = {
    "identity": grpc.Compression.NoCompression,
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}


def _read_http(signal: Signal, status: int, headers: dict[str, str], body: bytes) -> Answer:
    kind = headers.get("content-type", "").partition(";")[0]
    after = headers.get("retry-after")
    if status == 200:
        reply = _RESPONSES[signal]()
        _parse_into(reply, kind, body)
        return _answer_ok(status, signal, reply, headers, body)
    error = Status()
    if kind in CONTENT_TYPES.values():
        _parse_into(error, kind, body)
    retry = float(after) if after is not None else None
    return Answer(
        status, message=error.message, error=error, retry_after_s=retry, retry_info_s=_retry_info(error), headers=headers, body=body
    )


def _read_grpc_error(code: str, details: str, trailing: dict[str, Any]) -> Answer:
    error = Status()
    raw = trailing.get("grpc-status-details-bin")
    if isinstance(raw, bytes):
        error.ParseFromString(raw)
    retry = _retry_info(error)
    return Answer(code, message=details, error=error, retry_after_s=retry, retry_info_s=retry, headers=trailing)


def _answer_ok(status: int | str, signal: Signal, reply: Response, headers: dict[str, str], body: bytes) -> Answer:
    partial = reply.partial_success
    rejected = getattr(partial, _REJECTED[signal])
    return Answer(status, reply.HasField("partial_success"), rejected, partial.error_message, headers=headers, body=body)


def _parse_into(message: Any, kind: str, body: bytes) -> None:
    if kind == CONTENT_TYPES["json"]:
        from google.protobuf.json_format import ParseDict

        ParseDict(json.loads(body), message)
    else:
        message.ParseFromString(body)


def _retry_info(status: Status) -> float | None:
    for detail in status.details:
        info = RetryInfo()
        if detail.Unpack(info):
            return info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return None
