"""Every story of sampling is true. To write one, write its steps; the failing test shows the answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from story import tell

STORIES = sorted((Path(__file__).parent / "sample").glob("*.test"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story(path: Path, tmp_path: Path) -> None:
    assert tell(path.read_text(), tmp_path) == path.read_text()
