"""`config.toml` as it is shipped: every key with its default, what it takes and what it means, written from the typed configuration."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from observatory.configured import Schema, expected, hidden, is_secret, property_schema
from observatory.settings import Settings

WIDTH = 120

_HEAD = """\
Configuration of the LLM Observatory: every key, with its default. Generated; `make config` writes it again.

Start with `observatory serve --config FILE`. A file needs only the keys that differ: what is absent has the default of the
version that runs. An unknown key is refused, and all mistakes are told at once. Each key can also be set from the environment,
as OBSERVATORY_<SECTION>__<KEY> (OBSERVATORY_SERVER__LISTEN=127.0.0.1:8080), which wins over the file; flags win over both."""


def manual() -> str:
    """The text of `config.toml`. Reading it back gives the defaults."""
    schema = Settings.model_json_schema()
    parts = [_comment(_HEAD)]
    for name in schema["properties"]:
        section = property_schema(schema, (name,)) or {}
        parts.append(f"{_comment(section.get('description', ''))}\n[{name}]")
        keys = section.get("properties", {})
        parts += [_entry(key, property_schema(schema, (name, key)) or {}, keys[key]) for key in keys]
    return "\n\n".join(parts) + "\n"


def schema_text() -> str:
    """The JSON schema of `config.toml`, for editors that check and complete TOML."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema(), "title": "LLM Observatory"}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def toml_text(settings: Settings, hide: bool = True, note: Callable[[str, str], str] | None = None) -> str:
    """Settings as TOML; behind each what `note` says of (section, key). Secrets are shown as `***` unless `hide` is false."""
    schema = Settings.model_json_schema()
    lines: list[str] = []
    for name, section in settings.model_dump(mode="json").items():
        lines.append(f"{chr(10) if lines else ''}[{name}]")
        for key, value in section.items():
            shown = hidden(value) if hide and is_secret(property_schema(schema, (name, key)) or {}) else value
            line = f"{key} = {toml(shown)}" if shown is not None else f"# {key} is not set"
            lines.append(f"{line:<48}  # {' '.join(note(name, key).split())}" if note else line)
    return "\n".join(lines) + "\n"


def toml(value: Any) -> str:
    """One value as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:_}"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return "[" + ", ".join(toml(item) for item in value) + "]"
        case Mapping():
            return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }" if value else "{}"
        case _:
            return str(value)


def _entry(key: str, schema: Schema, named: Mapping[str, Any]) -> str:
    default = named.get("default", schema.get("default"))
    facts = _comment(f"{_sentence(expected(schema))}{_size(default, key)}")
    line = f"# {key} =" if default is None else f"{key} = {toml(default)}"
    return f"{_comment(named.get('description') or schema.get('description', ''))}\n{facts}\n{line}"


def _size(value: Any, key: str) -> str:
    if not key.endswith("_bytes") or not isinstance(value, int) or value < 1024:
        return ""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value % size == 0:
            return f" {value // size} {unit}."
    return ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _comment(text: str) -> str:
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        lines += [*textwrap.wrap(" ".join(paragraph.split()), WIDTH - 2), ""]
    return "\n".join(f"# {line}".rstrip() for line in lines[:-1])
