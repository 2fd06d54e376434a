"""The configuration as its user meets it: what mistakes are answered with, and what is generated."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from observatory.cli.main import main
from observatory.cli.manual import manual, schema_text, toml, toml_text
from observatory.cli.sources import load, load_with_origins
from observatory.configured import Origins, told
from observatory.settings import Settings

ROOT = Path(__file__).parents[3]
BAD = sorted((ROOT / "tests/data/bad_configs").glob("*.toml"))


@pytest.fixture(autouse=True)
def _no_outer_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("OBSERVATORY_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_mistake_has_its_sentence(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--config", str(path)]) == 2
    said = capsys.readouterr()
    assert said.err.replace(str(path), "config.toml") == path.with_suffix(".txt").read_text()
    assert said.out == ""
    assert "never-shown" not in said.err


def test_each_bad_config_has_its_messages() -> None:
    assert {path.stem for path in BAD} == {path.stem for path in (ROOT / "tests/data/bad_configs").glob("*.txt")}
    assert len(BAD) >= 12


def test_the_shipped_configuration_is_what_the_code_says() -> None:
    assert (ROOT / "config.toml").read_text() == manual(), "run `make config`"
    assert (ROOT / "docs/config.schema.json").read_text() == schema_text(), "run `make config`"


def test_the_shipped_configuration_is_the_defaults() -> None:
    assert load(ROOT / "config.toml", {}) == Settings()


def test_every_key_is_explained() -> None:
    schema = Settings.model_json_schema()
    for name, section in schema["$defs"].items():
        assert section.get("description"), name
        for key, property_ in section["properties"].items():
            assert len(property_.get("description", "")) > 15, f"{name}.{key} has no docstring"


def test_the_schema_accepts_the_shipped_file_and_refuses_a_typo() -> None:
    schema = json.loads(schema_text())
    shipped = tomllib.loads((ROOT / "config.toml").read_text())
    jsonschema.validate(shipped, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"storage": {"retention": 3}}, schema)


def test_what_is_shown_reads_back_and_hides_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[receivers]\napi_keys = ["never-shown"]\n[server]\ndata = "/a \\"quoted\\" \\u00e9"\n')
    assert main(["config", "show", "--config", str(file), "--listen", "localhost:1"]) == 0
    shown = capsys.readouterr().out
    assert "never-shown" not in shown
    said = tomllib.loads(shown)
    assert (said["receivers"]["api_keys"], said["server"]["listen"]) == (["***"], "localhost:1")
    file.write_text(toml_text(Settings()))
    assert load(file, {}) == Settings()


@pytest.mark.parametrize("value", [True, 0, 10_000_000, 1.5, 1e300, "", 'a"b\\\n\x7fé', [], ["x", "y"], [1, 2], {"a b": {"c": 1}}, {}])
def test_toml_values_read_back(value: object) -> None:
    assert tomllib.loads(f"value = {toml(value)}")["value"] == value


def test_a_good_file_is_said_to_be_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--config", str(ROOT / "config.toml")]) == 0
    assert capsys.readouterr().out == f"{ROOT / 'config.toml'}: no mistakes. A running server takes a change when it is started again.\n"


def test_what_is_shown_says_where_it_comes_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[server]\nlisten = "127.0.0.1:1"\notlp_grpc = "127.0.0.1:2"\n[log]\nlevel = "debug"\n')
    monkeypatch.setenv("OBSERVATORY_SERVER__OTLP_GRPC", "127.0.0.1:3")
    assert main(["config", "show", "--config", str(file), "--listen", "localhost:4"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if "  # " in line]
    lines = {line.split(" = ")[0]: line.split("  # ")[-1] for line in shown}
    assert lines["listen"] == "--listen"
    assert lines["otlp_grpc"] == "OBSERVATORY_SERVER__OTLP_GRPC"
    assert lines["level"] == str(file)
    assert lines["otlp_http"] == lines["format"] == "default"
    assert len(shown) == sum(len(section) for section in Settings().model_dump().values())


def test_every_key_can_be_set_from_the_environment() -> None:
    for section, keys in Settings().model_dump(mode="json").items():
        for key, value in keys.items():
            if value is None:
                continue
            name, text = f"OBSERVATORY_{section}__{key}".upper(), value if isinstance(value, str) else toml(value)
            settings, origins = load_with_origins(None, {name: text})
            assert (settings, origins.set_by[f"{section}.{key}"]) == (Settings(), name)


def test_settings_are_told_to_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings.model_validate({"server": {"data": str(tmp_path)}})
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    server = next(section for section in told(settings, Origins())["sections"] if section["name"] == "server")
    data = next(key for key in server["keys"] if key["key"] == "data")
    assert (data["value"], data["default"]) == (str(tmp_path), None)
