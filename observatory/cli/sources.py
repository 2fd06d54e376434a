"""Settings from where people write them: a TOML file, the environment, the command line; the later one wins."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from observatory.cli.mistakes import mistakes, property_schema
from observatory.errors import BadConfig, CannotStart
from observatory.settings import Settings

PREFIX = "OBSERVATORY_"

Key = tuple[str, str]
"""Section and key."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was said before anything is checked: values as TOML has them, and where each key that was said comes from."""

    values: dict[str, Any]
    origins: dict[Key, str]
    """Environment variables and flags by their names; what the file says is absent here."""


def load(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings of `path` (none: the defaults), overridden by `OBSERVATORY_<SECTION>__<KEY>` and by `flags`, whose keys are
    `section.key` and whose values are None when the flag was not given.

    Raises BadConfig with every mistake at once, CannotStart when the file cannot be read.
    """
    given = gather(path, environ, flags)
    schema = Settings.model_json_schema()
    values: dict[str, Any] = {section: {} for section in schema["properties"]} | given.values  # a default that fails is told with its path
    try:
        # by way of JSON, because strict JSON is what TOML means: "5" is no number, a list may be a tuple
        return Settings.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        source = str(path) if path else "settings"
        raise BadConfig(source, mistakes(error, schema, values, given.origins)) from None


def gather(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Given:
    """The three sources laid over each other. Raises as `load`, but for mistakes in values."""
    given = Given(read_toml(path) if path else {}, {})
    schema = Settings.model_json_schema()
    for name, text in environ.items():
        section, separator, key = name.removeprefix(PREFIX).lower().partition("__")
        if name.startswith(PREFIX) and separator:
            _set(given, (section, key), _typed(property_schema(schema, (section, key)), text), name)
    for dotted, value in (flags or {}).items():
        if value is not None:
            section, _, key = dotted.partition(".")
            _set(given, (section, key), value, "--" + key.replace("_", "-"))
    return given


def origin(given: Given, path: Path | None, key: Key) -> str:
    """Where the value of a key in force comes from: a flag, an environment variable, the file, or `default`."""
    section = given.values.get(key[0])
    said = isinstance(section, dict) and key[1] in section
    return given.origins.get(key) or (str(path) if said else "default")


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


def _set(given: Given, key: Key, value: Any, origin: str) -> None:
    section = given.values.setdefault(key[0], {})
    if isinstance(section, dict):  # else the file's own mistake is reported
        section[key[1]] = value
        given.origins[key] = origin


def _typed(schema: Mapping[str, Any] | None, text: str) -> Any:
    """An environment variable is text; where the key is not, it is read as TOML would: 5, true, ["a"]."""
    if schema is None or schema.get("type", "string") == "string":
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # the validation says what was expected
