"""`observatory prices` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from observatory.cli.main import main

TABLE = Path(__file__).parents[3] / "observatory/semconv/pricing/prices.json"


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert main(["prices", *arguments]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_a_model_is_listed_by_the_name_applications_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("list", "claude-sonnet-4-5-20250929", "--json", "--data", str(tmp_path))
    (row,) = json.loads(said(capsys, *arguments)[0])
    assert (row["provider"], row["model"], row["source"]) == ("anthropic", "claude-sonnet-4-5", "genai-prices:anthropic/claude-sonnet-4-5")
    assert (row["input"], row["cache_write_1h"], row["service_tiers"]) == ("3", "6", ["batch"])
    assert row["tiers"][0]["above_input_tokens"] == 200_000 and row["tiers"][0]["input"] == "6"
    assert row["not_counted"] == ["web_searches"]


def test_a_part_of_a_name_lists_all_that_have_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(said(capsys, "list", "nova", "--provider", "aws.bedrock", "--json", "--data", str(tmp_path))[0])
    assert len(rows) > 3 and all(row["provider"] == "aws" and "nova" in row["model"] for row in rows)
    assert len(json.loads(said(capsys, "list", "--json", "--data", str(tmp_path))[0])) > 2000
    assert "llama-3.3-70b-versatile" in said(capsys, "list", "--provider", "groq", "--data", str(tmp_path))[0]


def test_an_unknown_model_is_told_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(capsys, "list", "unheard-of", "--data", str(tmp_path), code=1)
    assert out == "" and "[[prices.override]]" in err
    assert json.loads(said(capsys, "list", "--provider", "nobody", "--json", "--data", str(tmp_path), code=1)[0]) == []


def test_overrides_are_listed_before_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[prices.override]]\nname = "own"\nmodel = "gpt-4o*"\ninput = "0.5"\nper_second = 0.25\nto = 2100-01-01\n')
    for model in ("gpt-4o",), ():
        rows = json.loads(said(capsys, "list", *model, "--json", "--config", str(config), "--data", str(tmp_path))[0])
        assert (rows[0]["source"], rows[0]["input"], rows[0]["per_second"]) == ("config:own", "0.5", "0.25")
        assert rows[1]["source"].startswith("genai-prices:")


def test_update_puts_a_table_in_place_and_list_uses_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = TABLE.read_text().replace('"source":"genai-prices', '"source":"newer-prices')
    (tmp_path / "new.json").write_text(lines)
    data = tmp_path / "data"
    out = json.loads(said(capsys, "update", str(tmp_path / "new.json"), "--json", "--data", str(data))[0])
    assert out["file"] == str(data / "prices.json") and out["models"] > 2000
    assert [path.name for path in data.iterdir()] == ["prices.json"]
    assert "newer-prices:openai/o3" in said(capsys, "list", "o3", "--data", str(data))[0]


def test_a_file_that_is_no_table_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prices.json").write_text(TABLE.read_text())
    (tmp_path / "bad.json").write_text('[{"id": "acme"}]')
    _, err = said(capsys, "update", str(tmp_path / "bad.json"), "--data", str(tmp_path), code=2)
    assert err == (
        f"observatory: {tmp_path}/bad.json is no price table: acme.models: expected a list as genai-prices publishes it, got None; "
        "the prices in force have not changed\n"
    )
    assert (tmp_path / "prices.json").read_text() == TABLE.read_text()
    assert "cannot read /no/such.json" in said(capsys, "update", "/no/such.json", "--data", str(tmp_path), code=2)[1]
