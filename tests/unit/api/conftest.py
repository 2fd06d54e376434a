"""Calls of models for tests that say which; otherwise every view has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import duckdb
import pytest

from observatory.storage.engine import View
from tests.unit.query.calling import relations, rollups


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Rows of calls that every view has."""
    rows: list[dict[str, Any]] = []

    @contextmanager
    def calls(view: View, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(config={"threads": 1}) as con:
            relations(con, rows, rollups(rows, Random(1)))
            yield con

    monkeypatch.setattr(View, "calls", calls, raising=False)
    return rows


@pytest.fixture(autouse=True)
def calls_of_views(request: pytest.FixtureRequest) -> None:
    """Every view has calls, also where storage does not offer them."""
    if not hasattr(View, "calls"):
        request.getfixturevalue("stored")
