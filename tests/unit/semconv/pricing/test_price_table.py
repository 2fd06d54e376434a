"""The table and where it comes from: what is bundled is what upstream says, and a file that is broken says where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from priced_calls import calls, overriding

from observatory.semconv.pricing.bundled import bundled
from observatory.semconv.pricing.compile import of_package
from observatory.semconv.pricing.config import PricesConfig
from observatory.semconv.pricing.plan import Kind
from observatory.semconv.pricing.prices import Prices
from observatory.semconv.pricing.source import LOOK_EVERY_NS, PriceSource, load, read
from observatory.semconv.pricing.table import nanoseconds, parsed
from observatory.semconv.pricing.upstream import of_file

DEFAULT = PricesConfig()
UPSTREAM: list[dict[str, Any]] = [
    {
        "id": "acme",
        "name": "Acme",
        "api_pattern": "https://api\\.acme\\.example",
        "model_match": {"starts_with": "Acme-"},
        "provider_match": {"or": [{"contains": "acme"}, {"and": [{"ends_with": "ltd"}, {"contains": "ac"}]}]},
        "models": [
            {
                "id": "acme-1",
                "match": {"or": [{"equals": "acme-1"}, {"regex": "^acme-1-\\d+$"}]},
                "prices": [
                    {"prices": {"input_mtok": 1.5, "output_mtok": {"base": 2, "tiers": [{"start": 1000, "price": 3.25}]}}},
                    {"constraint": {"start_date": "2026-02-01"}, "prices": {"input_mtok": 0.1, "web_searches_kcount": 10}},
                    {"constraint": {"start_time": "01:00:00Z", "end_time": "04:00:00Z"}, "prices": {"input_mtok": 0.3333333333333333}},
                ],
            }
        ],
    }
]


def with_price(value: Any) -> bytes:
    changed = json.loads(json.dumps(UPSTREAM))
    changed[0]["models"][0]["prices"] = value
    return json.dumps(changed).encode()


def costs(prices: Prices, *rows: dict[str, Any]) -> list[str]:
    return [str(cost) for cost in prices.price(calls(*rows))["total_cost_usd"].to_pylist()]


def test_the_bundled_table_is_what_the_installed_package_says() -> None:
    if bundled().source != f"genai-prices {version('genai-prices')}":
        pytest.skip("another version is installed than the one that is bundled")
    assert of_package() == (Path(read.__code__.co_filename).with_name("prices.json")).read_text(encoding="utf-8")


def test_the_bundled_table_carries_its_source_and_licence() -> None:
    assert bundled().source.startswith("genai-prices ")
    assert "MIT License" in bundled().notice and "Pydantic Services" in bundled().notice


def test_pricing_imports_neither_the_library_nor_anything_that_reaches_the_network() -> None:
    code = "import sys, observatory.semconv.pricing.source; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "observatory.semconv.pricing.prices" in loaded
    assert not {"genai_prices", "httpx", "httpx2", "urllib.request", "http.client"} & set(loaded)


def test_what_upstream_publishes_is_compiled_with_its_dates_times_tiers_and_clauses() -> None:
    table = parsed(of_file(json.dumps(UPSTREAM).encode()))
    prices = Prices(table)
    january, february = 1769904000 * 10**9 - 1, nanoseconds_of(2026, 2, 1)
    usage = {"input_tokens": 1_000_000}
    assert costs(prices, {"model_name": "ACME-1", "start_ns": january, **usage}) == ["1.500000000000"]
    at_noon = {"start_ns": february + 12 * 3600 * 10**9, **usage}
    for named in ({"provider": "the.acme.people"}, {"provider": "ACLtd"}, {"server_address": "api.acme.example"}, {}):
        assert costs(prices, {"model_name": "acme-1-77", **named, **at_noon}) == ["0.100000000000"], named
    assert costs(prices, {"model_name": "acme-1-x", **at_noon}) == ["None"]
    assert costs(prices, {"model_name": "acme-1", **usage, "start_ns": february + 3 * 3600 * 10**9}) == ["0.333333333333"]
    assert costs(prices, {"model_name": "acme-1", "start_ns": january, "input_tokens": 1001, "output_tokens": 100}) == ["0.001826500000"]
    assert table.providers[0].models[0].also == ("web_searches",)
    assert prices.find(Kind(None, "acme-1", None, None, None))


def nanoseconds_of(year: int, month: int, day: int) -> int:
    from datetime import date

    return nanoseconds(date(year, month, day))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "this is not JSON"),
        (b"\xff\xfe", "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
        (b"{}", "expected a list as genai-prices publishes it"),
        (b"[]", "expected a list as genai-prices publishes it"),
        (b"[1]", "expected a provider with an id, got 1"),
        (b'{"format": 2}', "expected a price table of format 1"),
        (b'{"format": 1, "source": "x", "notice": "y", "providers": []}', "providers: there are none"),
        (b'{"format": 1, "source": "x"}', "notice: expected text"),
        (with_price([]), "providers.acme.models.acme-1.prices: there are none"),
        (with_price(None), None),  # no price is no mistake
        (with_price({"input_mtok": "cheap"}), "acme.acme-1.prices.0.input_mtok: expected a price, got 'cheap'"),
        (with_price({"input_mtok": -1}), "acme.models.acme-1.prices.0.price.input: expected a price of at least 0"),
        (with_price({"input_mtok": 10**30}), "expected a price of at least 0"),
        (with_price({"input_mtok": "NaN"}), "input"),
        (with_price({"input_mtok": {"base": 1}}), "acme.acme-1.prices.0.input_mtok: expected a base and its tiers"),
        (with_price([{"constraint": {"weekday": 1}, "prices": {}}]), "acme.acme-1.prices.0.constraint: unknown constraint"),
        (with_price([{"constraint": {"start_date": "soon"}, "prices": {}}]), "acme-1.prices.0: Invalid isoformat"),
        (with_price(3), "acme.acme-1.prices.0: expected a table, got 3"),
        (json.dumps([{**UPSTREAM[0], "api_pattern": "("}]).encode(), "providers.acme.api: '(' is no regular expression"),
        (json.dumps([{**UPSTREAM[0], "model_match": {"like": "x"}}]).encode(), "acme.model_match: expected a matching clause"),
        (json.dumps([*UPSTREAM, *UPSTREAM]).encode(), "two have the same id"),
    ],
)
def test_a_broken_file_is_refused_and_says_where(data: bytes, said: str | None) -> None:
    if said is None:
        parsed(of_file(data))
        return
    with pytest.raises(ValueError) as caught:
        parsed(of_file(data))
    assert said in str(caught.value)


def test_no_file_cut_anywhere_is_taken_or_breaks(tmp_path: Path) -> None:
    whole = of_file(json.dumps(UPSTREAM).encode()).encode()
    for end in range(len(whole) - 2):
        with pytest.raises(ValueError):
            parsed(of_file(whole[:end]))


def test_any_part_of_a_table_replaced_by_nonsense_is_refused_with_a_sentence_or_harmless() -> None:
    whole = json.loads(of_file(json.dumps(UPSTREAM).encode()))

    def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return [path, *(place for key, item in items for place in places(item, (*path, key)))]

    upstream = json.loads(json.dumps(UPSTREAM))
    for original, place in [*((whole, place) for place in places(whole)[1:]), *((upstream, place) for place in places(upstream)[1:])]:
        for nonsense in (None, 7, -1, "", "x", [], [[]], {}, {"a": 1}, True, 1.5, "NaN", "1e400"):
            changed = json.loads(json.dumps(original))
            parent = changed
            for key in place[:-1]:
                parent = parent[key]
            parent[place[-1]] = nonsense
            try:
                prices = Prices(parsed(of_file(json.dumps(changed).encode())))
            except ValueError:
                continue
            prices.price(calls({"provider": "acme", "model_name": "acme-1", "input_tokens": 10}))


def test_a_table_that_is_dropped_in_is_taken_within_ten_seconds_and_given_up_when_it_goes(tmp_path: Path) -> None:
    source = PriceSource(DEFAULT, tmp_path)
    first = source.current(0)
    assert first.table is bundled() and source.trouble is None
    (tmp_path / "prices.json").write_text(of_file(json.dumps(UPSTREAM).encode()))
    assert source.current(LOOK_EVERY_NS - 1) is first
    second = source.current(LOOK_EVERY_NS)
    assert second.table.source.startswith("genai-prices data.json ")
    assert source.current(3 * LOOK_EVERY_NS) is second
    (tmp_path / "prices.json").unlink()
    assert source.current(5 * LOOK_EVERY_NS).table is bundled()


def test_what_upstream_publishes_may_be_dropped_in_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_bytes(json.dumps(UPSTREAM).encode())
    assert [provider.id for provider in load(DEFAULT, tmp_path).table.providers] == ["acme"]


def test_a_broken_file_leaves_what_held_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "prices.json"
    file.write_text("{")
    source = PriceSource(DEFAULT, tmp_path)
    assert source.current(0).table is bundled()
    assert source.trouble and f"cannot use the price table {file}: this is not JSON" in source.trouble
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    file.write_bytes(json.dumps(UPSTREAM).encode())
    good = source.current(LOOK_EVERY_NS)
    assert source.trouble is None
    file.write_bytes(json.dumps(UPSTREAM).encode()[:-5])
    os.utime(file, (1, 1))
    assert source.current(2 * LOOK_EVERY_NS) is good
    assert source.trouble and source.trouble.endswith("stay in force")
    assert len(caplog.records) == 2  # told once, not every ten seconds
    assert source.current(3 * LOOK_EVERY_NS) is good
    assert len(caplog.records) == 2


def test_a_named_file_that_is_missing_is_told_and_overrides_stay(tmp_path: Path) -> None:
    config = overriding({"name": "own", "model": "x", "input": 1}).model_copy(update={"file": str(tmp_path / "none.json")})
    source = PriceSource(config, tmp_path)
    assert costs(source.current(0), {"model_name": "x", "input_tokens": 1_000_000}) == ["1.000000000000"]
    assert source.trouble and "No such file or directory" in source.trouble


def test_the_kinds_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observatory.semconv.pricing.prices._REMEMBERED", 10)
    prices = Prices(bundled())
    for i in range(95):
        prices.price(calls({"provider": "openai", "model_name": f"gpt-{i}"}))
        assert len(prices._plans) <= 10
