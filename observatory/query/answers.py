"""Answers of SQL as JSON: what each type becomes, exactly.

| SQL | JSON |
|---|---|
| BOOLEAN, text, ENUM, UUID, JSON | as they are; JSON and UUID as text |
| integers | a number up to 2^53, beyond it a string: readers in JavaScript would round it |
| DOUBLE, FLOAT | a number; `"NaN"`, `"Infinity"`, `"-Infinity"` |
| DECIMAL | a number where 15 digits hold it exactly, else a string |
| TIMESTAMP…, DATE, TIME | RFC 3339 text; TIMESTAMP with 6 digits, TIMESTAMP_NS with 9; with `Z` where there is a time zone |
| INTERVAL | ISO 8601 duration: `P1M2DT3.5S` |
| BLOB, BIT | lower-case hex |
| LIST, ARRAY | array |
| STRUCT | object (repeated names: `a`, `a_1`) |
| MAP | object where all keys are text, else an array of `[key, value]` |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pyarrow as pa

from observatory.query.times import rfc3339

SAFE = 2**53 - 1
_UNIT_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_UNIT_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_DAY_NS = 86_400_000_000_000


def json_rows(batch: pa.RecordBatch) -> list[list[Any]]:
    """The rows of a batch as values `orjson` writes."""
    columns = [json_values(column) for column in batch.columns]
    return [list(row) for row in zip(*columns, strict=True)] if columns else []


def json_values(values: pa.Array) -> list[Any]:
    """The values of one column, by the table above."""
    type_ = values.type
    if isinstance(type_, pa.BaseExtensionType):
        return json_values(values.storage)
    if pa.types.is_dictionary(type_):
        words = json_values(values.dictionary)
        return [None if index is None else words[index] for index in values.indices.to_pylist()]
    if pa.types.is_integer(type_):
        return _each(values.to_pylist(), _integer)
    if pa.types.is_floating(type_):
        return _each(values.to_pylist(), _real)
    if pa.types.is_decimal(type_):
        return _each(values.to_pylist(), _decimal)
    if (
        pa.types.is_binary(type_)
        or pa.types.is_large_binary(type_)
        or pa.types.is_fixed_size_binary(type_)
        or pa.types.is_binary_view(type_)
    ):
        return _each(values.to_pylist(), bytes.hex)
    if pa.types.is_timestamp(type_):
        return _each(values.cast(pa.int64()).to_pylist(), _timestamp(type_.unit, type_.tz is not None))
    if pa.types.is_date32(type_):
        return _each(values.cast(pa.int32()).to_pylist(), _date)
    if pa.types.is_time(type_):
        units = values.cast(pa.int32() if type_.bit_width == 32 else pa.int64()).to_pylist()
        return _each(units, lambda value: _clock(value * _UNIT_NS[type_.unit], _UNIT_DIGITS[type_.unit]))
    if type_ == pa.month_day_nano_interval():
        return _each(values.to_pylist(), lambda value: _interval(*value))
    if pa.types.is_map(type_):
        return _maps(values)
    if pa.types.is_struct(type_):
        return _structs(values)
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return _lists(values)
    if pa.types.is_union(type_) or pa.types.is_duration(type_):
        return _each(values.to_pylist(), str)
    return values.to_pylist()


def _each(values: Iterable[Any], say: Callable[[Any], Any]) -> list[Any]:
    return [None if value is None else say(value) for value in values]


def _integer(value: int) -> int | str:
    return value if -SAFE <= value <= SAFE else str(value)


def _real(value: float) -> float | str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _decimal(value: Decimal) -> float | int | str:
    _, digits, exponent = value.as_tuple()
    if len(digits) > 15 or not isinstance(exponent, int):
        return str(value)
    return int(value) if exponent >= 0 else float(value)


def _timestamp(unit: str, zoned: bool) -> Callable[[int], str]:
    factor, digits = _UNIT_NS[unit], _UNIT_DIGITS[unit]

    def say(value: int) -> str:
        try:
            text = rfc3339(value * factor)
        except OverflowError:  # the years before 1 and after 9999, and infinity
            return {2**63 - 1: "infinity", -(2**63) + 1: "-infinity"}.get(value, f"{value}{unit}")
        return text[: 20 + digits if digits else 19] + ("Z" if zoned else "")

    return say


def _date(days: int) -> str:
    try:
        return rfc3339(days * _DAY_NS)[:10]
    except OverflowError:
        return {2**31 - 1: "infinity", -(2**31) + 1: "-infinity"}.get(days, f"{days}d")


def _clock(ns: int, digits: int) -> str:
    seconds, rest = divmod(ns, 1_000_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return text + (f".{rest:09d}"[: 1 + digits] if digits else "")


def _interval(months: int, days: int, nanos: int) -> str:
    date = (f"{months}M" if months else "") + (f"{days}D" if days else "")
    if not nanos:
        return f"P{date}" if date else "PT0S"
    seconds, rest = divmod(abs(nanos), 1_000_000_000)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"P{date}T{'-' if nanos < 0 else ''}{seconds}{fraction}S"


def _lists(values: pa.Array) -> list[Any]:
    if pa.types.is_fixed_size_list(values.type):
        size = values.type.list_size
        inner = json_values(values.values.slice(values.offset * size, len(values) * size))
        return [inner[i * size : (i + 1) * size] if valid else None for i, valid in enumerate(values.is_valid().to_pylist())]
    offsets = values.offsets.to_pylist()
    inner = json_values(values.values.slice(offsets[0], offsets[-1] - offsets[0])) if len(values) else []
    start = offsets[0] if offsets else 0
    spans = zip(offsets, offsets[1:], values.is_valid().to_pylist(), strict=False)
    return [inner[a - start : b - start] if valid else None for a, b, valid in spans]


def _maps(values: pa.Array) -> list[Any]:
    offsets = values.offsets.to_pylist()
    start, size = (offsets[0], offsets[-1] - offsets[0]) if len(values) else (0, 0)
    keys, items = json_values(values.keys.slice(start, size)), json_values(values.items.slice(start, size))
    key_type = values.type.key_type.value_type if pa.types.is_dictionary(values.type.key_type) else values.type.key_type
    text = pa.types.is_string(key_type) or pa.types.is_large_string(key_type)
    pairs = list(zip(keys, items, strict=True))
    found: list[Any] = []
    for a, b, valid in zip(offsets, offsets[1:], values.is_valid().to_pylist(), strict=False):
        mine = pairs[a - start : b - start]
        found.append(None if not valid else dict(mine) if text else [list(pair) for pair in mine])
    return found


def _structs(values: pa.Array) -> list[Any]:
    names = unique_names([values.type.field(i).name for i in range(values.type.num_fields)])
    fields = [json_values(values.field(i)) for i in range(len(names))]
    valid = values.is_valid().to_pylist()
    return [dict(zip(names, row, strict=True)) if ok else None for ok, *row in zip(valid, *fields, strict=True)]


def unique_names(names: Iterable[str]) -> list[str]:
    """Names with `_1`, `_2` … behind those that repeat."""
    seen: dict[str, int] = {}
    found: list[str] = []
    for name in names:
        seen[name] = seen.get(name, -1) + 1
        found.append(f"{name}_{seen[name]}" if seen[name] else name)
    return found
