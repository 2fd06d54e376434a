"""Settings from where people write them: a TOML file, the environment, the command line; the later one wins."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from observatory.cli.mistakes import mistakes
from observatory.configured import Origins, property_schema
from observatory.errors import BadConfig, CannotStart
from observatory.settings import Settings

PREFIX = "OBSERVATORY_"


def load(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings of `path` (none: the defaults), overridden by `OBSERVATORY_<SECTION>__<KEY>` and by `flags`, whose keys are
    `section.key` and whose values are None when the flag was not given.

    Raises BadConfig with every mistake at once, CannotStart when the file cannot be read.
    """
    return load_with_origins(path, environ, flags)[0]


def load_with_origins(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> tuple[Settings, Origins]:
    """As `load`, and what set each key."""
    values = read_toml(path) if path else {}
    set_by = {f"{section}.{key}": str(path) for section, keys in values.items() if isinstance(keys, dict) for key in keys}
    origins: dict[tuple[str, ...], str] = {}
    schema = Settings.model_json_schema()
    for section in schema["properties"]:
        values.setdefault(section, {})  # so that a default which cannot be found is told with its path
    for name, text in environ.items():
        section, separator, key = name.removeprefix(PREFIX).lower().partition("__")
        if name.startswith(PREFIX) and separator:
            _set(values, origins, (section, key), _typed(property_schema(schema, (section, key)), text), name)
    for dotted, value in (flags or {}).items():
        if value is not None:
            section, _, key = dotted.partition(".")
            _set(values, origins, (section, key), value, "--" + key.replace("_", "-"))
    set_by |= {".".join(where): origin for where, origin in origins.items()}
    try:
        # by way of JSON, because strict JSON is what TOML means: "5" is no number, a list may be a tuple
        settings = Settings.model_validate_json(json.dumps(values, default=str), strict=True)
        return settings, Origins(str(path) if path else None, set_by)
    except ValidationError as error:
        source = str(path) if path else "settings"
        raise BadConfig(source, mistakes(error, schema, values, origins)) from None


def read_toml(path: Path) -> dict[str, Any]:
    """Raises CannotStart when the file cannot be read, BadConfig with line and column when it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).partition(" (at ")
        place = where.rstrip(")") or "end of the file"
        raise BadConfig(str(path), [f"{place}: this is not TOML: {what[:1].lower()}{what[1:]}"]) from None
    except UnicodeDecodeError as error:
        raise BadConfig(str(path), [f"byte {error.start}: TOML is UTF-8, and this is not"]) from None
    except OSError as error:
        raise CannotStart(f"cannot read the configuration {path}: {error.strerror}") from None


def _set(values: dict[str, Any], origins: dict[tuple[str, ...], str], path: tuple[str, str], value: Any, origin: str) -> None:
    section = values.setdefault(path[0], {})
    if isinstance(section, dict):  # else the file's own mistake is reported
        section[path[1]] = value
        origins[path] = origin


def _typed(schema: Mapping[str, Any] | None, text: str) -> Any:
    """An environment variable is text; where the key is not, it is read as TOML would: 5, true, ["a"]."""
    if schema is None or schema.get("type", "string") == "string":
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # the validation says what was expected
