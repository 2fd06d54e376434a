"""Errors as the API says them: `{"error": {"code": "bad_request", "message": "limit: expected …", "where": "limit"}}` and a status."""

from __future__ import annotations

import logging
import re

import orjson
from aiohttp import web

from observatory.errors import BadRequest, Gone, NotFound, ObservatoryError, Rejected, Retryable, TooLarge, Unauthenticated, Unsupported
from observatory.query.sandboxes import SqlRefused

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[ObservatoryError], int, str], ...] = (
    (NotFound, 404, "not_found"),
    (Gone, 410, "gone"),
    (BadRequest, 400, "bad_request"),
    (Retryable, 503, "busy"),
    (TooLarge, 413, "too_large"),
    (Unsupported, 415, "unsupported"),
    (Unauthenticated, 401, "unauthenticated"),
    (Rejected, 400, "bad_request"),
)
_WHERE = re.compile(r"((?:[A-Za-z_]|\[\d+\])[A-Za-z0-9_.\[\]]*): ")


class Deadline(ObservatoryError):
    """An answer that took longer than `api.request_deadline_s`."""


def problem(status: int, code: str, message: str, where: str = "", headers: dict[str, str] | None = None) -> web.Response:
    """The one shape of an error."""
    body = {"error": {"code": code, "message": message, "where": where}}
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)


def of(error: ObservatoryError) -> web.Response:
    """The answer for an error of ours. `where` is what its message names before the first colon."""
    if isinstance(error, SqlRefused):
        return problem(408 if error.code == "deadline" else 400, error.code, str(error), error.where)
    if isinstance(error, Deadline):
        return problem(408, "deadline", str(error))
    message = str(error)
    named = _WHERE.match(message)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else None
    if isinstance(error, Retryable):
        headers = {"Retry-After": f"{max(1, round(error.after))}"}
    for type_, status, code in _STATUS:
        if isinstance(error, type_):
            return problem(status, code, message, named[1] if named else "", headers)
    return internal(error)


def internal(error: Exception) -> web.Response:
    """An error nobody foresaw: the log has it, the reader learns that it is not their fault."""
    log.error("a request failed", exc_info=error)
    return problem(500, "internal", "the server failed at this request; its log says why")
