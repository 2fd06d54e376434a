"""The one place where questions about calls meet the filter language."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from observatory.errors import BadRequest


def condition(text: str | None, params: dict[str, Any]) -> str:
    """SQL over the columns of `llm_calls` for a filter in the product's language, TRUE without one; its values are added to `params`.

    Raises BadRequest for what is not understood.
    """
    if text is None:
        return "TRUE"
    try:
        language = import_module("observatory.query.filter")
    except ModuleNotFoundError:
        raise BadRequest("filter: this server was built without the filter language") from None
    return f"({language.to_sql(language.parse(text), 'llm_calls', params)})"
