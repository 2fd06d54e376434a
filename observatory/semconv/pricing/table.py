"""The compiled price table: providers, their models, and each model's prices by date, time of day and service tier.

    {"format": 1, "source": "genai-prices 0.2.3", "notice": "…", "providers": [
      {"id": "openai", "name": "OpenAI", "api": "https://api\\.openai\\.com", "provider": CLAUSE, "model": CLAUSE, "fallback": ["…"],
       "models": [
        {"id": "o3", "match": CLAUSE, "also": ["web_searches"],
         "prices": [{"price": PRICE}, {"from": "2025-06-10", "price": PRICE}, {"daily": ["16:30", "00:30"], "price": PRICE}],
         "variants": [{"when": {"service_tier": "flex"}, "from": "2026-10-12", "price": PRICE}]}]}]}

`CLAUSE` is of `clauses.py`. `PRICE` is `{"free": true}` or `{unit: RATE}` by the names of `rates.UNITS`; `{}` says that no price is known.
`RATE` is `NUMBER` or a ladder `[NUMBER, [above_input_tokens, NUMBER], …]`; `NUMBER` is a whole number of 10^-12 dollars for one unit, or
a decimal as text. Of `prices` the last that is active at the call's start applies, if none is active the first; of `variants` the first
that is active and whose context fits, for each unit apart. Dates are days of UTC, times of day UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from observatory.semconv.pricing import clauses
from observatory.semconv.pricing.rates import ATTO_PER_PICO, UNITS, Ladder, Price

FORMAT = 1
DAY_NS = 86_400 * 10**9
_UNIX = date(1970, 1, 1).toordinal()
_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")
_MOST = 9 * 10**18  # a rate must fit 64 bits after the division by 10^9


@dataclass(frozen=True, slots=True)
class Dated:
    """A price and when it holds: from a day on, and between two times of a day (which may pass midnight); nanoseconds, UTC."""

    price: Price
    from_ns: int | None = None
    daily_ns: tuple[int, int] | None = None
    when: Mapping[str, str] = field(default_factory=dict)  # of a variant: the context it is for

    def active(self, at: int) -> bool:
        """Whether it holds for a call that started `at` nanoseconds."""
        if self.from_ns is not None and at < self.from_ns:
            return False
        if self.daily_ns is None:
            return True
        start, end = self.daily_ns
        time = at % DAY_NS
        return time >= start or time < end if end < start else start <= time < end

    def fits(self, context: Mapping[str, str]) -> bool:
        """Whether a variant is for such a context."""
        return all(context.get(key) == value for key, value in self.when.items())


@dataclass(frozen=True, slots=True)
class Model:
    """A model of one provider. `also`: units that are charged for and that spans do not report."""

    id: str
    prices: Sequence[Dated]
    variants: Sequence[Dated] = ()
    also: Sequence[str] = ()

    def price(self, at: int, context: Mapping[str, str]) -> Price:
        """What holds at a moment in a context such as `{"service_tier": "flex"}`."""
        standard = next((dated.price for dated in reversed(self.prices) if dated.active(at)), self.prices[0].price)
        changed: dict[str, Ladder] = {}
        for variant in self.variants:
            if variant.active(at) and variant.fits(context):
                changed = {**variant.price.ladders, **changed}
        return standard.updated(changed) if changed else standard

    def dated(self, context: Mapping[str, str]) -> list[Dated]:
        """Everything that has a say in a context."""
        return [*self.prices, *(variant for variant in self.variants if variant.fits(context))]


@dataclass(frozen=True)
class Provider:
    """Who bills: how it is recognised, its models, and whose models it serves as well."""

    id: str
    name: str
    api: re.Pattern[str] | None
    provider_match: clauses.Match | None
    model_match: clauses.Match | None
    fallback: Sequence[str]
    models: Sequence[Model]
    model_clauses: Sequence[Any]

    @cached_property
    def _index(self) -> tuple[dict[str, int], list[tuple[int, clauses.Match]]]:
        equal: dict[str, int] = {}
        others = []
        for position, clause in enumerate(self.model_clauses):
            texts, rest = clauses.alternatives(clause)
            for text in texts:
                equal.setdefault(text, position)
            if rest:
                others.append((position, clauses.compiled(rest, "match")))
        return equal, others

    def find(self, model: str) -> Model | None:
        """The first model of the list that a name in lower case means."""
        equal, others = self._index
        best = equal.get(model, len(self.models))
        for position, matches in others:
            if position >= best:
                break
            if matches(model):
                best = position
        return self.models[best] if best < len(self.models) else None


@dataclass(frozen=True)
class Table:
    """The whole of it, immutable."""

    source: str
    notice: str
    providers: Sequence[Provider]

    @cached_property
    def by_id(self) -> dict[str, Provider]:
        """Providers by their ids."""
        return {provider.id: provider for provider in self.providers}

    def provider(self, name: str) -> Provider | None:
        """Of a provider's name in lower case."""
        if name in self.by_id:
            return self.by_id[name]
        return next((p for p in self.providers if p.provider_match and p.provider_match(name)), None)

    def provider_of_host(self, address: str) -> Provider | None:
        """Of the address that was called: a host, or a URL."""
        url = address if "://" in address else f"https://{address}/"
        return next((p for p in self.providers if p.api and p.api.match(url)), None)

    def provider_of_model(self, model: str) -> Provider | None:
        """Of a model's name in lower case, when nothing else is known."""
        return next((p for p in self.providers if p.model_match and p.model_match(model)), None)

    def model(self, provider: Provider, name: str) -> tuple[Provider, Model] | None:
        """A provider's model by a name in lower case, with the provider whose list it is in: its own or one it falls back to."""
        spellings = dict.fromkeys((name, _COMPACT_DATE.sub(r"-\1-\2-\3", name)))
        for spelling in spellings:
            for owner in (provider, *(self.by_id[id] for id in provider.fallback if id in self.by_id)):
                if found := owner.find(spelling):
                    return owner, found
        return None


def parsed(text: str | bytes) -> Table:
    """A table from its JSON. Raises ValueError that names the place where it is not as described above."""
    raw = json.loads(text)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ValueError(f"expected a price table of format {FORMAT}")
    source, notice = _text(raw, "source", "source"), _text(raw, "notice", "notice")
    rows = _list(raw, "providers", "providers")
    providers = [_provider(row, f"providers.{i}") for i, row in enumerate(rows)]
    if not providers:
        raise ValueError("providers: there are none")
    if len({provider.id for provider in providers}) < len(providers):
        raise ValueError("providers: two have the same id")
    return Table(source, notice, providers)


def nanoseconds(day: date) -> int:
    """The start of a day of UTC."""
    return (day.toordinal() - _UNIX) * DAY_NS


def _provider(raw: Any, path: str) -> Provider:
    id = _text(raw, "id", f"{path}.id")
    path = f"providers.{id}"
    models = _list(raw, "models", f"{path}.models")
    match = [model.get("match") if isinstance(model, dict) else None for model in models]
    for i, clause in enumerate(match):
        clauses.compiled(clause, f"{path}.models.{i}.match")
    return Provider(
        id,
        _text(raw, "name", f"{path}.name"),
        _pattern(raw["api"], f"{path}.api") if raw.get("api") else None,
        clauses.compiled(raw["provider"], f"{path}.provider") if "provider" in raw else None,
        clauses.compiled(raw["model"], f"{path}.model") if "model" in raw else None,
        _texts(raw.get("fallback", []), f"{path}.fallback"),
        [_model(model, f"{path}.models.{i}") for i, model in enumerate(models)],
        match,
    )


def _model(raw: Any, path: str) -> Model:
    id = _text(raw, "id", f"{path}.id")
    path = f"{path.rpartition('.')[0]}.{id}"
    prices = [_dated(row, f"{path}.prices.{i}") for i, row in enumerate(_list(raw, "prices", f"{path}.prices"))]
    if not prices:
        raise ValueError(f"{path}.prices: there are none")
    variants = [_dated(row, f"{path}.variants.{i}") for i, row in enumerate(_list({"variants": [], **raw}, "variants", path))]
    return Model(id, prices, variants, _texts(raw.get("also", []), f"{path}.also"))


def _dated(raw: Any, path: str) -> Dated:
    if not isinstance(raw, dict) or raw.keys() - {"from", "daily", "when", "price"}:
        raise ValueError(f"{path}: expected price, from, daily, when")
    when = raw.get("when", {})
    if not (isinstance(when, dict) and all(isinstance(value, str) for value in when.values())):
        raise ValueError(f"{path}.when: expected names and texts, got {when!r}")
    daily = _texts(raw.get("daily", []), f"{path}.daily")
    if len(daily) not in (0, 2):
        raise ValueError(f"{path}.daily: expected two times of day, got {raw['daily']!r}")
    try:
        from_ns = nanoseconds(date.fromisoformat(_text(raw, "from", f"{path}.from"))) if "from" in raw else None
        times = (_time(daily[0]), _time(daily[1])) if daily else None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return Dated(_price(raw.get("price"), f"{path}.price"), from_ns, times, when)


def _price(raw: Any, path: str) -> Price:
    if not isinstance(raw, dict):
        raise ValueError(f"{path}: expected units and their prices")
    if raw == {"free": True}:
        return Price({}, free=True)
    if unknown := raw.keys() - set(UNITS):
        raise ValueError(f"{path}: unknown unit {sorted(unknown)[0]!r}")
    return Price({unit: tuple(_ladder(value, f"{path}.{unit}")) for unit, value in raw.items()})


def _ladder(raw: Any, path: str) -> Iterator[tuple[int, int]]:
    base, *steps = raw if isinstance(raw, list) and raw else [raw]
    yield -1, _rate(base, path)
    last = -1
    for step in steps:
        if not (isinstance(step, list) and len(step) == 2 and type(step[0]) is int and step[0] > last):
            raise ValueError(f"{path}: expected [above_input_tokens, price], ascending, got {step!r}")
        last = step[0]
        yield last, _rate(step[1], path)


def _rate(raw: Any, path: str) -> int:
    try:
        pico = Decimal(raw) if isinstance(raw, str) or type(raw) is int else None
    except InvalidOperation:
        pico = None
    if pico is None or not pico.is_finite() or not 0 <= pico * ATTO_PER_PICO <= _MOST * ATTO_PER_PICO:
        raise ValueError(f"{path}: expected a price of at least 0 in 10^-12 dollars, got {raw!r}")
    return int((pico * ATTO_PER_PICO).to_integral_value())


def _time(text: str) -> int:
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    if not (0 <= hours < 24 and 0 <= minutes < 60 and all(0 <= second < 60 for second in seconds)):
        raise ValueError(f"{text!r} is no time of day")
    return ((hours * 60 + minutes) * 60 + sum(seconds)) * 10**9


def _pattern(text: Any, path: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, TypeError) as error:
        raise ValueError(f"{path}: {text!r} is no regular expression: {error}") from None


def _text(raw: Any, key: str, path: str) -> str:
    value = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(value, str):
        raise ValueError(f"{path}: expected text, got {value!r}")
    return value


def _texts(value: Any, path: str) -> tuple[str, ...]:
    if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        raise ValueError(f"{path}: expected a list of texts, got {value!r}")
    return tuple(value)


def _list(raw: Any, key: str, path: str) -> list[Any]:
    value = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(value, list):
        raise ValueError(f"{path}: expected a list, got {value!r}")
    return value
