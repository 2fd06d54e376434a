"""Validation errors as sentences: `storage.retention_days: expected a number above 0, got "x"`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from observatory.configured import Path, Schema, expected, is_secret, literal, property_schema, tags

_TAG_MISTAKES = ("union_tag_invalid", "union_tag_not_found")  # of the key `type`, told of the table that should have it


def mistakes(error: ValidationError, schema: Schema, values: Mapping[str, Any], origins: Mapping[Path, str]) -> list[str]:
    """One sentence for each error, in the order of the schema. `origins` names what set a path, when it was not the file."""
    said = []
    for detail in error.errors(include_url=False):
        tagged = tuple(str(part) for part in detail["loc"])
        if detail["type"] == "too_short" and len(_at(values, _plain(tagged, schema))) >= detail.get("ctx", {}).get("min_length", 0):
            continue  # its entries are wrong, which is said of each
        if detail["type"] in _TAG_MISTAKES:
            tagged = (*tagged, "type")
        path = _plain(tagged, schema)
        origin = f" ({origins[path[:2]]})" if path[:2] in origins else ""
        said.append(f"{'.'.join(path)}{origin}: {_sentence(detail, tagged, schema, values)}")
    return said


def _sentence(detail: Mapping[str, Any], path: Path, schema: Schema, values: Mapping[str, Any]) -> str:
    if detail["type"] == "extra_forbidden":
        return _unknown(path, schema)
    got = _at(values, _plain(path, schema))
    if detail["type"] == "union_tag_invalid":
        types = list(tags(property_schema(schema, path[:-1]) or {}))
        near = difflib.get_close_matches(str(got), types, n=1, cutoff=0.6)
        return f"unknown type {literal(got)}; " + (f"did you mean `{near[0]}`?" if near else f"there are {', '.join(types)}")
    if detail["type"] == "union_tag_not_found":
        return "this key is required"
    if detail["type"] in ("value_error", "assertion_error"):
        said = str(detail.get("ctx", {}).get("error", detail["msg"]))
        return f"{said}, got {literal(got)}" if said.startswith("expected") else said
    if detail["type"] == "missing":
        return "this key is required"
    wanted = property_schema(schema, path)
    shown = "***" if wanted and is_secret(wanted) else _shortened(literal(got))
    return f"expected {expected(wanted) if wanted else detail['msg']}, got {shown}"


def _unknown(path: Path, schema: Schema) -> str:
    parent = property_schema(schema, path[:-1]) or {}
    siblings, key = list(parent.get("properties", {})), path[-1]
    what = "key" if len(path) > 1 else "section"
    near = difflib.get_close_matches(key, siblings, n=1, cutoff=0.6)
    if near:
        return f"unknown {what}; did you mean `{near[0]}`?"
    homes = [name for name in schema.get("properties", {}) if property_schema(schema, (name, key))]
    if homes:
        return f"unknown {what}; `{key}` belongs to [{homes[0]}]"
    return f"unknown {what}; there are {', '.join(siblings)}"


def _plain(path: Path, schema: Schema) -> Path:
    """A path as the file has it, without the types of tables."""
    return tuple(part for end, part in enumerate(path) if part not in tags(property_schema(schema, path[:end]) or {}))


def _at(values: Any, path: Path) -> Any:
    for part in path:
        if isinstance(values, Mapping) and part in values:
            values = values[part]
        elif isinstance(values, list) and part.isdigit() and int(part) < len(values):
            values = values[int(part)]
        else:
            return values
    return values


def _shortened(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
