"""Law: a bucket of time is what the calendar of the place says, by the independent tables and rules of ICU."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import numpy as np
import pytest
from hypothesis import given, strategies as st

from observatory.errors import BadRequest
from observatory.model.clock import SECOND
from observatory.query.buckets import UNITS, buckets, name_of, zone_of

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "America/Havana", "America/Santiago",
    "Australia/Adelaide", "Pacific/Chatham", "Asia/Beirut", "America/Asuncion", "Africa/Cairo",
]  # fmt: skip
HOUR = 3600 * SECOND
STEPS = {"minute": "1 minute", "5m": "5 minutes", "15m": "15 minutes", "hour": "1 hour"}


@pytest.fixture(scope="module")
def icu() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as con:
        yield con


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


def names(unit: str, zone: str, from_: str, to: str) -> list[str]:
    return buckets(unit, zone_of(zone), at(from_), at(to)).names()


@given(
    st.sampled_from(ZONES),
    st.sampled_from([unit for unit in UNITS if unit != "6h"]),
    st.integers(at("1995-01-01T00:00:00Z") // SECOND, at("2037-01-01T00:00:00Z") // SECOND),
)
def test_the_first_bucket_holds_the_instant_and_starts_where_icu_says(icu, zone, unit, second):
    icu.execute(f"SET TimeZone = '{zone}'")
    found = buckets(unit, zone_of(zone), second * SECOND, second * SECOND + 1)
    assert len(found) == 1
    assert found.edges[0] <= second * SECOND < found.edges[1]
    said = icu.sql("SELECT epoch_ns(date_trunc($unit, to_timestamp($s)))", params={"unit": _whole(unit), "s": second}).fetchall()[0][0]
    if said > second * SECOND:  # of an hour that the clock shows twice ICU takes the second one, also for times in the first
        said -= HOUR
    if unit in STEPS and unit not in ("minute", "hour"):
        assert 0 <= (int(found.edges[0]) - said) // SECOND < 3600
        assert (int(found.edges[0]) - said) % (int(unit[:-1]) * 60 * SECOND) == 0
    else:
        assert found.edges[0] == said


def _whole(unit: str) -> str:
    return "hour" if unit in ("5m", "15m") else unit


@given(st.sampled_from([*ZONES, "Australia/Lord_Howe"]), st.sampled_from(UNITS), st.integers(0, 2 * 10**9), st.integers(1, 400))
def test_buckets_follow_each_other_without_a_gap_and_every_time_finds_its_own(zone, unit, second, length):
    span = length * (60 if unit == "minute" else 3600)
    found = buckets(unit, zone_of(zone), second * SECOND, (second + span) * SECOND)
    assert found.edges[0] <= second * SECOND
    assert found.edges[-2] < (second + span) * SECOND <= found.edges[-1]
    assert (np.diff(found.edges) > 0).all()
    assert not ((found.edges - found.edges[0]) % found.slot_ns).any()
    nth = found.table().column("nth").to_numpy()
    times = np.linspace(second, second + span - 1, 50).astype(np.int64) * SECOND
    assert (nth[(times - found.edges[0]) // found.slot_ns] == np.searchsorted(found.edges, times, side="right") - 1).all()
    assert len(set(found.names())) == len(found)


def test_a_day_of_23_and_of_25_hours():
    assert names("day", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z") == [
        "2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00",
    ]  # fmt: skip
    found = buckets("day", zone_of("Europe/Berlin"), at("2026-03-29T00:00:00+01:00"), at("2026-10-26T00:00:00+01:00"))
    assert (np.diff(found.edges)[[0, -1]] // HOUR).tolist() == [23, 25]
    assert len(buckets("hour", zone_of("Europe/Berlin"), *(int(edge) for edge in found.edges[-2:]))) == 25


def test_the_hour_that_a_clock_shows_twice_is_two_buckets():
    assert names("hour", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z") == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]


def test_a_place_half_an_hour_apart():
    assert names("hour", "Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z") == [
        "2026-01-01T05:00:00+05:30",
        "2026-01-01T06:00:00+05:30",
    ]
    assert names("15m", "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z") == ["2026-01-01T05:45:00+05:45"]


def test_a_shift_of_half_an_hour_ends_a_bucket():
    # Lord Howe: 2026-04-05 at 02:00 +11 the clock goes back to 01:30 +10:30
    assert names("hour", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:30:00Z") == [
        "2026-04-05T01:00:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30",
    ]  # fmt: skip


def test_a_day_that_a_place_skipped_is_no_bucket():
    assert names("day", "Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00") == [
        "2011-12-29T00:00:00-10:00",
        "2011-12-31T00:00:00+14:00",
    ]


def test_six_hours_of_the_wall_clock():
    found = buckets("6h", zone_of("America/New_York"), at("2026-03-08T00:00:00-05:00"), at("2026-03-09T00:00:00-04:00"))
    assert (np.diff(found.edges) // HOUR).tolist() == [5, 6, 6, 6]


def test_weeks_start_on_monday_and_months_on_the_first():
    assert names("week", "UTC", "2026-01-01T00:00:00Z", "2026-01-06T00:00:00Z") == ["2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"]
    assert names("month", "UTC", "2025-12-31T00:00:00Z", "2026-01-01T00:00:01Z") == ["2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"]


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(BadRequest, match=r"more than 10,000 buckets of minute"):
        buckets("minute", UTC, 0, 86_400 * 365 * SECOND)
    with pytest.raises(BadRequest, match="group_by"):
        buckets("minute", UTC, -(2**63), 2**63 - 1)
    with pytest.raises(BadRequest, match="outside what 64 bits"):
        buckets("month", UTC, -(2**63), -(2**63) + 1)
    with pytest.raises(BadRequest, match="tz: expected a time zone"):
        zone_of("Mars/Olympus")
    with pytest.raises(BadRequest, match="tz"):
        zone_of("../../etc/passwd")


def test_an_offset_with_seconds_is_said_in_utc():
    assert name_of(at("1900-01-01T00:00:00Z"), zone_of("Europe/Amsterdam")).endswith("Z")
