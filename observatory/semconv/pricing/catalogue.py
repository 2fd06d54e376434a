"""What models cost, to be read by people: the prices in force at a moment, model by model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from observatory.model.clock import Nanos
from observatory.semconv.pricing import aliases
from observatory.semconv.pricing.plan import Kind
from observatory.semconv.pricing.prices import Prices
from observatory.semconv.pricing.rates import Price
from observatory.semconv.pricing.table import Model

_UNITS = {"request": ("per_request", 1), "nanosecond": ("per_second", 10**9)}


@dataclass(frozen=True, slots=True)
class Listed:
    """One model's prices: dollars for a million tokens, `per_request` and `per_second` dollars for one."""

    provider: str
    model: str
    source: str
    free: bool
    prices: Mapping[str, Decimal]
    tiers: Sequence[tuple[int, Mapping[str, Decimal]]]  # for calls of more input tokens than the number
    service_tiers: Sequence[str]  # names under which other prices exist
    not_counted: Sequence[str]  # what is charged for as well and spans do not report


def listed(prices: Prices, now: Nanos, model: str | None = None, provider: str | None = None) -> list[Listed]:
    """What prices a model as applications name it; else the models whose names contain the text; without a model all there are."""
    if model and (exact := _exact(prices, now, Kind(provider, model, None, None, None))):
        return exact
    own = []
    if not model and not provider:
        offers = [(override, override.offer()) for override in prices.overrides]
        own = [_row(of.provider, of.model, offer.source, price, (), ()) for of, offer in offers if (price := offer.price(now))]
    name = aliases.provider_name(provider)
    only = prices.table.provider(name) if name else None
    if provider and not only:
        return []
    owners = [only] if only else prices.table.providers
    found = [(owner.id, known) for owner in owners for known in owner.models if not model or model.lower() in known.id.lower()]
    return own + [_of_table(prices, id, known, now) for id, known in found]


def _exact(prices: Prices, now: Nanos, kind: Kind) -> list[Listed]:
    rows = []
    for override in prices.overrides:
        offer = override.offer()
        if override.fits(kind) and (price := offer.price(now)):
            rows.append(_row(kind.provider or "", kind.model_name or "", offer.source, price, (), ()))
    if found := prices.find(kind):
        _, owner, model = found
        rows.append(_of_table(prices, owner.id, model, now))
    return rows


def _of_table(prices: Prices, provider: str, model: Model, now: Nanos) -> Listed:
    source = f"{prices.table.source.partition(' ')[0]}:{provider}/{model.id}"
    tiers = dict.fromkeys(value for variant in model.variants if variant.active(now) for value in variant.when.values())
    return _row(provider, model.id, source, model.price(now, {}), tuple(tiers), model.also)


def _row(provider: str, model: str, source: str, price: Price, service_tiers: Iterable[str], also: Iterable[str]) -> Listed:
    by_size: dict[int, dict[str, Decimal]] = {-1: {}}
    for unit, ladder in price.ladders.items():
        name, per = _UNITS.get(unit, (unit, 10**6))
        for above, rate in ladder:
            by_size.setdefault(above, {})[name] = Decimal(rate) * per / 10**21
    base = by_size.pop(-1)
    return Listed(provider, model, source, price.free, base, sorted(by_size.items()), tuple(service_tiers), tuple(also))
