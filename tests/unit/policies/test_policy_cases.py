"""Every policy against cases written by hand: tests/data/sampling/*.cases, each with the rule it follows."""

from __future__ import annotations

import pytest
from oracle import by_hand
from telling import Case, cases, policy_of, vote_of

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.where)
def test_the_vote_follows_the_rule(case: Case) -> None:
    assert vote_of(policy_of(case.policy), case.trace) == case.vote, f"{case.rule}\n{case.policy}\n{case.said}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.where)
def test_the_row_by_row_oracle_says_the_same(case: Case) -> None:
    assert by_hand(case.policy, case.trace) == case.vote, f"{case.rule}\n{case.policy}\n{case.said}"


def test_there_are_enough() -> None:
    assert len(CASES) >= 300
    assert len({(case.policy, case.said) for case in CASES}) == len(CASES), "a case is there twice"
