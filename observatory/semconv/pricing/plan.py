"""Which price applies when: what was found for one kind of call, laid out so that a whole column of start times is answered at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from observatory.semconv.pricing.rates import ATTO_PER_PICO, TOKEN_UNITS, UNITS, Price
from observatory.semconv.pricing.table import DAY_NS


class Kind(NamedTuple):
    """What decides which price applies, beside the time; each as reported."""

    provider: str | None
    model_name: str | None
    request_model: str | None
    server_address: str | None
    service_tier: str | None


_NEVER = np.iinfo(np.int64).max
_NANOSECOND = UNITS.index("nanosecond")
_NOTHING = (0,) * len(UNITS)


@dataclass(frozen=True, slots=True)
class Offer:
    """A source of prices for one kind of call. `price` gives what holds at a moment, None when the source has nothing to say then."""

    source: str
    price: Callable[[int], Price | None]
    moments: frozenset[int] = frozenset()  # nanoseconds at which another price may begin
    times: frozenset[int] = frozenset()  # the same by time of day


@dataclass(frozen=True, slots=True)
class Sheet:
    """One price with its source: its steps by input tokens, and a row of rates for each."""

    source: str
    usable: bool
    needs_usage: bool
    steps: tuple[int, ...]
    whole: tuple[tuple[int, ...], ...]  # len(steps) + 1 rows of the rates of UNITS, in 10^-12 dollars
    fraction: tuple[tuple[int, ...], ...]  # and what remains, in 10^-21
    highest_of_tokens: int  # of the rates in 10^-12 dollars, rounded up: what tells a cost that no 64 bits hold
    highest_of_time: int

    @staticmethod
    def of(source: str, price: Price) -> Sheet:
        """Lays out a price."""
        steps = price.steps()
        rates = [price.rates(above) for above in (-1, *steps)]
        whole = tuple(tuple(rate // ATTO_PER_PICO for rate in row) for row in rates)
        fraction = tuple(tuple(rate % ATTO_PER_PICO for rate in row) for row in rates)
        tokens = max(max(row[: len(TOKEN_UNITS)]) for row in whole) + 1
        return Sheet(source, price.known, price.needs_usage, steps, whole, fraction, tokens, max(row[_NANOSECOND] for row in whole) + 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """For one kind of call: `grid[date, time]` is a position in `sheets`, or -1 where nothing is offered.

    `dates` are moments and `times` times of a day, ascending; between two of them the price is the same.
    """

    sheets: Sequence[Sheet]
    dates: np.ndarray
    times: np.ndarray
    grid: np.ndarray

    @staticmethod
    def of(offers: Sequence[Offer]) -> Plan:
        """The first offer that has a price at a moment applies then."""
        dates = sorted({moment for offer in offers for moment in offer.moments})
        times = sorted({time for offer in offers for time in offer.times} - {0})
        sheets: dict[Sheet, int] = {}
        days = [dates[0] - DAY_NS, *dates] if dates else [0]
        grid = [[_position(offers, day + time, sheets) for time in (0, *times)] for day in days]
        if len({position for row in grid for position in row}) == 1:
            dates, times, grid = [], [], [grid[0][:1]]
        return Plan(list(sheets), np.array(dates, np.int64), np.array(times, np.int64), np.array(grid, np.int64))

    def among(self, earliest: int, latest: int) -> Plan:
        """The plan for starts in that range only; nearly always one price is left, and no row needs to be looked at."""
        if not len(self.dates):
            return self
        low, high = np.searchsorted(self.dates, (earliest, latest), "right")
        if low == 0 and high == len(self.dates):
            return self
        return Plan(self.sheets, self.dates[low:high], self.times, self.grid[low : high + 1])

    def at(self, start_ns: np.ndarray) -> np.ndarray:
        """The position of the sheet for each start."""
        day = np.searchsorted(self.dates, start_ns, "right")
        return self.grid[day, np.searchsorted(self.times, start_ns % DAY_NS, "right") if len(self.times) else 0]


class Book:
    """The sheets of many plans side by side, as arrays to take rows from. The last sheet is nobody's: no price."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        sheets = [sheet for plan in plans for sheet in plan.sheets]
        self.first = np.cumsum([0, *(len(plan.sheets) for plan in plans)])  # of each plan; the last is nobody's
        self.sources = [sheet.source for sheet in sheets]
        self.usable = np.array([*(sheet.usable for sheet in sheets), False])
        self.needs_usage = np.array([*(sheet.needs_usage for sheet in sheets), False])
        self.row = np.cumsum([0, *(len(sheet.whole) for sheet in sheets)])  # of each sheet's rates without a step
        depth = max((len(sheet.steps) for sheet in sheets), default=0)
        self.steps = np.full((depth, len(sheets) + 1), _NEVER, np.int64)
        for i, sheet in enumerate(sheets):
            self.steps[: len(sheet.steps), i] = sheet.steps
        # transposed, so that what is taken from lies close together
        self.whole = np.array([*(row for sheet in sheets for row in sheet.whole), _NOTHING], np.int64).T.copy()
        self.fraction = np.array([*(row for sheet in sheets for row in sheet.fraction), _NOTHING], np.int64).T.copy()
        self.highest_of_tokens = np.array([*(sheet.highest_of_tokens for sheet in sheets), 1], np.int64)
        self.highest_of_time = np.array([*(sheet.highest_of_time for sheet in sheets), 1], np.int64)


def _position(offers: Sequence[Offer], at: int, sheets: dict[Sheet, int]) -> int:
    for offer in offers:
        if (price := offer.price(at)) is not None:
            return sheets.setdefault(Sheet.of(offer.source, price), len(sheets))
    return -1
