"""Law: DuckDB over the public view and the mask over the stored columns pick the same rows, for any filter and any rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from askings import NOW, filters, of_anywhere, of_attributes, of_field, rows_at_random, view_of
from hypothesis import given, settings, strategies as st

from observatory.query.filter import Expr, to_mask, to_sql
from observatory.query.filtering.fields import TARGETS
from observatory.query.filtering.tree import Not

ROWS = {target: rows_at_random(target, 120, seed=3) for target in TARGETS}
VIEWS = {target: view_of(rows, target) for target, rows in ROWS.items()}


def by_sql(exprs: Sequence[Expr], target: str) -> list[list[bool]]:
    """For each filter which rows it matches."""
    params: dict[str, Any] = {}
    said = ", ".join(f"({to_sql(expr, target, params, now=NOW)}) IS TRUE AS said{number}" for number, expr in enumerate(exprs))
    found = VIEWS[target].sql(f"SELECT {said} FROM {target}", params=params).to_arrow_table()
    return [column.to_pylist() for column in found.columns]


def by_mask(expr: Expr, target: str) -> list[bool]:
    mask = to_mask(expr, ROWS[target], target, NOW)
    assert mask.null_count == 0
    return mask.to_pylist()


@pytest.mark.parametrize(("target", "field"), [pytest.param(t, f, id=f"{t}-{f.name}") for t in TARGETS for f in TARGETS[t]])
def test_every_question_of_a_field(target, field):
    questions = of_field(field.name, field)
    answers = by_sql(questions, target)
    for question, answer in zip(questions, answers, strict=True):
        assert by_mask(question, target) == answer, str(question)
    assert any(any(answer) and not all(answer) for answer in answers)  # the rows are told apart


def test_every_question_of_attributes_and_of_text_anywhere():
    for target, questions in (("spans", of_attributes()), ("spans", of_anywhere()), ("llm_calls", of_anywhere())):
        for question, answer in zip(questions, by_sql(questions, target), strict=True):
            assert by_mask(question, target) == answer, str(question)


@pytest.mark.parametrize("target", list(TARGETS))
def test_any_filter(target):
    seen = set()

    @given(filters(target), st.integers(0, 119))
    @settings(max_examples=100, deadline=None)
    def law(expr, cut):
        mask = by_mask(expr, target)
        assert mask == by_sql([expr], target)[0], str(expr)
        rows = ROWS[target]
        parted = pa.concat_tables([rows.slice(0, cut), rows.slice(cut)])
        assert to_mask(expr, parted, target, NOW).to_pylist() == mask  # columns that begin somewhere in their buffers
        assert [not said for said in mask] == by_mask(Not(expr), target)
        seen.add((any(mask), all(mask)))

    law()
    assert {(True, False), (False, False)} <= seen
