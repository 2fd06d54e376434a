"""`observatory sampling import`: Collectors' configurations beside what they become, or beside why they cannot."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from observatory.cli.main import main
from observatory.cli.sources import load
from observatory.pipeline.sampling.build import policies
from observatory.pipeline.sampling.ottl import NotTold, filter_of
from observatory.query.filter import parse

COLLECTORS = Path(__file__).parents[2] / "data/collectors"
GOOD = sorted(path.with_suffix(".yaml") for path in COLLECTORS.glob("*.toml"))
BAD = sorted(path.with_suffix(".yaml") for path in COLLECTORS.glob("*.txt"))


def test_each_collector_has_its_answer() -> None:
    assert sorted(COLLECTORS.glob("*.yaml")) == sorted([*GOOD, *BAD])


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_it_becomes_our_toml(path: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["sampling", "import", str(path)]) == 0
    said = capsys.readouterr().out
    assert said == path.with_suffix(".toml").read_text()
    (tmp_path / "config.toml").write_text(said)
    assert policies(load(tmp_path / "config.toml", {}).sampling)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_cannot_be_told_is_refused_by_name(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sampling", "import", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.replace(str(path), path.name) == path.with_suffix(".txt").read_text()


def test_one_of_several_is_chosen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("jobs", "tail_sampling/jobs"):
        monkeypatch.setattr("sys.stdin", io.StringIO((COLLECTORS / "several.yaml").read_text()))
        assert main(["sampling", "import", "-", "--processor", name]) == 0
        assert 'name = "jobs"' in capsys.readouterr().out
    assert main(["sampling", "import", "/nowhere.yaml"]) == 2
    assert "cannot read /nowhere.yaml: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('name == "a"', "name=a"),
        ('span.name != "a"', "-name=a"),
        ('attributes["http.route"] == "/x*"', 'attr.http.route="/x\\*"'),
        ('attributes["k"] == nil', "-attr.k:*"),
        ('attributes["k"] != nil', "attr.k:*"),
        ('resource.attributes["service.name"] == "s"', "resource.service.name=s"),
        ('attributes["n"] > 5', "attr.n>5"),
        ('attributes["n"] <= -1.5', "attr.n<=-1.5"),
        ('attributes["b"] == true', "attr.b=true"),
        ("status.code == STATUS_CODE_ERROR", "status=error"),
        ("status.code != 2", "-status=error"),
        ("kind == SPAN_KIND_SERVER", "kind=server"),
        ('kind.string == "Client"', "kind=client"),
        ("kind == 3", "kind=client"),
        ('IsMatch(name, "^GET \\\\d+")', r'name~"^GET \d+"'),
        ('not IsMatch(attributes["a b"], "x")', '-"attr.a b"~"x"'),
        ('name == "a" and name == "b" or kind == 2', "name=a name=b or kind=server"),
    ],
)
def test_conditions_become_filters(condition: str, expected: str) -> None:
    assert filter_of([condition]) == expected
    assert str(parse(expected)) == expected


@pytest.mark.parametrize("condition", ["", "name", 'name == "a" and', "name == FOO", 'TraceID() == "x"', 'name == "a" xor name == "b"'])
def test_other_conditions_are_refused(condition: str) -> None:
    with pytest.raises(NotTold):
        filter_of([condition])
