"""Every hand-computed call costs what its arithmetic says, to the last of twelve digits."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from cases import CASES, Case
from priced_calls import calls, nanoseconds, overriding

from observatory.model.schema import COSTS
from observatory.semconv.pricing.bundled import bundled
from observatory.semconv.pricing.prices import Prices

PICO = Decimal("0.000000000001")
PARTS = [name.removesuffix("_cost_usd") for name in COSTS[:-1]]


def evaluated(arithmetic: str) -> Decimal:
    """`(3282-3120) × $3/M + 3120 × $0.30/M` in dollars, exactly."""
    per = {"M": 10**6, "K": 10**3, "s": 1, "1": 1}
    text = re.sub(r"\$([\d.]+)/(\w)", lambda found: f"({found[1]}÷{per[found[2]]})", arithmetic)
    assert re.fullmatch(r"[\d.()+\-×÷ ]+", text), text
    text = re.sub(r"[\d.]+", lambda found: f"Decimal('{found[0]}')", text).replace("×", "*").replace("÷", "/")
    return eval(text, {"Decimal": Decimal})


def row(case: Case) -> dict[str, Any]:
    return {
        "provider": case.provider,
        "model_name": case.model,
        "request_model": case.request_model,
        "server_address": case.host,
        "service_tier": case.tier,
        "start_ns": nanoseconds(case.at),
        "has_usage": case.has_usage,
        "is_error": case.is_error,
        **case.usage,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_call_costs_what_its_arithmetic_says(case: Case) -> None:
    (priced,) = Prices(bundled(), overriding(*case.overrides).override).price(calls(row(case))).to_pylist()
    assert priced["unpriced_reason"] == case.reason
    if case.total is None:
        assert [priced[name] for name in (*COSTS, "price_source")] == [None] * (len(COSTS) + 1)
        return
    parts = {part: evaluated(case.parts[part]) if part in case.parts else Decimal(0) for part in PARTS}
    assert {part: priced[f"{part}_cost_usd"] for part in PARTS} == {
        part: exact.quantize(PICO, ROUND_HALF_UP) for part, exact in parts.items()
    }
    assert sum(parts.values()).quantize(PICO, ROUND_HALF_UP) == priced["total_cost_usd"] == Decimal(case.total)
    if case.source:
        assert priced["price_source"] == (case.source if case.source.startswith("config:") else f"genai-prices:{case.source}")


def test_there_are_enough_cases_and_each_is_another() -> None:
    assert len({case.title for case in CASES}) == len(CASES) >= 45


def test_cases_cost_the_same_in_one_table_in_any_order() -> None:
    cases = [case for case in CASES if not case.overrides]
    prices = Prices(bundled())
    together = prices.price(calls(*map(row, reversed(cases)))).to_pylist()
    assert together == [prices.price(calls(row(case))).to_pylist()[0] for case in reversed(cases)]
