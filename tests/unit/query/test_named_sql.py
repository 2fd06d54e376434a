"""SQL files are checked both ways: each is used, each that is used exists; and each says why it is as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import observatory.query
from observatory.query.named import named

ROOM = Path(observatory.query.__file__).parent
FILES = sorted(path.stem for path in (ROOM / "sql").glob("*.sql"))
WORDS = {word for path in ROOM.glob("*.py") for word in re.findall(r'"([a-z_]+)"', path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_used_and_gives_its_reason(name):
    assert name in WORDS
    assert (ROOM / "sql" / f"{name}.sql").read_text(encoding="utf-8").startswith("-- ")
    assert "--" not in named(name)


def test_a_name_that_does_not_exist_is_an_error():
    with pytest.raises(FileNotFoundError):
        named("nothing")
