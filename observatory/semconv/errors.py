"""What went wrong with a call, as one of ten classes, by the names and numbers that providers and SDKs use."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pyarrow as pa

from observatory.semconv.coded import Coded, from_rows
from observatory.semconv.events import Happened
from observatory.semconv.numbers import Numbers
from observatory.semconv.packed import Found

CLASSES = (
    "rate_limit",
    "overloaded",
    "server_error",
    "bad_request",
    "auth",
    "timeout",
    "connection",
    "content_filter",
    "tool_error",
    "other",
)
_NAMES = (
    ("rate_limit", r"rate.?limit|too.?many.?requests|throttl|quota|resource.?exhausted"),
    ("overloaded", r"overload|service.?unavailable|capacity|\bunavailable"),
    ("content_filter", r"content.?filter|content.?policy|safety|guardrail|refusal|moderation|responsible.?ai"),
    ("timeout", r"time.?d?.?out|deadline"),
    ("auth", r"auth|permission|forbidden|api.?key|credential|access.?denied"),
    ("connection", r"connect|network|socket|\bdns\b|econn|ssl|remote.?protocol|incomplete.?read|broken.?pipe|\breset\b"),
    ("tool_error", r"tool"),
    ("server_error", r"internal.?server|server.?error|bad.?gateway|internal.?error|api.?error$|stream.?error"),
    ("bad_request", r"bad.?request|invalid|not.?found|unprocessable|validation|context.?length|too.?large|unsupported|conflict|parameter"),
)
_CLASSES = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _NAMES)
# `Error code: 429 - …` (OpenAI, Anthropic), `HTTP/1.1 429`, `status code 503`, `429 Too Many Requests`, `got status: 429`
_CODE = re.compile(
    r"(?:(?:error[ _]code|status[ _]code|status|code|http(?:/[\d.]+)?)[\"']?\s*[:=]?\s*|^|[(\[:]\s*|error\s+['\"]?)"
    r"([45]\d\d)(?=$|[^\w.%]|\.\s|\.$)",
    re.IGNORECASE,
)

_LOOKED_AT = 500
"""Characters of a message that are looked at; what went wrong stands at its beginning, and texts are remembered."""

_TYPE = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Timeout|Warning))(?=$|[:(\s])")


def failed(columns: dict[str, pa.Array], found: Found) -> np.ndarray:
    """True for the spans that failed: by their status, or by an error they name."""
    failed = (columns["status_code"].to_numpy() == 2) | Coded.of(columns["error_type"]).known
    failed[list(found["is_error"])] = True
    return failed


def failure(columns: dict[str, pa.Array], found: Found, said: Happened, rows_failed: np.ndarray) -> dict[str, pa.Array]:
    """Type and class of errors, and the HTTP status, also where only the text of an error names it."""
    types = Coded.of(columns["error_type"]).fill(said.exceptions)
    status = Numbers.of(columns["http_status_code"]).fill(found["http_status_code"])
    rows = np.flatnonzero(rows_failed)
    messages = columns["status_message"].take(pa.array(rows)).to_pylist() if len(rows) else []
    classes: dict[int, str] = {}
    named: dict[int, str] = {}
    for row, sent in zip(rows.tolist(), messages, strict=True):
        message = (sent or found["error_message"].get(row, ""))[:_LOOKED_AT]
        name = types.words[types.codes[row]] if types.codes[row] >= 0 else type_in(message)
        if name is not None and types.codes[row] < 0:
            named[row] = name
        if not status.known[row] and (code := status_in((name or "")[:_LOOKED_AT]) or status_in(message)):
            status.values[row], status.known[row] = code, True
        code = int(status.values[row]) if status.known[row] else None
        classes[row] = class_of(name and name[:_LOOKED_AT], message, code)
    return {
        "is_error": pa.array(rows_failed),
        "error_type": types.fill(named).array(),
        "error_class": from_rows(len(rows_failed), classes).array(),
        "http_status_code": status.array(pa.int64()),
    }


@lru_cache(maxsize=4096)
def class_of(error_type: str | None, message: str, status: int | None) -> str:
    """One of CLASSES. The HTTP status decides where it is known, then the type's name, then the message."""
    if status is not None and (said := _of_status(status)):
        return said
    for text in (error_type or "", message):
        if text.isascii() and text.isdigit() and (said := _of_status(int(text[:4]))):
            return said
        for name, pattern in _CLASSES:
            if pattern.search(text):
                return name
    return "other"


@lru_cache(maxsize=4096)
def status_in(text: str) -> int | None:
    """The HTTP status that an error's type or message names: `429`, `Error code: 429 - …`; None when there is none."""
    found = _CODE.search(text)
    return int(found[1]) if found else None


def type_in(message: str) -> str | None:
    """The type's name that a message begins with (`openai.RateLimitError: …`), or None."""
    found = _TYPE.match(message[:200])
    return found[1] if found else None


def _of_status(status: int) -> str | None:
    match status:
        case 429:
            return "rate_limit"
        case 529 | 503:
            return "overloaded"
        case 401 | 403 | 407:
            return "auth"
        case 408 | 504:
            return "timeout"
    if 400 <= status < 500:
        return "bad_request"
    return "server_error" if 500 <= status < 600 else None
