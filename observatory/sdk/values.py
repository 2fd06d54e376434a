"""An application's values as JSON text, within limits and without ever running its code by accident."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

_DEPTH, _ITEMS = 6, 100


def text(value: Any, longest: int) -> tuple[str, str]:
    """A value and its mime type: texts as they are, everything else as JSON. Cut after `longest` characters where it is built."""
    if isinstance(value, str):
        return value[: longest + 1], "text/plain"
    return json.dumps(_plain(value, _DEPTH, longest), ensure_ascii=False), "application/json"


def arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], longest: int) -> str:
    """A call's arguments by name, as JSON; `self` and `cls` are left out."""
    names = _names(function)
    if names is None:
        named: dict[str, Any] = {**{str(i): value for i, value in enumerate(args)}, **kwargs}
    else:
        positional, rest = names
        named = dict(zip(positional, args, strict=False))
        if len(args) > len(positional):
            named[rest or "args"] = args[len(positional) :]
        named.update(kwargs)
        if positional and positional[0] in ("self", "cls") and args:
            named.pop(positional[0], None)
    return json.dumps(_plain(named, _DEPTH, longest), ensure_ascii=False)


@functools.lru_cache(2048)
def _names(function: Callable[..., Any]) -> tuple[tuple[str, ...], str | None] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return None
    positional = tuple(each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD))
    return positional, next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), None)


def _plain(value: Any, depth: int, longest: int) -> Any:
    """Only JSON's own types. Iterators are named, not read; objects are told by their fields where they have some."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value if len(value) <= longest else value[:longest] + "… [cut]"
    if isinstance(value, float):
        return value if value == value and value not in (float("inf"), float("-inf")) else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth <= 0:
        return f"[{type(value).__name__}]"
    if isinstance(value, Mapping):
        return _many({str(key)[:200]: _plain(value[key], depth - 1, longest) for key in list(value)[:_ITEMS]}, len(value))
    if isinstance(value, list | tuple | set | frozenset):
        items = [_plain(item, depth - 1, longest) for item in list(value)[:_ITEMS]]
        return items if len(value) <= _ITEMS else [*items, f"[{len(value) - _ITEMS} more]"]
    return _object(value, depth, longest)


def _many(document: dict[str, Any], length: int) -> dict[str, Any]:
    if length > _ITEMS:
        document["…"] = f"[{length - _ITEMS} more]"
    return document


def _object(value: Any, depth: int, longest: int) -> Any:
    dump = getattr(type(value), "model_dump", None)
    if callable(dump):  # pydantic: also the answers of OpenAI's and Anthropic's clients
        try:
            return _plain(dump(value, exclude_none=True), depth, longest)
        except Exception:
            return f"[{type(value).__name__}]"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name, None), depth - 1, longest) for each in dataclasses.fields(value)[:_ITEMS]}
    content = getattr(value, "page_content", None)
    if isinstance(content, str):  # LangChain's documents
        return {"page_content": _plain(content, depth, longest), "metadata": _plain(getattr(value, "metadata", None), depth - 1, longest)}
    if isinstance(value, date | time):
        return value.isoformat()
    return f"[{type(value).__name__}]"
