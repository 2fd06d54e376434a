"""What a value says: durations, numbers, money, times, words. Exact, so that both ways of answering compare with the same figure."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import NamedTuple

from observatory.errors import BadRequest
from observatory.model.clock import DAY, HOUR, MINUTE, SECOND
from observatory.query.times import parse_time

INT64 = (-(2**63), 2**63 - 1)
_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_NUMBER = r"[0-9]{1,30}(?:\.[0-9]{1,30})?"
_PART = re.compile(rf"({_NUMBER})(ns|us|µs|μs|ms|s|m|h|d)", re.ASCII)
_DURATION = re.compile(rf"(-?)((?:{_NUMBER}(?:ns|us|µs|μs|ms|s|m|h|d))+)", re.ASCII)
_SIZES = {
    "": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9,
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_FIGURE = re.compile(
    rf"([+-]?)({_NUMBER})(?:[eE]([+-]?[0-9]{{1,2}}))?({'|'.join(sorted(filter(None, _SIZES), key=len, reverse=True))})?", re.ASCII
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class Moment(NamedTuple):
    """A time: the first and the last nanosecond it may mean (a date is its whole day), since 1970 or, when `relative`, since now."""

    first: int
    last: int
    relative: bool = False


def duration(text: str) -> Fraction:
    """Nanoseconds of `1.5s`, `200ms`, `1h30m`. Raises ValueError for anything else; 0 needs no unit."""
    if text == "0":
        return Fraction(0)
    if not (found := _DURATION.fullmatch(text)):
        raise ValueError("a duration with its unit, such as 250ms, 5s, 1h30m (ns us ms s m h d)")
    total = sum((Fraction(number) * _UNITS[unit] for number, unit in _PART.findall(found[2])), Fraction(0))
    return -total if found[1] else total


def number(text: str) -> Fraction:
    """`12`, `-1.5`, `10k`, `2M`, `1e6`, `4KiB`. Raises ValueError."""
    if not (found := _FIGURE.fullmatch(text)):
        raise ValueError("a number, such as 12, 1.5, 10k, 2M or 4KiB")
    sign, digits, exponent, suffix = found.groups()
    value = Fraction(digits) * Fraction(10) ** int(exponent or 0) * _SIZES[suffix or ""]
    return -value if sign == "-" else value


def money(text: str) -> Fraction:
    """Dollars of `0.01` or `$0.01`. Raises ValueError."""
    try:
        return number(text.removeprefix("$"))
    except ValueError:
        raise ValueError("an amount of dollars, such as 0.01 or $0.01") from None


def moment(text: str) -> Moment:
    """`2026-01-31T09:30:00Z`, `2026-01-31` (UTC), nanoseconds since 1970, `now`, or `-1h` from now. Raises ValueError."""
    if text == "now":
        return Moment(0, 0, True)
    if text[:1] == "-" and _DURATION.fullmatch(text):
        ago = math.floor(duration(text))
        return Moment(ago, ago, True)
    try:
        if _DATE.fullmatch(text):
            first = (datetime.fromisoformat(text).replace(tzinfo=UTC).toordinal() - _EPOCH_DAY) * DAY
            return Moment(first, first + DAY - 1)
        at = parse_time(text, "time")
        return Moment(at, at)
    except (ValueError, BadRequest):
        raise ValueError("a time, such as 2026-01-31T09:30:00Z, 2026-01-31, -1h (an hour ago) or now") from None


def truth(text: str) -> bool:
    """`true` or `false`, in either case. Raises ValueError."""
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        raise ValueError("true or false") from None


def bounds(op: str, first: Fraction | int, last: Fraction | int) -> tuple[int, int]:
    """The integers, both ends included, that compare with a value so: [first, last] is what the value may mean. Empty when low > high."""
    match op:
        case ">":
            return math.floor(first) + 1, INT64[1]
        case ">=":
            return math.ceil(first), INT64[1]
        case "<":
            return INT64[0], math.ceil(first) - 1
        case "<=":
            return INT64[0], math.floor(first)
        case _:
            return math.ceil(first), math.floor(last)
