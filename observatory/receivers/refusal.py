"""How an error is said in the words of both protocols."""

from __future__ import annotations

import errno
import logging
import math
import socket
from typing import NamedTuple

from observatory.errors import CannotStart, Rejected, Retryable, TooLarge, Unauthenticated, Unsupported
from observatory.otlp import reply

log = logging.getLogger(__name__)

# google.rpc.Code
INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAVAILABLE, UNAUTHENTICATED = 3, 5, 7, 8, 12, 14, 16

_TRAILER_BYTES = 600


class Refusal(NamedTuple):
    """An HTTP status, a gRPC code, a sentence, and for what may be sent again the seconds to wait."""

    http: int
    code: int
    message: str
    retry_after_s: float | None = None

    def status(self, json: bool = False) -> bytes:
        """As google.rpc.Status: RetryInfo when it may be sent again, BadRequest when its content is at fault."""
        violations = {"body": self.message} if self.http == 400 else None
        return reply.failure(self.code, self.message, json, self.retry_after_s, violations)

    def short(self) -> Refusal:
        """With a sentence that fits into gRPC's trailers, where all headers together may have 8 kB and it stands three times."""
        said = self.message.encode("utf-8", "replace")
        return self if len(said) <= _TRAILER_BYTES else self._replace(message=said[: _TRAILER_BYTES - 4].decode("utf-8", "ignore") + " …")

    @property
    def retry_after(self) -> str:
        """For HTTP's Retry-After: whole seconds, at least 1."""
        return str(max(1, math.ceil(self.retry_after_s or 0)))


def refusal(error: Exception, retry_after_s: float) -> Refusal:
    """What a client is told of `error`. One that nobody raised on purpose is ours, not the client's: it is logged and may be sent again."""
    match error:
        case Retryable():
            return Refusal(503, UNAVAILABLE, str(error), error.after)
        case TooLarge():
            return Refusal(413, RESOURCE_EXHAUSTED, str(error))
        case Unsupported():
            return Refusal(415, INVALID_ARGUMENT, str(error))
        case Unauthenticated():
            return Refusal(401, UNAUTHENTICATED, str(error))
        case Rejected():
            return Refusal(400, INVALID_ARGUMENT, str(error))
        case _:
            log.error("an export could not be taken because of a bug; it is still the client's", exc_info=error)
            return Refusal(503, UNAVAILABLE, f"internal error: {type(error).__name__}; the server's log has the details", retry_after_s)


def cannot_listen(door: str, option: str, host: str, port: int, error: Exception) -> CannotStart:
    """One sentence on why a door does not open. gRPC does not say why, so the socket is asked once more."""
    number = error.errno if isinstance(error, OSError) else _why(host, port)
    match number:
        case errno.EADDRINUSE:
            why = "the port is in use, perhaps by another observatory or an OpenTelemetry Collector"
        case errno.EACCES:
            why = "ports below 1024 need a privilege"
        case errno.EADDRNOTAVAIL:
            why = "this machine has no such address"
        case _:
            why = str(error)
    return CannotStart(f"cannot listen on {host}:{port} for {door}: {why}; choose another with {option} HOST:PORT")


def _why(host: str, port: int) -> int | None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(address)
    except OSError as error:
        return error.errno
    return None
