"""Attribute lists as columns: unique keys, letters of types, and the typed columns by the rules in the docstring of `semconv/routes.py`.

The kernel has the same rules in C.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from observatory.model import anyvalue
from observatory.model.anyvalue import KeyValues
from observatory.semconv.routes import AS_IT_IS, Route, Rule

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOOLS = {"true": True, "True": True, "false": False, "False": False}


class Router:
    """The routes of one signal and one place (`resource` or `span`), with the columns they feed."""

    def __init__(self, schema: pa.Schema, routes: Iterable[Route], where: str) -> None:
        self._by_key: dict[str, list[tuple[Route, pa.DataType]]] = {}
        for route in routes:
            if route.where == where:
                self._by_key.setdefault(route.key, []).append((route, schema.field(route.column).type))

    def feed(self, slots: dict[str, tuple[int, Any]], key: str, value: Any) -> None:
        """Offer one attribute to the columns it feeds: `slots` holds (rank, value) by column, and the lower rank stays."""
        for route, type_ in self._by_key.get(key, ()):
            if route.column not in slots or route.rank < slots[route.column][0]:
                fit = read(route.rule, type_, value)
                if fit is not None:
                    slots[route.column] = (route.rank, fit)

    def values(self, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        """The typed columns of one attribute list."""
        slots: dict[str, tuple[int, Any]] = {}
        for key, value in pairs:
            self.feed(slots, key, value)
        return {column: value for column, (_, value) in slots.items()}


def read(rule: Rule, type_: pa.DataType, value: Any) -> Any:
    """`value` by `rule` as a value of a column of `type_`, or None when it cannot be one."""
    if rule.maps:
        text = _text(value)
        meaning = rule.meaning(text) if text else ""
        if not meaning:
            return None
        value = value if meaning == AS_IT_IS else meaning
    value = usable(type_, value)
    if value is None or (rule.above_zero and not value > 0):
        return None
    return value if rule.divisor == 1.0 else value / rule.divisor


def usable(type_: pa.DataType, value: Any) -> Any:
    """`value` as a value of a column of `type_`, or None when it cannot be one."""
    if pa.types.is_int64(type_):
        return _int(value)
    if pa.types.is_float64(type_):
        return _float(value)
    if pa.types.is_boolean(type_):
        return value if isinstance(value, bool) else _BOOLS.get(value) if isinstance(value, str) else None
    return _text(value)


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, bytes) else anyvalue.text(value) or None


def _int(value: Any) -> int | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            number = int(value)
        case str() if _INTEGER.fullmatch(value):
            number = int(value)
        case _:
            return None
    return number if -(2**63) <= number < 2**63 else None


def _float(value: Any) -> float | None:
    match value:
        case bool():
            return None
        case int() | float():
            return float(value)
        case str() if found := _DECIMAL.fullmatch(value):
            number = float(value)
            vanished = number == 0.0 and any(digit in "123456789" for digit in found[1])
            return None if vanished or number in (float("inf"), float("-inf")) else number
        case _:
            return None


def attribute_columns(attributes: KeyValues) -> tuple[list[tuple[str, str]], str]:
    """An attribute list as a map's pairs and the letters of their types; a repeated key is told apart as `model/schema.py` says."""
    taken: dict[str, int] = {}
    texts: list[tuple[str, str]] = []
    letters: list[str] = []
    for key, value in attributes:
        name, letter = unique(taken, key), anyvalue.letter(value)
        texts.append((name, anyvalue.text(value)))
        letters.append(letter if name == key else letter.upper())
    return texts, "".join(letters)


def unique(taken: dict[str, int], key: str) -> str:
    """`key`, or `key#2`, `key#3` …: the first that is not `taken` yet (and now is). Values are the last number tried."""
    if key not in taken:
        taken[key] = 1
        return key
    number = taken[key] + 1
    while (name := f"{key}#{number}") in taken:
        number += 1
    taken[key], taken[name] = number, 1
    return name
