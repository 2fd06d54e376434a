"""docs/FILTER.md: its tables are those of the code, and every example on it is understood as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.query.filter import TARGETS, FilterError, parse, to_sql
from observatory.query.filtering.fields import Kind

PAGE = (Path(__file__).parents[4] / "docs" / "FILTER.md").read_text(encoding="utf-8")
TITLES = {"traces": "Traces", "spans": "Spans", "llm_calls": "Calls"}
SAID = {
    Kind.TEXTS: "list of text",
    Kind.LISTING: "list of text",
    Kind.SECONDS: "duration",
    Kind.DOLLARS: "money",
    Kind.TRUTH: "true or false",
}


def table(target: str) -> str:
    """The table of a target's fields, as the page shows it."""
    lines = ["| field | also | kind | |", "|---|---|---|---|"]
    for field in TARGETS[target]:
        also = " ".join(f"`{alias}`" for alias in field.aliases)
        words = " ".join(f"`{one}`" for one in field.words)
        lines.append(f"| `{field.name}` | {also} | {words or SAID.get(field.kind, field.kind)} | {field.about} |")
    return "\n".join(lines)


@pytest.mark.parametrize("target", list(TARGETS))
def test_the_table_of_fields_is_the_codes(target):
    assert f"### {TITLES[target]}\n\n{table(target)}\n" in PAGE


EXAMPLES = [
    (block[0] or "traces", line.partition("  #")[0].strip())
    for block in re.findall(r"```filter ?(\w*)\n(.*?)```", PAGE, re.DOTALL)
    for line in block[1].splitlines()
]


@pytest.mark.parametrize(("target", "text"), EXAMPLES)
def test_an_example_is_understood(target, text):
    assert to_sql(parse(text), target, {})


def test_the_error_of_the_page_is_the_error():
    said = re.search(r"```text\n(filter: .*?)\n```", PAGE, re.DOTALL)
    assert said is not None
    with pytest.raises(FilterError) as caught:
        to_sql(parse(said[1].splitlines()[1].strip()), "traces", {})
    assert str(caught.value) == said[1]


@pytest.mark.parametrize("target", list(TARGETS))
def test_names_are_of_one_field_and_columns_exist(target):
    names = [name for field in TARGETS[target] for name in (field.name, *field.aliases)]
    assert len(names) == len(set(names))
    assert all(name == name.lower() for name in names)  # a name is found in either case
    view = {"spans": {"status"}, "traces": {"status", "state", "duration_ns"}, "llm_calls": set()}[target]
    stored = set(schema(Signal(target)).names)
    assert {column for field in TARGETS[target] for column in field.columns} <= stored | view
