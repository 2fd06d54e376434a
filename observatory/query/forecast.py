"""What a month will have cost: what was spent, and what the days left will cost by the days before, with an honest interval.

Method. The history is the complete days before today, at most 56, from the first with a call. A day is expected to cost the level times the
share of its weekday once every weekday was seen twice. The level is what days cost per share, recent days weighing more (half as much every
14 days earlier). Around that, days scatter as they did: each of 2,000 futures draws a history of such days, fits it again, and draws the
days to come, so the interval has both the scatter and what is not known of the level. It holds four out of five months that go on as the
history did; a price change or a new application is not in it.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np

from observatory.errors import BadRequest
from observatory.model.clock import SECOND, Nanos
from observatory.query.buckets import Buckets, buckets, day_of
from observatory.query.llm_figures import usd_text
from observatory.query.named import named

HISTORY_DAYS = 56
FEWEST_DAYS = 3
LEVEL = 0.8  # of the interval
METHOD = (
    "weekday-aware mean of up to 56 complete days, recent days weighing more; "
    "the interval is that of 2,000 futures drawn from how those days scattered"
)
_WEEKDAY_DAYS = 14
_HALF_LIFE_DAYS = 14.0
_FUTURES = 2_000
_PRIOR_DAYS = 2.0  # a weekday's share is drawn towards 1 as if two more such days had been ordinary


@dataclass(frozen=True, slots=True)
class Day:
    """What one day cost."""

    date: date
    total_cost_usd: Decimal
    calls: int
    unpriced_calls: int


@dataclass(frozen=True, slots=True)
class Expected:
    """Dollars that days to come cost: each of them, and the sum with the interval of `LEVEL`."""

    days: list[float]
    total: float
    low: float
    high: float


def spend_days(con: duckdb.DuckDBPyConnection, zone: tzinfo, first: date, upto: date) -> list[Day]:
    """Every day from `first` to `upto`, both included, asked on a connection that has `llm_rollups`."""
    days = calendar_days(zone, first, upto)
    con.register("slots", days.table())
    values = {"first_ns": int(days.edges[0]), "end_ns": int(days.edges[-1]), "slot_ns": days.slot_ns}
    rows = {row["nth"]: row for row in con.sql(named("llm_days"), params=values).to_arrow_table().to_pylist()}
    found = []
    for nth, edge in enumerate(days.edges[:-1]):
        row = rows.get(nth) or {"total_cost_usd": Decimal(0), "calls": 0, "unpriced_calls": 0}
        found.append(Day(day_of(int(edge), zone), row["total_cost_usd"], row["calls"], row["unpriced_calls"]))
    return found


def calendar_days(zone: tzinfo, first: date, upto: date) -> Buckets:
    """The days from `first` to `upto` of a place."""
    low = datetime(first.year, first.month, first.day, 12, tzinfo=zone)
    high = datetime(upto.year, upto.month, upto.day, 12, tzinfo=zone)
    return buckets("day", zone, _ns(low), _ns(high))


def month_of(text: str | None, now: Nanos, zone: tzinfo) -> tuple[date, date]:
    """First and last day of a month written as 2026-01, of that of `now` without one. Raises BadRequest, also for one that is to come."""
    today = day_of(now, zone)
    first = today.replace(day=1)
    if text is not None:
        try:
            first = date.fromisoformat(f"{text}-01")
        except ValueError:
            raise BadRequest(f"month: expected a month such as {today:%Y-%m}, got {text[:60]!r}") from None
        if first > today:
            raise BadRequest(f"month: {text} is to come; what is known ends with {today:%Y-%m}")
        if first.year < 1970:
            raise BadRequest(f"month: {text} is before 1970")
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def days_asked(first: date, last: date, today: date) -> tuple[date, date]:
    """The first and the last day that are asked for: of a month that is over its own, else the history up to today."""
    return (first, last) if last < today else (min(first, today - timedelta(days=HISTORY_DAYS)), today)


def forecast(days: Sequence[Day], first: date, last: date, now: Nanos, zone: tzinfo) -> dict[str, Any]:
    """What is said of the month from `first` to `last`, given the days of `days_asked`."""
    today = day_of(now, zone)
    month = [day for day in days if first <= day.date <= min(last, today)]
    spent = sum((day.total_cost_usd for day in month), Decimal(0))
    history = [] if last < today else _history(days, today)
    said: dict[str, Any] = {
        "month": f"{first:%Y-%m}",
        "complete": last < today,
        "spent_usd": usd_text(spent),
        "calls": sum(day.calls for day in month),
        "unpriced_calls": sum(day.unpriced_calls for day in month),
        "trend": _trend(history),
        "forecast": None,
        "reason": None,
        "method": METHOD,
        "history_days": len(history),
        "days": [_told(day) for day in month],
    }
    if last < today:
        return said | {"reason": "the month is over"}
    if len(history) < FEWEST_DAYS:
        return said | {"reason": f"a forecast needs {FEWEST_DAYS} complete days with calls before it; there are {len(history)}"}
    coming = [today + timedelta(days=n) for n in range((last - today).days + 1)]
    left = _left_of_today(now, today, zone)
    expected = expect([(day.date, float(day.total_cost_usd)) for day in history], coming, left)
    money = float(spent)
    said["forecast"] = {
        "total_usd": _cents(money + expected.total),
        "low_usd": _cents(money + expected.low),
        "high_usd": _cents(money + expected.high),
        "interval": LEVEL,
    }
    for coming_day, cost in zip(coming, expected.days, strict=True):
        if coming_day == today and month:
            month_day = said["days"][-1]
            month_day["expected_usd"] = _cents(float(month[-1].total_cost_usd) + cost)
        else:
            said["days"].append({"date": coming_day.isoformat(), "spent_usd": None, "expected_usd": _cents(cost)})
    return said


def expect(history: Sequence[tuple[date, float]], coming: Sequence[date], left_of_first: float = 1.0) -> Expected:
    """What the days to come cost by the complete days before, oldest first; of the first to come only a share is left. Deterministic."""
    costs = np.array([cost for _, cost in history])
    weekdays = np.array([day.weekday() for day, _ in history])
    ahead = np.array([day.weekday() for day in coming])
    portion = np.ones(len(coming))
    portion[0] = left_of_first
    level, share = _fit(costs[None, :], weekdays)
    fitted = level[:, None] * share[:, weekdays]
    scatter = (costs - fitted[0]) * _spread(len(costs))
    random = np.random.default_rng(len(costs))
    drawn = np.maximum(fitted + random.choice(scatter, (_FUTURES, len(costs))), 0)
    levels, shares = _fit(drawn, weekdays)
    means = levels[:, None] * shares[:, ahead] * portion
    futures = np.maximum(means + random.choice(scatter, (_FUTURES, len(coming))) * np.sqrt(portion), 0).sum(axis=1)
    days = level[0] * share[0, ahead] * portion
    low, high = np.quantile(futures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    total = float(days.sum())
    return Expected(days.tolist(), total, min(float(low), total), max(float(high), total))


def _spread(days: int) -> float:
    """How much wider than around what was fitted to them days scatter: each thing fitted takes one of them."""
    each = days / 7
    fitted = 1 + (6 * each / (each + _PRIOR_DAYS) if days >= _WEEKDAY_DAYS else 0)
    return float(np.sqrt(days / (days - fitted)))


def _fit(costs: np.ndarray, weekdays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The level of each row of daily costs, and its share of every weekday (7 columns)."""
    age = np.arange(costs.shape[1])[::-1]
    weight = 0.5 ** (age / _HALF_LIFE_DAYS)
    share = np.ones((len(costs), 7))
    if costs.shape[1] >= _WEEKDAY_DAYS:
        mean = costs.mean(axis=1)
        for weekday in range(7):
            mine = costs[:, weekdays == weekday]
            share[:, weekday] = (mine.sum(axis=1) + _PRIOR_DAYS * mean) / np.maximum((mine.shape[1] + _PRIOR_DAYS) * mean, 1e-300)
        share[mean <= 0] = 1
    return (weight * costs).sum(axis=1) / np.maximum((weight * share[:, weekdays]).sum(axis=1), 1e-300), share


def _history(days: Sequence[Day], today: date) -> list[Day]:
    """Complete days, from the first with a call; before it nothing was measured, which is not the same as nothing spent."""
    before = [day for day in days if today - timedelta(days=HISTORY_DAYS) <= day.date < today]
    first = next((number for number, day in enumerate(before) if day.calls), len(before))
    return before[first:]


def _trend(history: Sequence[Day]) -> dict[str, Any] | None:
    """The last seven complete days beside the seven before; None until there are both."""
    if len(history) < 14:
        return None
    last = sum((day.total_cost_usd for day in history[-7:]), Decimal(0))
    before = sum((day.total_cost_usd for day in history[-14:-7]), Decimal(0))
    change = None if not before else float(last / before) - 1
    return {"last_7_days_usd": usd_text(last), "previous_7_days_usd": usd_text(before), "change": change}


def _left_of_today(now: Nanos, today: date, zone: tzinfo) -> float:
    edges = calendar_days(zone, today, today).edges
    return float(edges[1] - now) / float(edges[1] - edges[0])


def _told(day: Day) -> dict[str, Any]:
    unknown = day.unpriced_calls and not day.total_cost_usd
    return {
        "date": day.date.isoformat(),
        "spent_usd": None if unknown else usd_text(day.total_cost_usd),
        "calls": day.calls,
        "unpriced_calls": day.unpriced_calls,
        "expected_usd": None,
    }


def _cents(dollars: float) -> str:
    """An estimate has no more digits than it is worth: six of them below a dollar, cents above."""
    return f"{dollars:.2f}" if dollars >= 1 else f"{dollars:.6f}"


def _ns(time: datetime) -> Nanos:
    return int((time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * SECOND
