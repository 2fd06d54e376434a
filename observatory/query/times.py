"""Times as people and programs write them: RFC 3339 or nanoseconds since 1970 in, RFC 3339 with nine digits out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from observatory.errors import BadRequest
from observatory.model.clock import SECOND, Nanos

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+\- ]\d\d:\d\d)", re.ASCII)
_EPOCH_NS = re.compile(r"-?\d{1,19}", re.ASCII)
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def parse_time(text: str, where: str) -> Nanos:
    """Nanoseconds since 1970, within int64. Raises BadRequest, naming `where`, for anything else.

    A blank before an offset counts as `+`: that is what an unescaped plus sign becomes in a query string.
    """
    if _EPOCH_NS.fullmatch(text):
        value = int(text)
        if _LOWEST <= value <= _HIGHEST:
            return value
    elif match := _RFC3339.fullmatch(text):
        day, clock, fraction, offset = match.groups()
        try:
            whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'zZ' else offset.replace(' ', '+')}") - _EPOCH
        except ValueError as bad:
            raise BadRequest(f"{where}: {text!r} is not a time: {bad}") from None
        value = (whole.days * 86_400 + whole.seconds) * SECOND + int((fraction or "").ljust(9, "0"))
        if _LOWEST <= value <= _HIGHEST:
            return value
        raise BadRequest(f"{where}: {text!r} is outside what 64 bits of nanoseconds can say (the years 1677 to 2262)")
    raise BadRequest(
        f"{where}: expected a time as RFC 3339 (2026-01-31T09:30:00Z) or as nanoseconds since 1970 (1769851800000000000), got {text[:60]!r}"
    )


def rfc3339(ns: Nanos) -> str:
    """`2026-01-31T09:30:00.000000000Z`: UTC, always nine digits. Takes any int64."""
    seconds, rest = divmod(ns, SECOND)
    return f"{(_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()}.{rest:09d}Z"
