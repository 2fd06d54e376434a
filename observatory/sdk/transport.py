"""Bytes of OTLP to the receiver, over HTTP or gRPC, and what its answer means."""

from __future__ import annotations

import gzip
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any, Protocol
from urllib.parse import urlsplit

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

from observatory.sdk import guard
from observatory.sdk.config import Config
from observatory.sdk.outbox import Outcome

_LATER = {408, 429, 500, 502, 503, 504}
_SERVICES = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}


class Transport(Protocol):
    """One try; it never raises for what a network or a receiver does."""

    def post(self, signal: str, body: bytes) -> Outcome:
        """Offer a serialized export request."""
        ...


class Http:
    """OTLP over HTTP with the standard library: it starts faster and is smaller than any client, and a batch every few seconds needs no
    pool."""

    def __init__(self, config: Config) -> None:
        self._config = config
        encrypted = any(url.startswith("https") for url in (config.endpoint, config.api_endpoint))
        context = ssl.create_default_context(cafile=config.certificate) if encrypted else None
        self._opener = (
            urllib.request.build_opener(urllib.request.HTTPSHandler(context=context)) if context else urllib.request.build_opener()
        )

    def post(self, signal: str, body: bytes) -> Outcome:
        """See Transport."""
        return self.send(f"{self._config.endpoint}/v1/{signal}", body, "application/x-protobuf")

    def send(self, url: str, body: bytes, kind: str) -> Outcome:
        """POST bytes; 408, 429 and 5xx mean later, as does a connection that fails; every other refusal is for good and told once."""
        headers = {"Content-Type": kind, "User-Agent": "llm-observatory-sdk", **self._config.base_headers}
        if self._config.compression == "gzip" and len(body) > 1024:
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        request = urllib.request.Request(url, body, headers, method="POST")
        with _Quiet():
            try:
                with self._opener.open(request, timeout=self._config.timeout_s) as answer:
                    answer.read()
                return Outcome.SENT
            except urllib.error.HTTPError as error:
                with error:
                    said = error.read(500).decode(errors="replace")
                return _refused(error.code in _LATER, url, f"{error.code} {said}")
            except urllib.error.URLError as error:
                _refused(True, url, str(error.reason))
                return Outcome.DOWN if isinstance(error.reason, ConnectionRefusedError | socket.gaierror) else Outcome.LATER
            except (OSError, ValueError) as error:  # HTTPException, URLError, time-outs and resets are OSErrors or ValueErrors
                return _refused(True, url, str(getattr(error, "reason", error)))
            except Exception as error:
                return _refused(True, url, repr(error))


class Grpc:
    """OTLP over gRPC; needs the extra `llm-observatory[grpc]`. Raises ModuleNotFoundError without it."""

    def __init__(self, config: Config) -> None:
        import grpc

        self._grpc, self._config = grpc, config
        parts = urlsplit(config.endpoint)
        target = f"{parts.hostname}:{parts.port or 4317}"
        if parts.scheme == "https":
            from pathlib import Path

            roots = Path(config.certificate).read_bytes() if config.certificate else None
            self._channel: Any = grpc.secure_channel(target, grpc.ssl_channel_credentials(roots))
        else:
            self._channel = grpc.insecure_channel(target)
        compression = grpc.Compression.Gzip if config.compression == "gzip" else grpc.Compression.NoCompression
        self._compression, self._metadata = compression, tuple((k.lower(), v) for k, v in config.base_headers.items())
        self._calls = {signal: self._channel.unary_unary(path) for signal, path in _SERVICES.items()}

    def post(self, signal: str, body: bytes) -> Outcome:
        """See Transport."""
        with _Quiet():
            try:
                self._calls[signal](body, timeout=self._config.timeout_s, metadata=self._metadata, compression=self._compression)
                return Outcome.SENT
            except self._grpc.RpcError as error:
                code = error.code().name
                later = code in (
                    "CANCELLED",
                    "DEADLINE_EXCEEDED",
                    "ABORTED",
                    "OUT_OF_RANGE",
                    "UNAVAILABLE",
                    "DATA_LOSS",
                    "RESOURCE_EXHAUSTED",
                )
                return _refused(later, self._config.endpoint, f"{code} {error.details()}")


def open_transport(config: Config) -> Transport:
    """The transport that the configuration names; HTTP, told once, where gRPC is asked for and not installed."""
    if config.protocol == "grpc":
        try:
            return Grpc(config)
        except ModuleNotFoundError:
            guard.say_once("protocol grpc needs: pip install 'llm-observatory[grpc]'; sending over HTTP")
    return Http(config)


def _refused(later: bool, url: str, reason: str) -> Outcome:
    what = "cannot be reached or has no room, trying again" if later else "refuses what is sent"
    guard.say_once(f"{url} {what}: {reason}", key=f"{url} {later}")
    return Outcome.LATER if later else Outcome.REFUSED


class _Quiet:
    """Instrumented HTTP clients make no spans of what the SDK sends."""

    def __enter__(self) -> None:
        self._token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))

    def __exit__(self, *error: object) -> None:
        detach(self._token)
