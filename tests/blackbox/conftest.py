"""Durability is about every span: servers here keep all, unless a test is about sampling."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def keep_everything() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBSERVATORY_SAMPLING__PRESET", "everything")
        yield
