"""SQL lives in files with names."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def named(name: str) -> str:
    """The text of `query/sql/<name>.sql` without its comments. Raises FileNotFoundError for a name that does not exist."""
    text = (resources.files("observatory.query") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
