"""SQL lives in files with names."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def named(name: str) -> str:
    """The text of `query/sql/<name>.sql`. Raises FileNotFoundError for a name that does not exist."""
    return (resources.files("observatory.query") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
