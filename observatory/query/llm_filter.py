"""The one place where questions about calls meet the filter language."""

from __future__ import annotations

from typing import Any

from observatory.query.filtering.bind import Leaf, bind, leaves
from observatory.query.filtering.fields import Field
from observatory.query.filtering.grammar import parse
from observatory.query.filtering.sql import to_sql


def condition(text: str | None, params: dict[str, Any]) -> str:
    """SQL over the columns of `llm_calls` for a filter in the product's language, TRUE without one; its values are added to `params`.

    Raises BadRequest for what is not understood.
    """
    return "TRUE" if text is None else f"({to_sql(parse(text), 'llm_calls', params)})"


def columns(text: str | None) -> set[str] | None:
    """The columns of `llm_calls` that a filter asks about; None when it asks about more than columns. Raises BadRequest as `condition`."""
    found: set[str] = set()
    for leaf in leaves(bind(parse(text or ""), "llm_calls", None)):
        if not isinstance(leaf, Leaf) or not isinstance(leaf.source, Field):
            return None
        found.update(leaf.source.columns)
    return found
