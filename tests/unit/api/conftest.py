"""Calls of models for tests that say which; otherwise every view has none."""

from __future__ import annotations

from typing import Any

import pytest

from observatory.storage.engine import View
from tests.unit.query.calling import views_have


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Rows of calls that every view has."""
    return views_have(monkeypatch)


@pytest.fixture(autouse=True)
def calls_of_views(request: pytest.FixtureRequest) -> None:
    """Every view has calls, also where storage does not offer them."""
    if not hasattr(View, "calls"):
        request.getfixturevalue("stored")
