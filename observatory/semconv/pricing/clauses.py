"""Matching clauses of the price table: which text means which provider or model.

A clause is text whose first letter says how it matches, or a list of clauses of which any matches, or `{"all": [...]}`:

    =gpt-4o   equals        ^gpt-4o-   starts with        $:free   ends with        *sonnet   contains        ~^o[134]   regular expression

All but regular expressions ignore case; those are searched in the text in lower case, as the table's authors do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Match = Callable[[str], bool]
"""Whether a text, already in lower case, is meant."""


def compiled(clause: Any, path: str) -> Match:
    """A clause as a function. Raises ValueError with `path` when it is none."""
    match clause:
        case str() if len(clause) > 1:
            return _single(clause[0], clause[1:], path)
        case list() if clause:
            parts = [compiled(part, f"{path}.{i}") for i, part in enumerate(clause)]
            return parts[0] if len(parts) == 1 else lambda text: any(part(text) for part in parts)
        case {"all": [*inner]} if inner and len(clause) == 1:
            every = [compiled(part, f"{path}.all.{i}") for i, part in enumerate(inner)]
            return lambda text: all(part(text) for part in every)
    raise ValueError(f"{path}: expected a matching clause, got {clause!r}")


def alternatives(clause: Any) -> tuple[list[str], list[Any]]:
    """The texts a clause equals, in lower case, and what else it says: a table of models is searched by the first in one look."""
    parts = clause if isinstance(clause, list) else [clause]
    equal = [part[1:].lower() for part in parts if isinstance(part, str) and part[:1] == "="]
    return equal, [part for part in parts if not (isinstance(part, str) and part[:1] == "=")]


def of_upstream(clause: Mapping[str, Any], path: str) -> Any:
    """A clause in the form of genai-prices, `{"starts_with": "gpt-4o"}`, in ours. Raises ValueError with `path`."""
    if isinstance(clause, Mapping) and len(clause) == 1:
        ((kind, value),) = clause.items()
        if kind in _LETTERS and isinstance(value, str) and value:
            return _LETTERS[kind] + value
        if kind in ("or", "and") and isinstance(value, list) and value:
            parts = [of_upstream(part, f"{path}.{kind}.{i}") for i, part in enumerate(value)]
            return {"all": parts} if kind == "and" else list(_flat(parts))
    raise ValueError(f"{path}: expected a matching clause, got {clause!r}")


_LETTERS = {"equals": "=", "starts_with": "^", "ends_with": "$", "contains": "*", "regex": "~"}


def _flat(parts: Iterable[Any]) -> Iterable[Any]:
    for part in parts:
        yield from part if isinstance(part, list) else (part,)


def _single(letter: str, value: str, path: str) -> Match:
    lower = value.lower()
    match letter:
        case "=":
            return lambda text: text == lower
        case "^":
            return lambda text: text.startswith(lower)
        case "$":
            return lambda text: text.endswith(lower)
        case "*":
            return lambda text: lower in text
        case "~":
            try:
                pattern = re.compile(value)
            except re.error as error:
                raise ValueError(f"{path}: {value!r} is no regular expression: {error}") from None
            return lambda text: pattern.search(text) is not None
    raise ValueError(f"{path}: expected a matching clause, got {letter + value!r}")
