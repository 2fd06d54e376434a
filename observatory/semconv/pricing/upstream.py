"""The data of genai-prices, as its authors publish it in `data.json`, in the form of our table (`table.py`). The data is MIT-licensed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from observatory.semconv.pricing import clauses, table
from observatory.semconv.pricing.rates import UNITS

NOTICE = re.sub(
    r"\s+",
    " ",
    """\
Compiled from genai-prices, https://github.com/pydantic/genai-prices. The MIT License. Copyright (c) Pydantic Services Inc. 2025 to present.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.""",
)

_PER = {"mtok": 10**6, "kcount": 10**3}
_KEYS = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_audio_read",
    "output_mtok": "output",
    "output_reasoning_mtok": "reasoning",
    "output_audio_mtok": "output_audio",
    "requests_kcount": "request",
}
_CONTEXTS = {"service_tier", "processing", "speed"}  # what spans say of a call; a route or a kind of search they do not
_FREE = re.compile(r"free of charge|included in the subscription|are free", re.IGNORECASE)
_DIGITS = Decimal("0.000000001")


def compiled(providers: Any, source: str) -> str:
    """The table's JSON, one model a line, from the providers of genai-prices in the form of its data.json.

    Raises ValueError that names the place where they are not as expected; `table.parsed` checks the rest.
    """
    lines = []
    for provider in _items(providers, "the file"):
        head, models = _provider(provider)
        body = ",\n".join("  " + _json(model) for model in models)
        lines.append(_json(head)[:-1] + ',"models":[\n' + body + "\n]}")
    head = _json({"format": table.FORMAT, "source": source, "notice": NOTICE})
    return head[:-1] + ',"providers":[\n' + ",\n".join(lines) + "\n]}\n"


def of_file(data: bytes) -> str:
    """The table's JSON from a file: published by genai-prices, or compiled already and left as it is. Raises ValueError for others."""
    try:
        raw = json.loads(data, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is not JSON: {error}") from None
    if isinstance(raw, dict) and "format" in raw:
        return data.decode()
    source = f"genai-prices data.json {sha256(data).hexdigest()[:12]}"
    return compiled(raw["providers"] if isinstance(raw, dict) and "providers" in raw else raw, source)


def _provider(raw: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    id = raw.get("id") if isinstance(raw, dict) else None
    if not isinstance(id, str):
        raise ValueError(f"expected a provider with an id, got {str(raw)[:60]}")
    head: dict[str, Any] = {"id": id, "name": raw.get("name") or id}
    if raw.get("api_pattern"):
        head["api"] = raw["api_pattern"]
    for ours, theirs in (("provider", "provider_match"), ("model", "model_match")):
        if raw.get(theirs):
            head[ours] = clauses.of_upstream(raw[theirs], f"{id}.{theirs}")
    if raw.get("fallback_model_providers"):
        head["fallback"] = raw["fallback_model_providers"]
    return head, [_model(model, id) for model in _items(raw.get("models"), f"{id}.models")]


def _model(raw: Any, provider: str) -> dict[str, Any]:
    path = f"{provider}.{raw.get('id') if isinstance(raw, dict) else raw}"
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        raise ValueError(f"{path}: expected a model with an id")
    free = ":free" in raw["id"] or bool(_FREE.search(f"{raw.get('price_comments')} {raw.get('description')}"))
    also: set[str] = set()
    stages = raw.get("prices")
    stages = stages if isinstance(stages, list) else [{"prices": stages}]
    model = {
        "id": raw["id"],
        "match": clauses.of_upstream(raw.get("match") or {}, f"{path}.match"),
        "prices": [_dated(_table(stage, f"{path}.prices"), free, also, f"{path}.prices.{i}") for i, stage in enumerate(stages)],
    }
    variants = [row for row in raw.get("price_variants") or () if _table(row.get("when"), f"{path}.price_variants").keys() <= _CONTEXTS]
    rows = [{"when": row["when"], **_dated(row, False, also, f"{path}.price_variants.{i}")} for i, row in enumerate(variants)]
    if rows := [row for row in rows if row["price"]]:
        model["variants"] = rows
    return {**model, "also": sorted(also)} if also else model


def _dated(raw: Mapping[str, Any], free: bool, also: set[str], path: str) -> dict[str, Any]:
    price: dict[str, Any] = {}
    listed = {key: value for key, value in _table(raw.get("prices") or {}, path).items() if value is not None}
    for key, value in listed.items():
        name, _, per = key.rpartition("_")
        if key in _KEYS:
            price[_KEYS[key]] = _ladder(value, _PER[per], f"{path}.{key}")
        else:
            also.add(name)
    price = {unit: price[unit] for unit in UNITS if unit in price}
    if not listed and free:
        price = {"free": True}
    match raw.get("constraint"):
        case None:
            return {"price": price}
        case {"start_date": start}:
            return {"from": str(start), "price": price}
        case {"start_time": start, "end_time": end}:
            return {"daily": [_utc(start), _utc(end)], "price": price}
        case other:
            raise ValueError(f"{path}.constraint: unknown constraint {other!r}")


def _ladder(value: Any, per: int, path: str) -> Any:
    if not isinstance(value, dict):
        return _number(value, per, path)
    match value:
        case {"base": base, "tiers": [*tiers]} if all(isinstance(tier, dict) and tier.keys() >= {"start", "price"} for tier in tiers):
            steps = sorted(tiers, key=lambda tier: str(tier["start"]).zfill(20))
            return [_number(base, per, path), *([tier["start"], _number(tier["price"], per, path)] for tier in steps)]
    raise ValueError(f"{path}: expected a base and its tiers, got {value!r}")


def _number(value: Any, per: int, path: str) -> int | str:
    """A price in dollars for `per` units as 10^-12 dollars a unit; beyond nine digits behind the point it is rounded."""
    try:
        pico = Decimal(str(value)) * 10**12 / per
    except InvalidOperation:
        raise ValueError(f"{path}: expected a price, got {value!r}") from None
    if pico == pico.to_integral_value():
        return int(pico)
    return format(pico.quantize(_DIGITS).normalize(), "f")


def _utc(value: Any) -> str:
    moment = value if isinstance(value, time) else time.fromisoformat(str(value))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return datetime.combine(date(2000, 1, 2), moment).astimezone(UTC).strftime("%H:%M:%S").removesuffix(":00")


def _table(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{path}: expected a table, got {value!r}")
    return value


def _items(value: Any, path: str) -> Iterable[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{path}: expected a list as genai-prices publishes it, got {str(value)[:60]}")
    return value


def _json(value: Any) -> str:
    # a number where text belongs is written as text, for `table.parsed` to refuse
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
