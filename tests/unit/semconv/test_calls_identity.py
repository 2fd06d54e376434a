"""Session, user and tags out of spans."""

from __future__ import annotations

import json
from typing import Any

import pytest
from calling_spans import span, spans
from hypothesis import given, settings, strategies as st

from observatory.semconv.identity import BY_METADATA, BY_OBSERVATION, BY_OTHER, BY_PARAMETER, IDENTITY, read_identity, tags_of


def who(attributes: dict[str, str] | None = None, **columns: Any) -> tuple[str | None, str | None, list[str], int]:
    (row,) = read_identity([spans(span(attributes, **columns))]).to_pylist()
    return row["session_id"], row["user_id"], row["tags"], row["rank"]


def test_who_says_nothing_is_left_out() -> None:
    assert read_identity([]).schema == IDENTITY
    rows = [span(name="a"), span(user_id="u"), span({"metadata": "{}"}), span({"metadata": '{"user_id": "v"}'})]
    assert read_identity([spans(*rows[:2]), spans(*rows[2:])])["user_id"].to_pylist() == ["u", "v"]


def test_ranks() -> None:
    assert who(session_id="s", user_id="u", observation_kind="agent") == ("s", "u", [], BY_OBSERVATION)
    assert who(session_id="browser") == ("browser", None, [], BY_OTHER)
    said = {"metadata": json.dumps({"thread_id": "t", "plan": "pro"})}
    assert who(said, session_id="s", observation_kind="chain") == ("t", None, [], BY_METADATA)
    asked = {"llm.invocation_parameters": '{"user": "p"}'}
    assert who(asked, observation_kind="llm") == (None, "p", [], BY_PARAMETER)
    assert who(asked, observation_kind="llm", user_id="u") == (None, "u", [], BY_OBSERVATION)
    assert who(asked | {"metadata": '{"user_id": 7}'}, observation_kind="llm") == (None, "7", [], BY_OBSERVATION)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('["beta","checkout"]', ["beta", "checkout"]),
        ("graph:step:2, beta", ["graph:step:2", "beta"]),
        ("beta", ["beta"]),
        ('["a","a",1,null,""]', ["a", "1"]),
        ("[broken", ["[broken"]),
        (",,", []),
    ],
)
def test_tags(text: str, tags: list[str]) -> None:
    assert tags_of(text) == tags
    assert who(tags=text)[2] == tags


def test_rows_belong_to_their_spans_in_slices() -> None:
    rows = [span(session_id=f"s{i}" if i % 2 else None, tags=f"t{i}" if i % 3 else None) for i in range(12)]
    batch = spans(*rows)
    whole = read_identity([batch])
    assert whole.to_pylist() == read_identity([batch.slice(0, 5), batch.slice(5, 4), batch.slice(9)]).to_pylist()
    assert [(row["session_id"], row["tags"]) for row in whole.to_pylist()] == [
        (f"s{i}" if i % 2 else None, [f"t{i}"] if i % 3 else []) for i in range(12) if i % 2 or i % 3
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=12) | st.sampled_from(['{"session_id": ', '[["', "[1e999]"]), st.none() | st.text(max_size=9)),
        max_size=5,
    )
)
def test_never_raises(said: list[tuple[str, str | None]]) -> None:
    table = read_identity([spans(*(span({"metadata": text, "llm.invocation_parameters": text}, tags=tags) for text, tags in said))])
    table.validate(full=True)
    assert table.schema == IDENTITY and table["tags"].null_count == table["rank"].null_count == 0
