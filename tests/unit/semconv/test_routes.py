"""The language of the tables, and where their keys come from."""

from __future__ import annotations

import re

import pytest
from recorded import CAPTURES, rows

from observatory.model import anyvalue
from observatory.model.schema import schema
from observatory.model.signal import BY_OTLP, Signal
from observatory.semconv import conventions
from observatory.semconv.routes import LONGEST_VALUE, Route, Rule, parse, routes


def test_a_row_without_a_rule_takes_values_as_they_are() -> None:
    assert parse("\n# nothing\nuser_id  span  user.id  # a comment\n") == (Route("user_id", "span", "user.id", 0),)
    assert not Rule().maps and Rule().meaning("X") == "*"


def test_rows_of_a_column_rank_in_their_order() -> None:
    made = parse("user_id span a\nprovider span a\nuser_id span b\nprovider span a x=y")
    assert [(route.column, route.key, route.rank) for route in made] == [
        ("user_id", "a", 0),
        ("provider", "a", 0),
        ("user_id", "b", 1),
        ("provider", "a", 1),
    ]


def test_what_rules_read() -> None:
    def rule(words: str) -> Rule:
        (only,) = parse(f"@l  up=high\n@l  down=low\nprovider span k {words}")
        return only.rule

    assert [rule("LLM=llm").meaning(said) for said in ("LLM", "llm", "lLm", "other", "")] == ["llm", "llm", "llm", "", ""]
    assert [rule("a= *=*").meaning(said) for said in ("A", "b")] == ["", "*"]
    assert [rule("a=b *=c").meaning(said) for said in ("a", "x", "")] == ["b", "c", "c"]
    assert [rule("@l *=*").meaning(said) for said in ("UP", "Down", "z")] == ["high", "low", "*"]
    assert rule("É=e").meaning("é") == "", "only ASCII letters have two cases"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("user_id span", "not enough values"),
        ("nobody span k", "nobody"),
        ("user_id log k", "neither resource nor scope nor span"),
        ("user_id span k word", "`word` is no rule"),
        ("user_id span k =x", "`=x` is no rule"),
        ("user_id span k @absent", "@absent"),
        ("user_id span k a=b A=c", "`A` has two meanings"),
        (f"user_id span k {'x' * (LONGEST_VALUE + 1)}=y", "is no rule"),
        ("user_id span k /1000", "only a float64 can be divided"),
        ("input_tokens span k /10", "only a float64 can be divided"),
        ("reported_cost_usd span k /0", "is no rule"),
        ("reported_cost_usd span k /ten", "could not convert"),
        ("user_id span k >0", "only a number"),
        ("streaming span k >0", "only a number"),
        ("convention scope k", "of a scope one word"),
        ("convention scope k a=b", "of a scope one word"),
        ("user_id scope k *=x", "of a scope one word"),
        ("convention scope k *=a\nconvention scope k *=b", "two words for one scope"),
    ],
)
def test_a_wrong_row_is_told(row: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)) as wrong:
        parse(row)
    assert row.split("\n")[-1] in str(wrong.value)


def test_no_row_is_beaten_by_one_before_it() -> None:
    """A key's second row in a column can only speak of values that the first leaves."""
    for signal in BY_OTLP:
        taken: dict[tuple[str, str, str], set[str]] = {}
        for route in routes(signal):
            before = taken.setdefault(route[:3], set())
            assert "*" not in before and not before & set(route.rule.meanings), route
            before |= {value for value, meaning in route.rule.meanings.items() if meaning} | ({"*"} if route.rule.rest else set())


def test_every_column_that_follows_the_arrival_is_fed() -> None:
    names = schema(Signal.SPANS).names
    assert {route.column for route in routes(Signal.SPANS)} == {
        *names[names.index("project") + 1 : names.index("adjusted_count")],  # from there on sampling says it
        "service_name",
        "environment",
        "project",
    }


def test_kinds_are_those_of_the_column() -> None:
    said = {meaning for route in routes(Signal.SPANS) if route.column == "observation_kind" for meaning in meanings(route)}
    assert said == {"llm", "embedding", "agent", "chain", "tool", "retriever", "reranker", "guardrail", "evaluator"}


def meanings(route: Route) -> set[str]:
    return {*route.rule.meanings.values(), route.rule.rest} - {""}


def test_every_key_was_recorded_or_names_its_source() -> None:
    recorded = {"event.name"}
    for folder in sorted({meta.parent for meta in CAPTURES.glob("*/*/meta.json")}):
        for signal in (Signal.SPANS, Signal.LOGS):
            for row in rows(folder, signal):
                recorded |= {key for key, _ in row["attributes"]} | {row["scope_name"]}
                recorded |= {key for key, _ in anyvalue.from_json(row["resource"])}
    rootless = [line for line in lines() if line.split()[2] not in recorded and "#" not in line]
    assert not rootless, "say in a comment where these keys come from"


def lines() -> list[str]:
    """The rows of the tables as they are written."""
    text = conventions.ORIGIN + conventions.SPANS + conventions.LOGS
    return [line for line in text.split("\n") if line and line[0] not in "@#"]
