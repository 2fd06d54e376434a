"""Validation errors as sentences: `storage.retention_days: expected a number above 0, got "x"`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

Schema = Mapping[str, Any]
Path = tuple[str, ...]

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


def property_schema(schema: Schema, path: Path) -> Schema | None:
    """The JSON schema of the key at `path`, `$ref` followed; None where there is no such key. List positions are parts of a path, and so is
    the type of a table that may be of several types."""
    here: Schema | None = _follow(schema, schema)
    for part in path:
        if here is None:
            return None
        if part in _tags(here):
            here = {"$ref": _tags(here)[part]}
        else:
            here = here.get("items") if part.isdigit() and "items" in here else here.get("properties", {}).get(part, _any_key(here))
        here = None if here is None else _follow(schema, here)
    return here


def expected(schema: Schema) -> str:
    """What a key wants, in words: `a number above 0`, `"text" or "json"`, `a whole number from 1 to 100`."""
    if "enum" in schema or "const" in schema:
        return " or ".join(literal(choice) for choice in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(expected(choice) for choice in schema["anyOf"] if choice.get("type") != "null")
    match schema.get("type"):
        case "integer":
            return "a whole number" + _bounds(schema)
        case "number":
            return "a number" + _bounds(schema)
        case "boolean":
            return "true or false"
        case "string":
            return "an address, host:port" if schema.get("title") == "host:port" else "text"
        case "array":
            some = f" of at least {schema['minItems']}" if schema.get("minItems") else ""
            return f"a list{some}, each " + expected(schema.get("items", {}))
        case "object":
            return "a table"
    return "a value"


def is_secret(schema: Schema) -> bool:
    """Whether the key's value, or each value of its list, must not be shown."""
    return bool(schema.get("writeOnly") or schema.get("items", {}).get("writeOnly"))


def literal(value: Any) -> str:
    """A value as TOML would spell it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _sentence(detail: Mapping[str, Any], path: Path, schema: Schema, values: Mapping[str, Any]) -> str:
    if detail["type"] == "extra_forbidden":
        return _unknown(path, schema)
    got = _at(values, _plain(path, schema))
    if detail["type"] == "union_tag_invalid":
        types = list(_tags(property_schema(schema, path[:-1]) or {}))
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


def _any_key(schema: Schema) -> Schema | None:
    """Of a table whose keys are its user's: what each value must be."""
    values = schema.get("additionalProperties")
    return values if isinstance(values, Mapping) else None


def _tags(schema: Schema) -> Mapping[str, str]:
    """Where the schemas are of a table whose key `type` says which it is."""
    return schema.get("discriminator", {}).get("mapping", {})


def _plain(path: Path, schema: Schema) -> Path:
    """A path as the file has it, without the types of tables."""
    return tuple(part for end, part in enumerate(path) if part not in _tags(property_schema(schema, path[:end]) or {}))


def _bounds(schema: Schema) -> str:
    names = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    low, above, high, below = (f"{schema[name]:_}" if name in schema else None for name in names)
    if low is not None and high is not None:
        return f" from {low} to {high}"
    lower = f" of at least {low}" if low is not None else f" above {above}" if above is not None else ""
    upper = f"at most {high}" if high is not None else f"below {below}" if below is not None else ""
    return lower + (" and " if lower else " of " if high is not None else " ") + upper if upper else lower


def _follow(root: Schema, schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    return root["$defs"][schema["$ref"].removeprefix("#/$defs/")]


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
