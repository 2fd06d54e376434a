"""OTLP values as text, so that nothing is lost: what the letters of `attribute_types` mean, and JSON for values inside values.

A plain reader sees plain JSON. What JSON cannot say is an object with one key that starts with `$`:
`{"$bytes": "<base64>"}`, `{"$double": "NaN" | "Infinity" | "-Infinity"}`, and, for a real key-value list whose only key starts with
`$` or that repeats a key, `{"$kvlist": [["key", value], …]}`. An empty value is `null`. Integers have no `.` or exponent, doubles always do
(`1.0`, `1e+16`: Python's `repr`). Text is escaped as `json.dumps(ensure_ascii=False)` does, without blanks: `["a",1,{"k":2.5}]`.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any, cast

STRING, INT, DOUBLE, BOOL, BYTES, EMPTY, ARRAY, KVLIST = "s", "i", "d", "b", "y", "e", "a", "k"


class KeyValues(list[tuple[str, Any]]):
    """A key-value list: pairs in order; a key may repeat."""


def letter(value: Any) -> str:
    """The letter of `attribute_types` for a Python value: None is empty, list an array, `KeyValues` a key-value list."""
    match value:
        case None:
            return EMPTY
        case bool():
            return BOOL
        case int():
            return INT
        case float():
            return DOUBLE
        case str():
            return STRING
        case bytes():
            return BYTES
        case KeyValues():
            return KVLIST
        case _:
            return ARRAY


def text(value: Any) -> str:
    """A value as the text of an attribute: `"abc"` is `abc`, 12 is `12`, 1.5 is `1.5`, True is `true`, bytes are base64, empty is ``."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return double_text(value)
        case str():
            return value
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return to_json(value)


def parse(kind: str, value: str) -> Any:
    """The value that `letter` and `text` described; upper-case letters (repeated keys) mean the same."""
    match kind.lower():
        case "s":
            return value
        case "i":
            return int(value)
        case "d":
            return float(value)
        case "b":
            return value == "true"
        case "y":
            return base64.b64decode(value)
        case "e":
            return None
        case _:
            return from_json(value)


def double_text(value: float) -> str:
    """Shortest text that reads back as the same double: Python's repr, with NaN and Infinity as OTLP/JSON spells them."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def to_json(value: Any) -> str:
    """A nested value as JSON text by the rules above."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            said = double_text(value)
            return said if math.isfinite(value) else '{"$double":"' + said + '"}'
        case str():
            return json.dumps(value, ensure_ascii=False)
        case bytes():
            return '{"$bytes":"' + text(value) + '"}'
        case KeyValues():
            keys = [key for key, _ in value]
            if len(set(keys)) < len(keys) or (len(keys) == 1 and keys[0].startswith("$")):
                pairs = ",".join(f"[{to_json(key)},{to_json(item)}]" for key, item in value)
                return '{"$kvlist":[' + pairs + "]}"
            return "{" + ",".join(f"{to_json(key)}:{to_json(item)}" for key, item in value) + "}"
        case _:
            return "[" + ",".join(to_json(item) for item in value) + "]"


def from_json(value: str) -> Any:
    """The value that `to_json` wrote. Raises ValueError for text it did not write."""
    return json.loads(value, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> Any:
    if len(pairs) == 1 and pairs[0][0].startswith("$"):
        key, inner = pairs[0]
        match key:
            case "$bytes":
                return base64.b64decode(inner)
            case "$double":
                return float(inner)
            case "$kvlist":
                return KeyValues((key, item) for key, item in cast(list[tuple[str, Any]], inner))
            case _:
                raise ValueError(f"unknown marker {key!r}")
    return KeyValues(pairs)
