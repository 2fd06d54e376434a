"""The forecast: its interval holds as often as it says on histories of every kind, and it says so when it knows too little."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import duckdb
import numpy as np
import pytest
from calling import call, relations, rollups

from observatory.errors import BadRequest
from observatory.model.clock import SECOND
from observatory.query.buckets import zone_of
from observatory.query.forecast import Day, days_asked, expect, forecast, month_of, spend_days

TODAY = date(2026, 11, 20)  # a Friday


def at(day: date, hour: int = 12) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()) * SECOND


def days(costs: list[float], upto: date = TODAY) -> list[Day]:
    first = upto - timedelta(days=len(costs) - 1)
    return [Day(first + timedelta(days=n), Decimal(str(cost)), int(cost > 0), 0) for n, cost in enumerate(costs)]


@pytest.mark.parametrize("length", [10, 28, 56])
@pytest.mark.parametrize("kind", ["lognormal", "weekdays", "normal"])
def test_the_interval_holds_about_as_often_as_it_says(length, kind):
    random = np.random.default_rng(length)
    share = np.array([1.3, 1.3, 1.2, 1.2, 1.1, 0.3, 0.3]) if kind == "weekdays" else np.ones(7)
    held = 0
    for _ in range(120):
        dates = [TODAY - timedelta(days=length - n) for n in range(length + 11)]
        noise = random.lognormal(0, 0.5, len(dates)) if kind == "lognormal" else np.maximum(random.normal(1, 0.2, len(dates)), 0)
        costs = 40 * noise * share[[day.weekday() for day in dates]]
        said = expect(list(zip(dates[:length], costs[:length].tolist(), strict=True)), dates[length:])
        held += said.low <= costs[length:].sum() <= said.high
    assert 0.66 <= held / 120 <= 0.97  # it says 0.8; days of a short history show less scatter than there is


def test_a_weekday_is_expected_as_it_was():
    costs = [(TODAY - timedelta(days=n), 0.0 if (TODAY - timedelta(days=n)).weekday() >= 5 else 10.0) for n in range(56, 0, -1)]
    said = expect(costs, [TODAY, TODAY + timedelta(days=1)])
    assert said.days[0] > 9
    assert said.days[1] < 3


def test_even_days_make_an_exact_forecast():
    said = forecast(days([2.0] * 30 + [1.0]), date(2026, 11, 1), date(2026, 11, 30), at(TODAY), UTC)
    assert (said["spent_usd"], said["complete"], said["reason"]) == ("39", False, None)
    assert said["forecast"] == {"total_usd": "60.00", "low_usd": "60.00", "high_usd": "60.00", "interval": 0.8}
    assert said["trend"] == {"last_7_days_usd": "14", "previous_7_days_usd": "14", "change": 0.0}
    assert [day["date"] for day in said["days"]] == [f"2026-11-{n:02d}" for n in range(1, 31)]
    assert said["days"][19] == {"date": "2026-11-20", "spent_usd": "1", "calls": 1, "unpriced_calls": 0, "expected_usd": "2.00"}
    assert said["days"][20] == {"date": "2026-11-21", "spent_usd": None, "expected_usd": "2.00"}


@pytest.mark.parametrize("known", [0, 1, 2])
def test_two_days_are_no_history(known):
    said = forecast(days([0.0] * 20 + [5.0] * known + [3.0]), date(2026, 11, 1), date(2026, 11, 30), at(TODAY), UTC)
    assert said["forecast"] is None
    assert said["reason"] == f"a forecast needs 3 complete days with calls before it; there are {known}"
    assert said["history_days"] == known


def test_days_before_the_first_call_are_no_history():
    said = forecast(days([0.0] * 40 + [5.0] * 4 + [0.0]), date(2026, 11, 1), date(2026, 11, 30), at(TODAY, 0), UTC)
    assert (said["history_days"], said["forecast"]["total_usd"]) == (4, "75.00")


def test_a_month_that_is_over_is_told_and_not_forecast():
    first, last = month_of("2026-10", at(TODAY), UTC)
    assert days_asked(first, last, TODAY) == (first, last)
    said = forecast(days([1.0] * 31, last), first, last, at(TODAY), UTC)
    assert (said["complete"], said["spent_usd"], said["forecast"], said["reason"]) == (True, "31", None, "the month is over")
    assert days_asked(date(2026, 11, 1), date(2026, 11, 30), TODAY) == (date(2026, 9, 25), TODAY)


@pytest.mark.parametrize("month", ["2026-12", "2026-13", "november", "1969-01"])
def test_a_month_that_cannot_be_told_is_refused(month):
    with pytest.raises(BadRequest, match="month: "):
        month_of(month, at(TODAY), UTC)


def test_days_are_of_the_calendar_of_the_place():
    zone = zone_of("Asia/Kolkata")
    midnight = int(datetime(2026, 11, 20, tzinfo=zone).timestamp()) * SECOND
    calls = [
        call(1, start_ns=midnight - 1, cost=Decimal(3)),
        call(2, start_ns=midnight, cost=Decimal(6)),
        call(3, start_ns=midnight, cost=None),
    ]
    con = duckdb.connect(config={"threads": 1})
    relations(con, calls, rollups(calls, Random(1)))
    found = spend_days(con, zone, date(2026, 11, 18), date(2026, 11, 20))
    assert [(day.date.day, day.total_cost_usd, day.calls, day.unpriced_calls) for day in found] == [
        (18, 0, 0, 0),
        (19, 3, 1, 0),
        (20, 6, 2, 1),
    ]
