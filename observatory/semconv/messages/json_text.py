"""JSON in attributes: read when it is JSON, mended when an SDK cut it, kept as text when it is neither."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from observatory.model.anyvalue import KeyValues, double_text, text
from observatory.semconv.messages.span import At

DEPTH = 60  # values inside values; deeper ones become text. orjson writes 254 levels, Python's stack holds about 1,000 frames
MENDED_CHARACTERS = 1 << 20  # SDKs cut at kilobytes; 4 MB of small values took 1.8 s
_SAFE = 2**53 - 1
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*("?)|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
# the beginning of an escape, or the first half of a surrogate pair
_HALF_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*((?:\\u[dD][89abAB][0-9a-fA-F]{2})?(?:\\(?:u[0-9a-fA-F]{0,3})?)?)$")
_WORDS = ("true", "false", "null")


def plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON writers take it.

    Key-value lists are dicts (a repeated key becomes `key#2`), bytes are base64 text, integers beyond 2^53, NaN and infinities are text,
    halves of surrogate pairs U+FFFD; what lies deeper than `DEPTH` is text.
    """
    match value:
        case None | bool():
            return value
        case str():
            return _whole(value)
        case int():
            return value if -_SAFE <= value <= _SAFE else _digits(value)
        case float():
            return value if math.isfinite(value) else double_text(value)
        case bytes():
            return text(value)
    if depth >= DEPTH:
        return _flat(value)
    if isinstance(value, KeyValues):
        return _named(value, depth)
    if isinstance(value, dict):
        return {_whole(str(key)): plain(item, depth + 1) for key, item in value.items()}
    return [plain(item, depth + 1) for item in value]


def loads(said: str) -> Any:
    """The plain value of JSON text. Raises ValueError when it is none, or nested too deeply to read."""
    try:
        return plain(json.loads(said, strict=False))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def expected(value: Any, at: At) -> Any:
    """The value of an attribute that is JSON by its convention; structured values are as they are.

    Text that was cut is mended and flagged `truncated`; other text is itself, flagged `malformed_json`.
    """
    if not isinstance(value, str) or not value:
        return value
    try:
        return loads(value)
    except ValueError:
        mended = _mended(value)
    at.flag("malformed_json" if mended is None else "truncated")
    return value if mended is None else mended


def perhaps(value: Any, at: At) -> Any:
    """The value of an attribute that may be JSON or any text: objects and arrays are read, everything else is as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return loads(value)
    except ValueError:
        mended = _mended(value)
    if mended is None:
        return value  # prose in brackets, a Python repr
    at.flag("truncated")
    return mended


def _mended(said: str) -> Any | None:
    """The value of JSON text that ends too early: what is open is closed, what is half said is left out. None for other text."""
    if len(said) > MENDED_CHARACTERS or not said.lstrip().startswith(("{", "[")):
        return None
    closed = _closed(said)
    try:
        return None if closed is None else loads(closed)
    except ValueError:
        return None


def _closed(said: str) -> str | None:
    open_: list[str] = []  # what closes each object and array that is open
    named = False  # in an object: its colon was seen, so that a text is a value
    end = 0  # up to here every value is whole
    for token in _TOKEN.finditer(said):
        first, inside = token[0][0], open_[-1] if open_ else ""
        if first in "{[":
            open_.append("}" if first == "{" else "]")
            named, end = False, token.end()
        elif first in "}]":
            if inside != first:
                return None
            open_.pop()
            named, end = False, token.end()
            if not open_:
                return None  # it is whole, and something else is wrong
        elif first in ",:":
            named = first == ":"
        elif inside == "]" or named:
            if first == '"' and not token[1]:
                half = _HALF_ESCAPE.search(token[0])
                told = token[0][: half.start(1)] if half else token[0]
                return said[: token.start()] + told + '"' + "".join(reversed(open_))
            if first == '"' or token[0] in _WORDS or token.end() < len(said):
                named, end = False, token.end()
    return said[:end] + "".join(reversed(open_)) if open_ else None


def _named(pairs: KeyValues, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    times: dict[str, int] = {}
    for key, item in pairs:
        times[key] = times.get(key, 0) + 1
        found[_whole(key) if times[key] == 1 else f"{_whole(key)}#{times[key]}"] = plain(item, depth + 1)
    return found


def _whole(said: str) -> str:
    if said.isascii():
        return said
    try:
        said.encode()
    except UnicodeEncodeError:  # JavaScript cuts emoji in two
        return said.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return said


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more than 4,300 digits
        return hex(value)


def _flat(value: Any) -> str:
    try:
        return _whole(json.dumps(value, ensure_ascii=False, default=str))
    except (RecursionError, ValueError):
        return "…"
