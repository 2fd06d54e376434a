"""Query parameters: read by name, every mistake named, none ignored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from aiohttp import web

from observatory.errors import BadRequest
from observatory.model.clock import Nanos
from observatory.query.times import parse_time


class Parameters:
    """The query string of a request. Raises BadRequest for a name outside `known`, or one given twice."""

    def __init__(self, request: web.Request, known: Sequence[str]) -> None:
        for name in request.query:
            if name not in known:
                close = get_close_matches(name, known, 1)
                hint = f"; did you mean `{close[0]}`?" if close else ""
                allowed = ", ".join(known) or "none"
                raise BadRequest(f"{name[:60]}: unknown query parameter{hint} (known here: {allowed})")
            if len(request.query.getall(name)) > 1:
                raise BadRequest(f"{name}: given more than once")
        self._query = request.query

    def text(self, name: str, longest: int = 4096) -> str | None:
        """The value, or None when it is absent or empty."""
        value = self._query.get(name) or None
        if value is not None and len(value) > longest:
            raise BadRequest(f"{name}: longer than {longest} characters")
        if value is not None and "\x00" in value:
            raise BadRequest(f"{name}: holds a zero character")
        return value

    def needed(self, name: str, longest: int = 4096) -> str:
        """The value. Raises BadRequest when it is absent or empty."""
        value = self.text(name, longest)
        if value is None:
            raise BadRequest(f"{name}: is needed")
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """One of `choices`, or None when absent."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise BadRequest(f"{name}: expected one of {', '.join(choices)}, got {value[:60]!r}")
        return value

    def time(self, name: str) -> Nanos | None:
        """RFC 3339 or nanoseconds since 1970, or None when absent."""
        value = self.text(name)
        return None if value is None else parse_time(value, name)

    def integer(self, name: str, lowest: int, highest: int) -> int | None:
        """A decimal integer within both ends, or None when absent."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?[0-9]{1,18}", value) or not lowest <= int(value) <= highest:
            raise BadRequest(f"{name}: expected an integer from {lowest} to {highest}, got {value[:60]!r}")
        return int(value)

    def real(self, name: str, lowest: float, highest: float) -> float | None:
        """A decimal number within both ends, or None when absent."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+\-]?[0-9]+)?", value) or not lowest <= float(value) <= highest:
            raise BadRequest(f"{name}: expected a number from {lowest:g} to {highest:g}, got {value[:60]!r}")
        return float(value)


def hex_id(text: str, where: str, size: int) -> bytes:
    """An id of `size` bytes from hex digits of either case. Raises BadRequest, naming `where`; an id of zeros is invalid in OTLP."""
    if not re.fullmatch(r"[0-9a-fA-F]+", text) or len(text) != 2 * size:
        raise BadRequest(f"{where}: expected {2 * size} hexadecimal digits, got {text[:60]!r}")
    if not text.strip("0"):
        raise BadRequest(f"{where}: an id of zeros is not valid")
    return bytes.fromhex(text)
