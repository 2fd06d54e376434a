"""Unit prices: exact numbers, what stands in for an absent one, and what a call's units cost, in columns.

A rate is a whole number of 10^-21 dollars for one unit (token, request, nanosecond), so that a price per million tokens keeps 15 digits
behind the point. A cost is `count × rate`, rounded half up to 10^-12 dollars; prices with up to six digits per million tokens, which are
all but a few, need no rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

ATTO_PER_PICO = 10**9
"""Rates are kept in 10^-21 dollars, costs in 10^-12."""

TOKEN_UNITS = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "input_audio",
    "cache_audio_read",
    "output",
    "reasoning",
    "output_audio",
)
UNITS = (*TOKEN_UNITS, "request", "nanosecond")

Ladder = tuple[tuple[int, int], ...]
"""A rate by size of the request: `(above, rate)`, ascending. The first is `(-1, base)`; the last whose `above` is below the call's input
tokens holds for all of its tokens."""

STANDS_IN = {
    "cache_read": ("input",),
    "cache_write": ("input",),
    "cache_write_1h": ("cache_write", "input"),
    "input_audio": ("input",),
    "cache_audio_read": ("cache_read", "input_audio", "input"),
    "reasoning": ("output",),
    "output_audio": ("output",),
}
"""Whose rate a unit has when it has none of its own: what no price tells apart is billed as what it is part of."""


@dataclass(frozen=True, slots=True)
class Price:
    """What is charged, by unit. `free`: nothing, and that is known. A price without any unit says that the price is not known."""

    ladders: Mapping[str, Ladder]
    free: bool = False

    @property
    def known(self) -> bool:
        """Whether the units that spans report have a price at all; a transcription billed by the hour of sound has none."""
        return self.free or bool(self.ladders)

    @property
    def needs_usage(self) -> bool:
        """Whether the cost depends on tokens; a price by request or by second does not."""
        return any(rate for unit in TOKEN_UNITS for _, rate in self.ladders.get(unit, ()))

    def ladder(self, unit: str) -> Ladder:
        """The unit's own, else of what stands in for it, else zero."""
        for name in (unit, *STANDS_IN.get(unit, ())):
            if name in self.ladders:
                return self.ladders[name]
        return ((-1, 0),)

    def updated(self, other: Mapping[str, Ladder]) -> Price:
        """With some units' prices replaced, as a service tier does."""
        return Price({**self.ladders, **other}, self.free and not other)

    def steps(self) -> tuple[int, ...]:
        """The sizes of input above which another rate holds, ascending."""
        return tuple(sorted({above for unit in UNITS for above, _ in self.ladder(unit) if above >= 0}))

    def rates(self, above: int) -> list[int]:
        """The rate of each of UNITS for a call just above that many input tokens."""
        return [[rate for step, rate in self.ladder(unit) if step <= above][-1] for unit in UNITS]


def rate_of(usd: Decimal, units: int = 1) -> int:
    """A price in dollars for so many units as a rate; digits beyond 10^-21 dollars a unit are rounded half to even."""
    return int((usd * 10**21 / units).to_integral_value())


def cost(count: np.ndarray, whole: np.ndarray, fraction: np.ndarray | None) -> np.ndarray:
    """`count × rate` in 10^-12 dollars: int64 each, `count` not negative, `rate = whole + fraction / 10^9`; None: no rate has a fraction.

    In 64 bits without overflow whenever the result fits: the count's billions and the rest are multiplied apart.
    """
    if fraction is None:
        return count * whole
    billions, rest = np.divmod(count, ATTO_PER_PICO)
    return count * whole + billions * fraction + (rest * fraction + ATTO_PER_PICO // 2) // ATTO_PER_PICO
