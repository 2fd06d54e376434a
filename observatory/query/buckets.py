"""Buckets of time as people count it: hours, days, weeks and months of a place, with its shifts of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from observatory.errors import BadRequest
from observatory.model.clock import SECOND, Nanos

MAX_BUCKETS = 10_000  # a week of minutes, a year of hours
MAX_SLOTS = 4_000_000  # of the table that leads a time to its bucket; 16 MB
_ELAPSED_S = {"minute": 60, "5m": 300, "15m": 900, "hour": 3600}
_DAYS = {"day": 1, "week": 7}
UNITS = (*_ELAPSED_S, "6h", *_DAYS, "month")
"""The lengths a bucket may have."""


class Buckets(NamedTuple):
    """Bucket i is [edges[i], edges[i + 1]). All edges lie on a grid of `slot_ns` that begins at the first."""

    edges: np.ndarray  # int64 nanoseconds, one more than there are buckets
    slot_ns: int
    zone: tzinfo

    def __len__(self) -> int:
        return len(self.edges) - 1

    def names(self) -> list[str]:
        """The start of every bucket: RFC 3339 with the offset that holds there."""
        return [name_of(int(edge), self.zone) for edge in self.edges[:-1]]

    def table(self) -> pa.Table:
        """`slot`, `nth`: the bucket of a time by its slot `(time - edges[0]) // slot_ns`. A join by hash, whatever the clock did."""
        slots = (np.diff(self.edges) // self.slot_ns).astype(np.int64)
        return pa.table({"slot": np.arange(int(slots.sum())), "nth": np.repeat(np.arange(len(self), dtype=np.int32), slots)})


def zone_of(name: str | None) -> tzinfo:
    """The IANA time zone of this name; UTC without one. Raises BadRequest for a name that this machine's tables do not have."""
    if name is None or name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadRequest(f"tz: expected a time zone such as Europe/Berlin or Asia/Kolkata, got {name[:60]!r}") from None


def buckets(unit: str, zone: tzinfo, from_ns: Nanos, to_ns: Nanos) -> Buckets:
    """The buckets that hold [from_ns, to_ns), which must not be empty; the outer ones may reach beyond it.

    Up to an hour a bucket is a stretch of time between whole minutes or hours of the local clock: the hour that it shows twice is two
    buckets. Longer ones go from wall time to wall time: a day may have 23 hours, and where midnight is skipped it starts after it.
    A shift of the clock within a bucket of elapsed time (half an hour, on Lord Howe) ends it. Raises BadRequest beyond 10,000 buckets.
    """
    first, last = from_ns // SECOND, -(-to_ns // SECOND)
    found: list[int] = []
    for edge in _ticks(zone, first, _ELAPSED_S[unit]) if unit in _ELAPSED_S else _walls(unit, zone, first):
        if not found or edge > found[-1]:  # a day that a place skipped has no length
            found.append(edge)
        if edge >= last:
            break
        if len(found) > MAX_BUCKETS:
            raise _too_many(unit)
    edges = np.array(found, np.int64)
    widths = np.diff(edges)
    slot = int(np.gcd.reduce(widths))
    if int(widths.sum()) // slot > MAX_SLOTS:
        raise _too_many(unit)
    if int(edges[0]) * SECOND < -(2**63) or int(edges[-1]) * SECOND >= 2**63:
        raise BadRequest(f"group_by: a {unit} of this window is outside what 64 bits of nanoseconds can say; narrow it with from and to")
    return Buckets(edges * SECOND, slot * SECOND, zone)


def name_of(ns: Nanos, zone: tzinfo) -> str:
    """RFC 3339 to the second with the offset of `zone`. In UTC where the offset has seconds, as before 1972: RFC 3339 cannot say it."""
    local = _local(ns // SECOND, zone)
    if _offset(zone, ns // SECOND) % 60:
        local = local.astimezone(UTC)
    return local.isoformat(timespec="seconds").replace("+00:00", "Z")


def day_of(ns: Nanos, zone: tzinfo) -> date:
    """The date that a calendar in `zone` shows."""
    return _local(ns // SECOND, zone).date()


def _too_many(unit: str) -> BadRequest:
    return BadRequest(
        f"group_by: the window has more than {MAX_BUCKETS:,} buckets of {unit}; narrow it with from and to, or take longer ones"
    )


def _local(second: int, zone: tzinfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).astimezone(zone)


def _offset(zone: tzinfo, second: int) -> int:
    offset = _local(second, zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _shift(zone: tzinfo, low: int, high: int) -> int:
    """The first second in (low, high] with the offset of `high`; they differ."""
    after = _offset(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(zone, middle) == after else (middle, high)
    return high


def _ticks(zone: tzinfo, first: int, step: int) -> Iterator[int]:
    """Edges from the one at or before `first`, where the local clock shows multiples of `step` or is shifted."""
    at = first - (first + _offset(zone, first)) % step
    if _offset(zone, at) != _offset(zone, first):
        at = _shift(zone, at, first)
    while True:
        yield at
        offset = _offset(zone, at)
        following = at + step - (at + offset) % step
        at = following if _offset(zone, following) == offset else _shift(zone, at, following)


def _walls(unit: str, zone: tzinfo, first: int) -> Iterator[int]:
    """Edges from the one at or before `first`, where the local calendar turns."""
    day = _local(first, zone).date()
    if unit == "month":
        day = day.replace(day=1)
    elif unit == "week":
        day -= timedelta(days=day.weekday())
    hours = (0, 6, 12, 18) if unit == "6h" else (0,)
    held: int | None = None
    while True:
        for hour in hours:
            edge = _instant(datetime(day.year, day.month, day.day, hour, tzinfo=zone))
            if held is not None and edge > first:
                yield held
            held = edge
        day = _next_month(day) if unit == "month" else day + timedelta(days=_DAYS.get(unit, 1))


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _instant(wall: datetime) -> int:
    """The second at which the clock first shows this time or, where it is skipped, anything later."""
    second = int((wall.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    zone = wall.tzinfo or UTC
    if _local(second, zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        return _shift(zone, second - 2 * 86_400, second)
    return second
