"""The command line as its user meets it first: it answers at once, and says one sentence when it cannot."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from observatory.cli.main import COMMANDS, main


def test_help_imports_nothing_that_takes_time() -> None:
    heavy = {"pydantic", "pyarrow", "duckdb", "numpy", "aiohttp", "grpc", "asyncio", "urllib.request", "opentelemetry", "observatory.app"}
    code = "import sys; from observatory.cli.main import parser; parser().format_help(); print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "observatory.cli.serve" in loaded
    assert heavy.isdisjoint(loaded)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(command.__name__.rpartition(".")[2] in said for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("srve", "observatory: there is no command srve; did you mean serve?"),
        ("frobnicate", "observatory: there is no command frobnicate"),
        ("config chek", "observatory config: there is no command chek; did you mean check?"),
        ("traces --limt 3", "observatory traces: unknown argument --limt; did you mean --limit?"),
        ("--dta x", "observatory serve: unknown argument --dta; did you mean --data?"),
        ("query", "observatory query: the following arguments are required: SQL"),
        ("demo --rate x", "observatory demo: argument --rate: expected a number above 0 and at most 1000, got x"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == sentence
    assert second == f"`{sentence.partition(':')[0]} --help` explains what it takes"


def test_help_of_a_command_is_also_asked_for_as_help_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["help", "cost"], ["cost", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
    halves = capsys.readouterr().out
    assert halves[: len(halves) // 2] == halves[len(halves) // 2 :]


def test_the_executable_runs_no_application_and_says_what_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert main(["run", "app.py"]) == 2
    assert "pip install --index-url http://127.0.0.1:4319/simple/ llm-observatory" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"observatory {version('llm-observatory')}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["serve", "--config", "/no/such.toml"], "cannot read the configuration /no/such.toml: No such file or directory"),
        (["serve", "--listen", "4319"], '(--listen): expected host:port with a port from 0 to 65535, such as 127.0.0.1:4317, got "4319"'),
        (["serve", "--otlp-grpc", "0.0.0.0:4317"], "authentication does not exist yet"),
        (["serve", "--data", "/dev/null/data"], "server.data: cannot write to /dev/null/data: Not a directory; choose another"),
        (["query", "SELECT 1", "--url", "http://127.0.0.1:9"], "no appliance answers at http://127.0.0.1:9 (Connection refused)"),
        (["query", "SELECT 1", "--url", "localhost:4319"], "--url: expected an address such as http://127.0.0.1:4319"),
        (["doctor", "--rebuild-manifest", "--data", "/no/such/directory"], "/no/such/directory cannot be used: No such file or directory"),
    ],
)
def test_what_cannot_start_says_one_sentence_and_exits_with_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("observatory: ")
    assert said.err.count("\n") == 1
    assert sentence in said.err


def test_missing_server_parts_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "observatory.cli.sources", None)  # what is not installed is the import's failure

    def refuse(_: object) -> int:
        raise ModuleNotFoundError("No module named 'pydantic'", name="pydantic")

    monkeypatch.setattr("observatory.cli.config._default", refuse)
    assert main(["config", "default"]) == 2
    assert "pydantic is missing): pip install 'llm-observatory[server]'" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m observatory.cli.main config schema | head -n 1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert ended.stdout == "{\n"
    assert ended.stderr == ""
