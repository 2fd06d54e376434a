"""Laws of pricing: a table costs what its rows cost, in any order and however it is split; what is priced adds up."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings, strategies as st
from priced_calls import calls, nanoseconds, overriding

from observatory.model.money import picodollars
from observatory.model.schema import COSTS, schema
from observatory.model.signal import Signal
from observatory.semconv.pricing.bundled import bundled
from observatory.semconv.pricing.prices import LIMIT, Prices
from observatory.semconv.pricing.rates import cost

OVERRIDES = overriding(
    {"name": "gpu", "provider": "vllm", "per_second": "0.00033", "input": "0.0000123456789"},
    {"name": "year", "model": "gpt-4o", "input": 1, "output": 2, "from": "2026-01-01", "to": "2026-11-20"},
)
PRICES = Prices(bundled(), OVERRIDES.override)

MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "o3"),
    ("anthropic", "claude-sonnet-4-5"),
    ("deepseek", "deepseek-chat"),
    ("google", "gemini-2.5-pro"),
    ("openrouter", "google/gemini-2.5-flash"),
    ("perplexity", "sonar-pro"),
    ("vllm", "qwen"),
    ("openai", "unheard-of"),
    (None, None),
]
count = st.none() | st.integers(-5, 10) | st.integers(0, 300_000) | st.integers(0, 2**63 - 1)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    provider, model = draw(st.sampled_from(MODELS))
    names = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "input_audio", "output_audio")
    return {
        "provider": provider,
        "model_name": model,
        "service_tier": draw(st.sampled_from((None, "batch", "priority"))),
        "start_ns": draw(st.integers(nanoseconds("2025-06-09 00:00"), nanoseconds("2026-12-01 00:00"))),
        "duration_ns": draw(st.integers(-1, 2**63 - 1) | st.integers(0, 10**11)),
        "has_usage": draw(st.booleans()),
        "is_error": draw(st.booleans()),
        **{f"{name}_tokens": draw(count) for name in names},
    }


@settings(deadline=None)
@given(st.lists(rows(), max_size=12), st.randoms(), st.integers(0, 12))
def test_a_table_costs_what_its_rows_cost_in_any_order_and_any_split(made: list[dict[str, Any]], random: Any, cut: int) -> None:
    table = calls(*made)
    one_by_one = [PRICES.price(table.slice(i, 1)).to_pylist()[0] for i in range(len(made))]
    assert PRICES.price(table).to_pylist() == one_by_one
    split = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    assert PRICES.price(split).to_pylist() == one_by_one
    order = list(range(len(made)))
    random.shuffle(order)
    assert PRICES.price(table.take(pa.array(order, pa.int64()))).to_pylist() == [one_by_one[i] for i in order]


@settings(deadline=None)
@given(st.lists(rows(), min_size=1, max_size=12))
def test_parts_are_never_negative_and_add_up_and_every_row_says_why_it_has_none(made: list[dict[str, Any]]) -> None:
    priced = PRICES.price(calls(*made))
    parts = [picodollars(priced[name].combine_chunks()) for name in COSTS]
    assert all((part >= 0).all() for part in parts)
    assert (np.sum(parts[:-1], axis=0) == parts[-1]).all()
    for row, answer in zip(made, priced.to_pylist(), strict=True):
        silent = row["is_error"] and not row["has_usage"]
        assert (answer["total_cost_usd"] is None) == (answer["price_source"] is None)
        assert (answer["unpriced_reason"] is None) == (silent or answer["total_cost_usd"] is not None)
        if silent:
            assert answer["total_cost_usd"] is None


def test_the_columns_are_those_of_stored_calls() -> None:
    stored = schema(Signal.LLM_CALLS)
    for made in ([], [{"provider": "openai", "model_name": "gpt-4o"}]):
        for field in PRICES.price(calls(*made)).schema:
            assert field.type == stored.field(field.name).type


def test_text_may_be_plain_or_absent_and_a_batch_is_as_good_as_a_table() -> None:
    usual = {"provider": "openai", "input_tokens": 10}
    table = calls({**usual, "model_name": "gpt-4o"}, {**usual, "model_name": "o3"})

    def replaced(name: str, column: pa.Array) -> pa.Table:
        return table.set_column(table.schema.get_field_index(name), name, column)

    expected = PRICES.price(table).to_pylist()
    assert PRICES.price(replaced("model_name", pa.array(["gpt-4o", "o3"]))).to_pylist() == expected
    assert PRICES.price(table.combine_chunks().to_batches()[0]).to_pylist() == expected
    assert PRICES.price(replaced("server_address", pa.nulls(2))).to_pylist() == expected


@given(st.integers(0, 2**62), st.integers(0, 2**62), st.integers(0, 10**9 - 1))
@example(10**12 - 1, 0, 10**9 - 1)
def test_a_cost_is_the_exact_product_rounded_half_up_when_it_fits(count: int, whole: int, fraction: int) -> None:
    exact = Fraction(count) * (whole + Fraction(fraction, 10**9))
    if exact < LIMIT:
        made = cost(*(np.array([value], np.int64) for value in (count, whole, fraction)))
        assert int(made[0]) == int(exact + Fraction(1, 2))


def test_many_kinds_of_calls_are_told_apart_although_their_combinations_outgrow_64_bits() -> None:
    rng = np.random.default_rng(7)
    made = [
        {
            "provider": f"p{rng.integers(2000)}",
            "model_name": f"m{i}" if i % 7 else "gpt-4o",
            "request_model": f"r{rng.integers(9000)}",
            "server_address": f"h{rng.integers(9000)}",
            "service_tier": f"t{rng.integers(9000)}",
            "input_tokens": 1_000_000,
        }
        for i in range(700)
    ]
    many = [pa.array([f"{name}{i}" for i in range(20_000)]).dictionary_encode() for name in ("p", "m", "r", "h", "t")]
    table = calls(*made)
    for name, extra in zip(("provider", "model_name", "request_model", "server_address", "service_tier"), many, strict=True):
        words = pa.concat_arrays([extra.dictionary, table[name].combine_chunks().dictionary])
        indices = pa.compute.add(table[name].combine_chunks().indices, 20_000)
        array = pa.DictionaryArray.from_arrays(indices.cast(pa.int32()), words)
        table = table.set_column(table.schema.get_field_index(name), name, array)
    sources = PRICES.price(table)["price_source"].to_pylist()
    assert sources == ["genai-prices:openai/gpt-4o" if i % 7 == 0 else None for i in range(700)]
