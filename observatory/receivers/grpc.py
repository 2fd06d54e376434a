"""OTLP over gRPC: raw bytes in and out, no message classes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from time import monotonic
from typing import Any

import grpc
from prometheus_client import CollectorRegistry

from observatory.contracts import Export, Signal, Sink
from observatory.errors import Malformed, Retryable
from observatory.model.clock import Clock, SystemClock
from observatory.otlp import reply
from observatory.receivers.admission import Admission, Held
from observatory.receivers.body import Opener
from observatory.receivers.config import ReceiversConfig
from observatory.receivers.keys import Keys
from observatory.receivers.refusal import cannot_listen, refusal
from observatory.receivers.traffic import Traffic

METHODS = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": Signal.SPANS,
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": Signal.LOGS,
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": Signal.METRIC_POINTS,
}

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_DRAIN_S = 3.0  # for calls under way when the door closes; the whole server has 10 s to end


class OtlpGrpc:
    """The gRPC door. The three Export methods; any other is UNIMPLEMENTED.

    Two things are not left to the library. A call is admitted before its message is read, so that a full server refuses without taking it
    into memory (hence `stream_unary` handlers, the same on the wire). And gzip is opened by us, bounded on every version of grpcio and
    twice as fast (hence `per_message_decompression` off; `_encoding` says how a compressed message is recognised).
    """

    def __init__(
        self, sink: Sink, admission: Admission, config: ReceiversConfig, registry: CollectorRegistry, clock: Clock | None = None
    ) -> None:
        self._sink, self._admission, self._config, self._clock = sink, admission, config, clock or SystemClock()
        self._keys, self._traffic = Keys(config.api_keys), Traffic("grpc", registry)
        self._opener = Opener()
        self._server: grpc.aio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; port 0 takes a free one. Returns the address. Raises `CannotStart`."""
        options = [
            ("grpc.max_receive_message_length", self._config.max_request_bytes),
            # no grpc.max_concurrent_streams: under a burst grpcio's server counts streams that its client has already seen end, and resets
            # new ones (at 256, 40 of 300 calls at once); a stream that is not read costs little
            ("grpc.per_message_decompression", 0),
            ("grpc.so_reuseport", 0),  # with it a second server would share the port in silence
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),  # Collectors ping every 10 s and would be sent away
            ("grpc.keepalive_permit_without_calls", 1),
        ]
        self._server = grpc.aio.server(options=options)
        self._server.add_generic_rpc_handlers((_Methods({name: partial(self._export, signal) for name, signal in METHODS.items()}),))
        try:
            bound = self._server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except RuntimeError as error:
            raise cannot_listen("OTLP/gRPC", "--otlp-grpc", host, port, error) from error
        await self._server.start()
        return host, bound

    async def stop(self) -> None:
        """Stop listening, answer what is under way (at most 3 s), close every connection."""
        if self._server is not None:
            await self._server.stop(_DRAIN_S)
            self._server = None
        self._opener.close()

    async def _export(self, signal: Signal, _: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        began, size = monotonic(), 0
        try:
            if self._config.api_keys:
                metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
                self._keys.check(metadata.get("authorization"), metadata.get("x-api-key"))
            with self._admission.admit() as held:
                raw = await self._read(context)
                size = len(raw)
                body = await self._open(raw, held)
                del raw
                said = await self._sink.put(Export(signal, body, self._clock.now()))
        except Exception as error:
            refused = refusal(error, self._config.retry_after_s).short()
            code = _CODES[refused.code]
            self._traffic.answered(signal, code.name, size, monotonic() - began)
            details = (("grpc-status-details-bin", refused.status()),)
            await context.abort(code, refused.message, details)
        self._traffic.answered(signal, "OK", size, monotonic() - began)
        return reply.success(signal, said.rejected, said.message)

    async def _read(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._config.request_timeout_s):
                raw: Any = await context.read()
        except TimeoutError:
            raise Retryable(f"the message did not come in {self._config.request_timeout_s:g} s") from None
        if not isinstance(
            raw, bytes
        ):  # grpcio's EOF; also when the library refused a message over the limit; that call is answered already
            raise Malformed("the call ended without a message")
        return raw

    async def _open(self, raw: bytes, held: Held) -> bytes:
        held.resize(len(raw))
        encoding = _encoding(raw)
        if not encoding:
            return raw
        body = await self._opener.open(encoding, raw, self._config.max_request_bytes)
        held.resize(len(body))
        return body


class _Methods(grpc.GenericRpcHandler):
    def __init__(self, methods: dict[str, Any]) -> None:
        self._handlers = {name: grpc.stream_unary_rpc_method_handler(export) for name, export in methods.items()}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return self._handlers.get(handler_call_details.method)


def _encoding(raw: bytes) -> str:
    """The compression of a message, told by its first bytes, because grpcio hides the flag when it is told not to decompress.

    gzip starts with 1F: as protobuf a field of wire type 7, which does not exist. zlib starts with 78 and a check digit: as protobuf
    the field 15, which no OTLP request has.
    """
    if raw[:2] == b"\x1f\x8b":
        return "gzip"
    return "deflate" if len(raw) > 1 and raw[0] == 0x78 and (raw[0] << 8 | raw[1]) % 31 == 0 else ""
