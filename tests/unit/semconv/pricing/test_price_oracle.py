"""Our prices against the library whose data they are compiled from: every model, every name it matches, at random times and usage.

Not compared, because there is nothing to compare:
  * names that the library does not know for a provider (we look further: the model's name without its path, whose names it resembles);
  * models without a price that spans can be priced by: an empty list that does not say "free", or only hours of sound, characters, pages,
    searches. The library says 0, we say null with a reason; this is asserted instead.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from hypothesis import given, settings, strategies as st
from priced_calls import calls

from observatory.semconv.pricing.bundled import bundled
from observatory.semconv.pricing.prices import NO_USAGE, UNKNOWN_MODEL, Prices

PRICES = Prices(bundled())
EXACT = Decimal(1).scaleb(-12)
TIERS = (None, None, None, "batch", "flex", "priority", "fast", "default", "nonsense")
CONTEXTS = {
    "batch": {"processing": "batch", "service_tier": "batch"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}


def texts(clause: Any) -> Iterator[str]:
    """Names that a clause matches; of regular expressions none, `and` matched by chance."""
    for part in getattr(clause, "or_", None) or getattr(clause, "and_", None) or ():
        yield from texts(part)
    if text := getattr(clause, "equals", None):
        yield text
    if text := getattr(clause, "starts_with", None):
        yield from (text, f"{text}-20250929", f"{text}-2025-09-29")
    if text := getattr(clause, "ends_with", None):
        yield f"x{text}"
    if text := getattr(clause, "contains", None):
        yield from (text, f"eu.{text}-v1:0")


NAMES = [(p.id, name) for p in providers for m in p.models for name in dict.fromkeys((m.id, *texts(m.match)))]
CHANGES = sorted(
    {
        datetime.combine(dated.constraint.start_date, datetime.min.time(), UTC)
        for p in providers
        for m in p.models
        for dated in [*(m.prices if isinstance(m.prices, list) else ()), *(m.price_variants or ())]
        if hasattr(dated.constraint, "start_date")
    }
)


def usage_of(rng: random.Random) -> dict[str, int]:
    size = rng.choice((50, 5_000, 150_000, 210_000, 400_000, 3_000_000))
    read, write, plain = (rng.randint(0, size) * rng.randint(0, 1) for _ in range(3))
    output = rng.randint(0, 20_000)
    reasoning = rng.randint(0, output) * rng.randint(0, 1)
    return {
        "input_tokens": read + write + plain,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cache_write_1h_tokens": rng.randint(0, write),
        "input_audio_tokens": rng.randint(0, read + plain) * rng.randint(0, 1),
        "output_tokens": output,
        "reasoning_tokens": reasoning,
        "output_audio_tokens": rng.randint(0, output - reasoning) * rng.randint(0, 1),
    }


def moment_of(rng: random.Random) -> datetime:
    near = timedelta(seconds=rng.randint(-50_000, 50_000))
    return (
        rng.choice(CHANGES) + near
        if rng.random() < 0.7
        else datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randint(0, 1_500_000))
    )


def row_of(provider: str, name: str, at: datetime, tier: str | None, usage: dict[str, int]) -> dict[str, Any]:
    return {"provider": provider, "model_name": name, "start_ns": int(at.timestamp()) * 10**9, "service_tier": tier, **usage}


def said_by_the_library(row: dict[str, Any]) -> Any:
    """Its calculation, None when it does not know the model."""
    fresh = row["input_tokens"] - row["cache_read_tokens"] - row["cache_write_tokens"]
    usage = Usage(
        input_tokens=row["input_tokens"],
        cache_read_tokens=row["cache_read_tokens"],
        cache_write_tokens=row["cache_write_tokens"],
        cache_write_1h_tokens=row["cache_write_1h_tokens"],
        input_audio_tokens=row["input_audio_tokens"],
        cache_audio_read_tokens=max(row["input_audio_tokens"] - fresh, 0),  # spans do not say it: new before cached
        output_tokens=row["output_tokens"],
        output_reasoning_tokens=row["reasoning_tokens"],
        output_audio_tokens=row["output_audio_tokens"],
    )
    at = datetime.fromtimestamp(row["start_ns"] // 10**9, UTC)
    context = CONTEXTS.get(row["service_tier"], {"service_tier": row["service_tier"]}) if row["service_tier"] else None
    try:
        return calc_price(usage, row["model_name"], provider_id=row["provider"], genai_request_timestamp=at, price_context=context)
    except LookupError:
        return None


TOKEN_PRICES = {
    *("input_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok", "input_audio_mtok", "cache_audio_read_mtok"),
    *("output_mtok", "output_reasoning_mtok", "output_audio_mtok", "requests_kcount"),
}


def compare(row: dict[str, Any], ours: dict[str, Any], theirs: Any) -> bool:
    """Raises AssertionError when they differ; whether there was a price to compare."""
    said = f"{row} {ours} {theirs!r}"
    if ours["total_cost_usd"] is None:
        stated = {key for key, value in vars(theirs.model_price).items() if value is not None}
        assert not stated & TOKEN_PRICES and ours["unpriced_reason"] in (UNKNOWN_MODEL, NO_USAGE), said
        return False
    pairs = [
        (ours["input_cost_usd"] + ours["cache_read_cost_usd"] + ours["cache_write_cost_usd"], theirs.input_price),
        (ours["output_cost_usd"], theirs.output_price),
        (ours["total_cost_usd"], theirs.total_price),
    ]
    for mine, exact in pairs:
        # a unit's cost is rounded to 10^-12; where theirs needs no more digits the two are the same
        assert abs(mine - exact) <= (0 if exact == exact.quantize(EXACT) else 3 * EXACT), said
    return True


@pytest.mark.parametrize("seed", range(2))
def test_every_model_under_every_name_costs_what_the_library_says(seed: int) -> None:
    rng = random.Random(seed)
    rows = [row_of(provider, name, moment_of(rng), rng.choice(TIERS), usage_of(rng)) for provider, name in NAMES]
    answers = [
        (row, ours, theirs)
        for row, ours in zip(rows, PRICES.price(calls(*rows)).to_pylist(), strict=True)
        if (theirs := said_by_the_library(row))
    ]
    compared = sum(compare(*answer) for answer in answers)
    assert len(answers) > 0.95 * len(rows) and compared > 0.85 * len(rows)


NO_PRICE_STATED = {
    *("qwen-3-coder-480b", "gemma-3", "gemma-3n", "ServiceNow-AI/Apriel-1.6-15b-Thinker", "prism-ml/Ternary-Bonsai-27B-AWQ-4bit"),
    *("prism-ml/Ternary-Bonsai-27B-gguf", "gemini-2.5-pro-exp-03-25", "google/gemini-flash-1.5-8b-exp", "google/lyria-3-clip-preview"),
    *("google/lyria-3-pro-preview", "stealth/crouton-alpha"),
}
"""Lists that are empty and do not say that the model is free: the library says 0, which may be wrong, and we say that it is unknown."""


def test_what_the_library_knows_and_we_do_not_price_has_no_price_that_spans_could_be_priced_by() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    rows = [row_of(p.id, m.id, at, None, usage_of(random.Random(1))) for p in providers for m in p.models]
    empty, other_units = set(), 0
    for row, ours in zip(rows, PRICES.price(calls(*rows)).to_pylist(), strict=True):
        if ours["total_cost_usd"] is None and (theirs := said_by_the_library(row)):
            stated = {key for key, value in vars(theirs.model_price).items() if value is not None}
            assert not stated & TOKEN_PRICES and ours["unpriced_reason"] == (NO_USAGE if stated else UNKNOWN_MODEL)
            other_units += bool(stated)
            empty |= set() if stated else {row["model_name"]}
    assert empty == NO_PRICE_STATED and other_units < 0.02 * len(rows)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_call_costs_what_the_library_says(data: st.DataObject) -> None:
    provider, name = data.draw(st.sampled_from(NAMES))
    at = data.draw(st.datetimes(datetime(2023, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
    row = row_of(provider, name, at, data.draw(st.sampled_from(TIERS)), usage_of(random.Random(data.draw(st.integers(0, 2**32)))))
    if (theirs := said_by_the_library(row)) is not None:
        compare(row, PRICES.price(calls(row)).to_pylist()[0], theirs)
