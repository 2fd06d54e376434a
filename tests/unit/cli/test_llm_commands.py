"""`cost`, `traces` and `calls` as their user reads them, against a real API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from observatory.cli.asking import dollars, milliseconds
from observatory.cli.main import main
from observatory.cli.traces import _walked
from observatory.testing.spans import Maker
from tests.unit.api.asking import Asked, open_asked
from tests.unit.query.calling import MINUTE, NOW, call, views_have


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return views_have(monkeypatch)


@pytest.fixture
async def asked(tmp_path: Path, stored: list[dict[str, Any]]) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


async def said(asked: Asked, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = await asyncio.to_thread(main, [*arguments, "--url", asked.url])
    told = capsys.readouterr()
    return code, told.out, told.err


WINDOW = ("--from", str(NOW - MINUTE), "--to", str(NOW + MINUTE))


async def test_cost_is_a_table_with_a_total_and_no_guess(asked, stored, capsys):
    stored += [call(1, cost=Decimal("1.5")), call(2, cost=None, model_name="my-own"), call(3, cost=Decimal("0.00001"), model_name="tiny")]
    code, out, _ = await said(asked, capsys, "cost", *WINDOW)
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["model", "calls", "errors", "input", "cached", "output", "cost", "p50", "p95"]
    assert lines[2][:7] == ["gpt-4.1", "1", "0", "10", "0", "5", "$1.50"]
    assert ["my-own", "1", "0", "10", "0", "5", "—", "(1", "unpriced)"] in [line[:9] for line in lines]
    assert lines[-1][:9] == ["total", "3", "0", "30", "0", "15", "$1.50", "(+1", "unpriced)"]


async def test_cost_is_json_for_programs_and_grouped_as_asked(asked, stored, capsys):
    stored += [call(1, user_id="ann"), call(2, user_id="bob")]
    code, out, err = await said(asked, capsys, "cost", *WINDOW, "--by", "user,day", "--json", "--limit", "1")
    answer = json.loads(out)
    assert (code, err, answer["groups"]) == (0, "", 2)
    code, out, err = await said(asked, capsys, "cost", *WINDOW, "--by", "user,day", "--limit", "1")
    assert out.splitlines()[0].split()[:2] == ["time", "user"]
    assert "1 more groups" in err
    assert (await said(asked, capsys, "cost", "--from", "2h"))[1] == "no calls in this window\n"


async def test_a_forecast_says_why_there_is_none(asked, stored, capsys):
    code, out, _ = await said(asked, capsys, "cost", "--forecast")
    assert code == 0
    assert "no forecast: a forecast needs 3 complete days" in out


async def test_a_question_the_appliance_refuses_is_one_sentence(asked, capsys):
    for arguments in (["cost", "--by", "colour"], ["calls", "--sort", "name"], ["traces", "0" * 31 + "1"], ["traces", "x/../y"]):
        code, out, err = await said(asked, capsys, *arguments)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("observatory: ")


def test_without_an_appliance_it_is_said_where_one_was_looked_for(capsys):
    for command in ("cost", "traces", "calls"):
        assert main([command, "--url", "http://127.0.0.1:9"]) == 2
        assert "no appliance answers at http://127.0.0.1:9" in capsys.readouterr().err


async def test_calls_tell_why_they_do_not_count(asked, stored, capsys):
    stored += [call(1, cost=Decimal(2)), call(2, counted=False, not_counted_reason="wraps_call")]
    _, out, _ = await said(asked, capsys, "calls", "--counted", "all", "--sort", "cost", "--ascending")
    assert "wraps_call" in out
    _, out, _ = await said(asked, capsys, "calls", "--json")
    assert [item["total_cost_usd"] for item in json.loads(out)["items"]] == ["2"]


async def test_traces_are_listed_and_one_is_a_tree(asked, stored, capsys):
    make = Maker(4, now=NOW)
    root = make.span("agent", duration_s=3)
    child = make.span("chat \x1b[31m", parent=root, duration_s=1, error="no")
    await asked.store(make.spans(root, child, service="shop"))
    stored.append(call(1, trace_id=child.trace_id, span_id=child.span_id, start_ns=child.start_time_unix_nano, user_id="ann"))
    _, out, _ = await said(asked, capsys, "traces")
    assert root.trace_id.hex() in out
    assert "3.00 s" in out
    code, out, _ = await said(asked, capsys, "traces", root.trace_id.hex())
    assert code == 0
    assert "2 spans  1 errors  1 calls  10 → 5 tokens  $0.0030  gpt-4.1  user ann" in out
    tree = out.splitlines()[-2:]
    assert tree[0].startswith("agent ")
    assert tree[1].startswith("  chat \\x1b[31m ✗")
    assert "1 calls, $0.0030" in tree[0]
    _, out, _ = await said(asked, capsys, "traces", root.trace_id.hex(), "--json")
    assert len(json.loads(out)["spans"]) == 2


def test_a_tree_tells_every_span_once_whatever_its_parents_are():
    spans = [
        {"span_id": name, "parent_span_id": parent} for name, parent in (("b", "a"), ("a", None), ("x", "y"), ("y", "x"), ("o", "gone"))
    ]
    assert [(depth, span["span_id"]) for depth, span in _walked(spans)] == [(0, "a"), (1, "b"), (0, "o"), (0, "x"), (1, "y")]


@pytest.mark.parametrize(
    ("value", "unpriced", "text"),
    [
        ("0", 0, "$0.00"), ("1234.5", 0, "$1,234.50"), ("0.0123", 0, "$0.0123"), ("0.000000000003", 0, "$0.000000000003"), (None, 0, "—"),
        (None, 3, "— (3 unpriced)"), ("2", 1, "$2.00 (+1 unpriced)"),
    ],
)  # fmt: skip
def test_dollars_are_readable(value, unpriced, text):
    assert dollars(value, unpriced) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "—"), (0.0, "0 ms"), (0.123, "0.12 ms"), (340.2, "340 ms"), (1234.0, "1.23 s"), (250_000.0, "4 m 10 s")]
)
def test_times_are_readable(value, text):
    assert milliseconds(value) == text
