"""What can be set of prices: prices of one's own, which come before the table's, and another table."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fnmatch import translate
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from observatory.model.section import Section
from observatory.semconv.pricing.aliases import provider_name
from observatory.semconv.pricing.plan import Kind, Offer
from observatory.semconv.pricing.rates import Ladder, Price, rate_of
from observatory.semconv.pricing.table import nanoseconds

PER_MILLION = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "input_audio", "output_audio")


def _checked(text: str) -> str:
    if _is_expression(text):
        try:
            re.compile(text[1:-1])
        except re.error as error:
            raise ValueError(f"expected a glob or a regular expression between slashes ({error})") from None
    return text


Pattern = Annotated[str, AfterValidator(_checked)]
Usd = Annotated[Decimal, Field(ge=0, le=1_000_000)]


class _PerMillion(Section):
    input: Usd | None = None
    """Dollars for a million input tokens, as a number or, with any number of digits, as text. What is absent costs nothing."""

    output: Usd | None = None
    """Dollars for a million output tokens."""

    cache_read: Usd | None = None
    """Of input tokens read from the cache. Absent: as `input`."""

    cache_write: Usd | None = None
    """Of input tokens written to the cache. Absent: as `input`."""

    cache_write_1h: Usd | None = None
    """Of input tokens written to a cache that keeps them for an hour. Absent: as `cache_write`."""

    reasoning: Usd | None = None
    """Of output tokens that are reasoning. Absent: as `output`."""

    input_audio: Usd | None = None
    """Of input tokens that are sound. Absent: as `input`."""

    output_audio: Usd | None = None
    """Of output tokens that are sound. Absent: as `output`."""

    @model_serializer(mode="wrap")
    def _without_the_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # TOML has no null
        return {key.rstrip("_"): value for key, value in handler(self).items() if value is not None}


class PriceTier(_PerMillion):
    """Prices of larger requests: they hold for all tokens of a call."""

    above_input_tokens: int = Field(ge=0)
    """The tier is for calls with more input tokens than this, cached ones included."""


class PriceOverride(_PerMillion):
    """A price of one's own, `[[prices.override]]`. The first that fits a call comes before the table."""

    name: str = Field(min_length=1)
    """Says in the rows where their price comes from: `config:NAME`."""

    provider: Pattern = ""
    """The calls it is for: a glob, or a regular expression between slashes. Compared with the provider as reported and with the name it
    has in the table. Empty: any."""

    model: Pattern = ""
    """Likewise; compared with the response's model and the request's."""

    server_address: Pattern = ""
    """Likewise; compared with the host that was called."""

    from_: date | None = Field(default=None, alias="from")
    """First day (UTC) on which it holds. Absent: since ever."""

    to: date | None = None
    """First day (UTC) on which it holds no more. Absent: for ever."""

    per_request: Annotated[Decimal, Field(ge=0, le=100_000)] | None = None
    """Dollars for each call."""

    per_second: Annotated[Decimal, Field(ge=0, le=1_000)] | None = None
    """Dollars for each second that a call lasts, for models on machines of one's own."""

    free: bool = False
    """The calls cost nothing, and are not listed as unpriced."""

    tiers: tuple[PriceTier, ...] = ()
    """Other prices for larger requests."""

    @model_validator(mode="after")
    def _makes_sense(self) -> PriceOverride:
        if mistake := self._mistake():
            raise ValueError(f'override "{self.name}": {mistake}')
        return self

    def fits(self, kind: Kind) -> bool:
        """Whether it is for such calls."""
        providers = (kind.provider, provider_name(kind.provider)) if kind.provider else ()
        return (
            self._matches["provider"](providers)
            and self._matches["model"](tuple(model for model in (kind.model_name, kind.request_model) if model))
            and self._matches["server_address"]((kind.server_address,) if kind.server_address else ())
        )

    def offer(self) -> Offer:
        """What it charges, and when."""
        start = nanoseconds(self.from_) if self.from_ else None
        end = nanoseconds(self.to) if self.to else None
        price = self.price

        def holds(at: int) -> Price | None:
            return price if (start is None or at >= start) and (end is None or at < end) else None

        return Offer(f"config:{self.name}", holds, frozenset(moment for moment in (start, end) if moment is not None))

    @cached_property
    def price(self) -> Price:
        """What it charges."""
        ladders: dict[str, Ladder] = {}
        for unit in PER_MILLION:
            if (base := getattr(self, unit)) is not None:
                steps = [(tier.above_input_tokens, getattr(tier, unit)) for tier in self.tiers]
                ladders[unit] = tuple((above, rate_of(usd, 10**6)) for above, usd in ((-1, base), *steps) if usd is not None)
        if self.per_request is not None:
            ladders["request"] = ((-1, rate_of(self.per_request)),)
        if self.per_second is not None:
            ladders["nanosecond"] = ((-1, rate_of(self.per_second, 10**9)),)
        return Price(ladders, self.free)

    @cached_property
    def _matches(self) -> dict[str, Callable[[tuple[str | None, ...]], bool]]:
        return {key: _matcher(getattr(self, key)) for key in ("provider", "model", "server_address")}

    def _mistake(self) -> str | None:
        charged = [unit for unit in (*PER_MILLION, "per_request", "per_second") if getattr(self, unit) is not None]
        if not (self.provider or self.model or self.server_address):
            return 'say whose calls it is for: provider, model or server_address (model = "*" is every call)'
        if self.free and (charged or self.tiers):
            return f"free and {(charged or ['tiers'])[0]} exclude each other"
        if not self.free and not charged:
            return "say what it costs, or free = true"
        if self.from_ and self.to and self.to <= self.from_:
            return f"`to` is the first day on which it holds no more, so it must be after {self.from_}"
        above = [tier.above_input_tokens for tier in self.tiers]
        if above != sorted(set(above)):
            return "tiers must ascend by above_input_tokens"
        extra = [unit for unit in PER_MILLION if unit not in charged and any(getattr(tier, unit) is not None for tier in self.tiers)]
        return f"a tier has a price for {extra[0]}, so the entry itself needs one too" if extra else None


class PricesConfig(Section):
    """What calls of models cost. The bundled table knows some 2,300 models of 47 providers by date; `observatory prices list` shows it."""

    file: str = ""
    """A price table instead of the bundled one: what `observatory prices update` writes, or the data.json of genai-prices. Empty:
    `prices.json` in the data directory if there is one. A new file is taken within ten seconds; a broken one is refused, and what held
    before holds on."""

    override: tuple[PriceOverride, ...] = ()
    """Prices of one's own, `[[prices.override]]`: name, the calls they are for (provider, model, server_address: globs, or regular
    expressions between slashes), the days on which they hold (from, to), and dollars for a million tokens (input, output, cache_read,
    cache_write, cache_write_1h, reasoning, input_audio, output_audio), per_request, per_second, or free = true; tiers has the same for
    calls of more than above_input_tokens. The first that fits applies. See docs/PRICING.md."""

    @model_validator(mode="after")
    def _names_differ(self) -> PricesConfig:
        names = [override.name for override in self.override]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f'override "{twice}" is there twice; rows could not tell which priced them')
        return self


def _is_expression(text: str) -> bool:
    return len(text) > 2 and text.startswith("/") and text.endswith("/")


def _matcher(pattern: str) -> Callable[[tuple[str | None, ...]], bool]:
    if not pattern:
        return lambda texts: True
    if _is_expression(pattern):
        search = re.compile(pattern[1:-1], re.IGNORECASE).search
    else:
        search = re.compile(translate(pattern.strip().lower()), re.IGNORECASE).match
    return lambda texts: any(text and search(text) for text in texts)
