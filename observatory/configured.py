"""What is configured, key by key: its value, its default, what it takes and means, and what set it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from observatory.settings import Settings

Schema = Mapping[str, Any]
Path = tuple[str, ...]
HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Origins:
    """What set which key: the `file`, if there is one, and by `section.key` the file, an environment variable or a flag."""

    file: str | None = None
    set_by: Mapping[str, str] = field(default_factory=dict)


def told(settings: Settings, origins: Origins) -> dict[str, Any]:
    """Every key as JSON, in the order of `config.toml`. `set_by` is null where the default holds. Secrets are told as `***`."""
    schema, values, defaults = Settings.model_json_schema(), settings.model_dump(mode="json"), _defaults(settings)
    sections = []
    for name in schema["properties"]:
        section = property_schema(schema, (name,)) or {}
        keys = []
        for key, named in section.get("properties", {}).items():
            wanted = property_schema(schema, (name, key)) or {}
            secret = is_secret(wanted)
            keys.append(
                {
                    "key": key,
                    "value": hidden(values[name][key]) if secret else values[name][key],
                    "default": defaults[name][key],
                    "set_by": origins.set_by.get(f"{name}.{key}"),
                    "environment": f"OBSERVATORY_{name.upper()}__{key.upper()}",
                    "takes": expected(wanted),
                    "says": " ".join((named.get("description") or wanted.get("description", "")).split()),
                    "secret": secret,
                }
            )
        sections.append({"name": name, "says": " ".join(section.get("description", "").split()), "keys": keys})
    return {"file": origins.file, "sections": sections}


def _defaults(settings: Settings) -> dict[str, Any]:
    """Of every key. A user without a home directory has no default for where data goes: null."""
    try:
        return Settings().model_dump(mode="json")
    except ValidationError:
        known = Settings.model_validate({"server": {"data": settings.server.data}}).model_dump(mode="json")
        return {**known, "server": {**known["server"], "data": None}}


def hidden(value: Any) -> Any:
    """A secret as it may be shown: how many there are, not what."""
    if not value:
        return value
    return [HIDDEN for _ in value] if isinstance(value, list | tuple) else HIDDEN


def property_schema(schema: Schema, path: Path) -> Schema | None:
    """The JSON schema of the key at `path`, `$ref` followed; None where there is no such key. List positions are parts of a path, and so is
    the type of a table that may be of several types."""
    here: Schema | None = _follow(schema, schema)
    for part in path:
        if here is None:
            return None
        if part in tags(here):
            here = {"$ref": tags(here)[part]}
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


def _any_key(schema: Schema) -> Schema | None:
    """Of a table whose keys are its user's: what each value must be."""
    values = schema.get("additionalProperties")
    return values if isinstance(values, Mapping) else None


def tags(schema: Schema) -> Mapping[str, str]:
    """Where the schemas are of a table whose key `type` says which it is."""
    return schema.get("discriminator", {}).get("mapping", {})


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
