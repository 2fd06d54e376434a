"""What went wrong with a call, as one of ten classes, by the names and numbers that providers and SDKs use."""

from __future__ import annotations

import re
from functools import lru_cache

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

_TYPE = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Timeout|Warning))(?=$|[:(\s])")


@lru_cache(maxsize=4096)
def class_of(error_type: str | None, message: str, status: int | None) -> str:
    """One of CLASSES. The HTTP status decides where it is known, then the type's name, then the message."""
    if status is not None and (said := _of_status(status)):
        return said
    for text in (error_type or "", message[:500]):
        if text.isascii() and text.isdigit() and (said := _of_status(int(text[:4]))):
            return said
        for name, pattern in _CLASSES:
            if pattern.search(text):
                return name
    return "other"


@lru_cache(maxsize=4096)
def status_in(text: str) -> int | None:
    """The HTTP status that an error's type or message names: `429`, `Error code: 429 - …`; None when there is none."""
    found = _CODE.search(text[:500])
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
