"""Which attribute of a span fed which of its columns: the tables of `semconv/conventions.py`, asked about one span."""

from __future__ import annotations

from typing import Any

from observatory.model import anyvalue
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp.routing import read
from observatory.semconv.routes import routes


def origins_of(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By column: the `key` that fed it, `where` that key is (`span`, `resource`, `scope`), and `also` the keys that would have without it.
    `row` is a stored span as Python values. Columns that are not read from attributes are not told."""
    places = {
        "span": {
            key: anyvalue.parse(letter, value) for letter, (key, value) in zip(row["attribute_types"], row["attributes"], strict=True)
        },
        "resource": dict(anyvalue.from_json(row["resource"])),
        "scope": {row["scope_name"]: row["scope_name"]},
    }
    columns = schema(Signal.SPANS)
    found: dict[str, dict[str, Any]] = {}
    for route in sorted(routes(Signal.SPANS), key=lambda route: route.rank):
        value = places[route.where].get(route.key)
        if value is None or read(route.rule, columns.field(route.column).type, value) is None:
            continue
        if route.column in found:
            found[route.column].setdefault("also", []).append(route.key)
        else:
            found[route.column] = {"where": route.where, "key": route.key}
    return found
