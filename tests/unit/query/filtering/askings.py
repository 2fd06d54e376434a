"""Filters and rows at random, of few words, so that they often meet; and the views that DuckDB is asked of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import strategies as st

from observatory.model.clock import DAY, SECOND
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.query.filtering.fields import TARGETS, Field, Kind
from observatory.query.filtering.tree import And, Compare, Expr, Not, Or, Pattern, Text
from observatory.storage.views import public_columns

NOW = 1_795_430_890_363_536_205
WORDS = [
    "gpt-4o",
    "gpt-4o-mini",
    "chat",
    "a*b",
    "Ünï ſ",
    "x y",
    'say "hi"\\',
    "two\nlines",
    "unknown",
    "",
    "12",
    "1e3",
    "007.50",
    "-4",
    "a,b",
    "%_",
]
REGEXES = ["gpt.*mini$", "^c", "(?i)CHAT|ünï", r"\d+", "a.b", r'"', "o.l", r"\\", "^$"]
KEYS = ["http.route", "retries", "k"]
LISTINGS = [
    '["stop"]',
    '["stop","a,b"]',
    '["Ünï ſ", "chat"]',
    "stop,chat",
    "chat",
    " a , gpt-4o",
    "[]",
    "",
    '["say \\"hi\\"\\\\"]',
    "[broken",
]
INTS = [0, 1, 7, 999, 1000, 12_000, -3, 2**62, 2**63 - 1, -(2**63)]
DOUBLES = [0.0, 0.01, 0.25, 1.5, 5.0, -2.0, float("nan"), float("inf")]
SPAN_IDS = [bytes(8), bytes.fromhex("00f067aa0ba902b7"), bytes.fromhex("00f067aa0ba902b8")]
TRACE_IDS = [bytes(16), bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736"), bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4737")]
TIMES = [NOW, NOW - 3600 * SECOND, NOW - DAY, NOW - NOW % DAY, NOW - NOW % DAY - 1, 0, 1]
RESOURCES = [
    "",
    "{}",
    '{"host.name":"chat","n":12,"on":true,"none":null,"list":["a",1],"k":"x y"}',
    '{"host.name":"gpt-4o","f":1.5,"a/b~c":"q"}',
]
MONEY = [Decimal("0.01"), Decimal("0.010000000001"), Decimal("1"), Decimal("-0.5"), Decimal("0")]


def _value(name: str, type_: pa.DataType, rng: random.Random) -> Any:
    special = {
        "finish_reasons": LISTINGS,
        "tags": LISTINGS,
        "usage_flags": LISTINGS,
        "resource": RESOURCES,
        "observation_kind": ["llm", "tool", "other"],
        "kind": range(8),
        "status_code": range(4),
    }
    if name in ("start_ns", "end_ns", "received_at"):
        return rng.choice(TIMES)
    if pa.types.is_map(type_):
        return [(key, rng.choice(WORDS)) for key in rng.sample(KEYS, rng.randrange(len(KEYS) + 1))]
    if pa.types.is_list(type_):
        return [_value("", type_.value_type, rng) for _ in range(rng.randrange(3))]
    if pa.types.is_struct(type_):
        return {field.name: _value(field.name, field.type, rng) for field in type_}
    if name in special:
        return rng.choice(list(special[name]))
    if pa.types.is_fixed_size_binary(type_):
        return rng.choice(TRACE_IDS if type_.byte_width == 16 else SPAN_IDS)
    if pa.types.is_boolean(type_):
        return rng.random() < 0.5
    if pa.types.is_floating(type_):
        return rng.choice(DOUBLES)
    if pa.types.is_decimal(type_):
        return rng.choice(MONEY)
    if pa.types.is_integer(type_):
        bits = type_.bit_width
        return rng.choice([value for value in INTS if 0 <= value < 2 ** (bits - 1)] if bits < 64 else INTS)
    return b"" if pa.types.is_binary(type_) else rng.choice(WORDS)


def rows_at_random(target: str, count: int, seed: int) -> pa.Table:
    """Rows as stored; of traces with `open`, each of an id of its own."""
    rng = random.Random(seed)
    columns = schema(Signal(target))
    rows = [
        {f.name: None if f.nullable and rng.random() < 0.3 else _value(f.name, f.type, rng) for f in columns} | {"open": rng.random() < 0.5}
        for _ in range(count)
    ]
    return pa.Table.from_pylist(rows, columns.append(pa.field("open", pa.bool_())) if target == "traces" else columns)


_DURATION = "greatest(least(end_ns::HUGEINT - start_ns, 9223372036854775807), -9223372036854775808)::BIGINT AS duration_ns"
_TRACES = f"""
SELECT lower(hex(trace_id)) AS trace_id, root_name::VARCHAR AS root_name, service_name::VARCHAR AS service_name, services,
    project::VARCHAR AS project, start_ns, {_DURATION}, span_count, error_count,
    CASE WHEN error_count > 0 THEN 'error' ELSE 'ok' END AS status, CASE WHEN open THEN 'open' ELSE 'kept' END AS state,
    make_timestamptz(received_at // 1000) AS received_at,
    llm_calls, input_tokens, output_tokens,
    CASE WHEN llm_calls > unpriced_calls THEN total_cost_usd END AS total_cost_usd, unpriced_calls,
    models, session_id, user_id
FROM stored
"""


def view_of(rows: pa.Table, target: str) -> duckdb.DuckDBPyConnection:
    """A connection with the public view of these rows."""
    con = duckdb.connect(config={"threads": 1})
    con.execute("SET TimeZone = 'UTC'")
    con.register("stored", rows)
    if target == "traces":
        selected = _TRACES
    elif target == "spans":
        selected = "SELECT " + ", ".join(f"{expression} AS {name}" for name, expression, _ in public_columns(Signal.SPANS)) + " FROM stored"
    else:
        said = {"received_at": "make_timestamptz(received_at // 1000)"}
        said |= {f.name: f"{f.name}::VARCHAR" for f in rows.schema if pa.types.is_dictionary(f.type)}
        said |= {name: f"lower(hex({name}))" for name in ("trace_id", "span_id", "parent_span_id")}
        selected = "SELECT * REPLACE (" + ", ".join(f"{how} AS {name}" for name, how in said.items()) + ") FROM stored"
    con.execute(f"CREATE TEMP VIEW {target} AS {selected}")
    return con


_SAME, _ORDER = (":", "=", "!="), (">", ">=", "<", "<=")
_FIGURES: dict[Kind, list[str]] = {
    Kind.COUNT: [
        "0",
        "1",
        "7",
        "7.5",
        "999",
        "1k",
        "12k",
        "-3",
        "1M",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
    ],
    Kind.NUMBER: ["0", "0.01", "0.25", "1.5", "5", "-2", "1e9"],
    Kind.DURATION: ["0", "1ns", "7ns", "7.5ns", "1us", "12us", "2h", "1h30m", "999999d"],
    Kind.SECONDS: ["0", "10ms", "250ms", "1.5s", "5s"],
    Kind.TIME: ["-1h", "-24h", "now", "2026-11-23", "2026-11-23T10:48:10.363536205Z", "0", "1", str(NOW)],
    Kind.MONEY: ["0.01", "$0.010000000001", "$1", "-0.5", "0", "0.0100000000005", "99999999999"],
    Kind.DOLLARS: ["0.01", "$0.25", "$5", "0"],
    Kind.TRUTH: ["true", "FALSE"],
}
_STARRED = [
    Pattern(parts) for parts in (("gpt-4o", ""), ("", "t"), ("", "n", ""), ("c", "t"), ("", "\n", "s"), ("st", ""), ("*", ""), ("", ""))
]
_HEXES = [Pattern(("00", "")), Pattern(("", "7")), Pattern(("", "Aa", "0", "")), Pattern(("", ""))]


def _compares(name: str, ops: Sequence[str], values: Sequence[Pattern]) -> list[Compare]:
    """Each operator with each value, where only `:` knows `*`; and with all values at once where that means any of them."""
    found = []
    for op in ops:
        known = tuple(value for value in values if op == ":" or value.literal is not None)
        found += [Compare(name, op, (value,)) for value in known]
        if op not in _ORDER:
            found += [Compare(name, op, known[:3]), Compare(name, op, known[-3:])]
    return found


def _words(words: Sequence[str]) -> list[Pattern]:
    return [Pattern((word,)) for word in words]


def of_text(name: str) -> list[Compare]:
    """What can be asked of text."""
    return _compares(name, _SAME, [*_words([*WORDS, "stop"]), *_STARRED]) + _compares(name, ("~",), _words(REGEXES))


def of_field(name: str, field: Field) -> list[Compare]:
    """What can be asked of a field, by each operator it knows."""
    match field.kind:
        case Kind.TEXT | Kind.TEXTS | Kind.LISTING:
            return of_text(name)
        case Kind.ID:
            ids = TRACE_IDS if field.name == "trace" else SPAN_IDS
            return _compares(name, _SAME, [*_words([*(one.hex() for one in ids), ids[1].hex().upper()]), *_HEXES])
        case Kind.WORD:
            return _compares(name, _SAME, [*_words([*field.words, field.words[0].upper()]), _STARRED[-1]])
    known = _SAME if field.kind is Kind.TRUTH else _SAME + _ORDER
    return _compares(name, known, [*_words(_FIGURES[field.kind]), _STARRED[-1]])


def of_attributes() -> list[Compare]:
    """What can be asked of attributes of spans and resources."""
    names = [KEYS[0], *(f"attr.{key}" for key in [*KEYS, "no such"]), "a.b"]
    names += [f"resource.{key}" for key in ("host.name", "n", "on", "none", "list", "f", "a/b~c", "nothing", "k")]
    ordered = [_compares(name, _ORDER, _words(["7.5", "12", "1k", "-4"])) for name in names]
    return [one for name in names for one in of_text(name)] + [one for group in ordered for one in group]


def of_anywhere() -> list[Text]:
    """Words without a field."""
    return [Text(pattern) for pattern in [*_words([*WORDS, "HAT", "ÜNÏ", "S"]), *_STARRED]]


def filters(target: str) -> st.SearchStrategy[Expr]:
    """Trees as `parse` makes them: no And in an And, no Or in an Or."""

    def flat(kind: type[And] | type[Or], parts: list[Expr]) -> Expr:
        return kind(tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))))

    def within(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        several = st.lists(inner, min_size=2, max_size=3)
        return st.one_of(inner.map(Not), several.map(lambda p: flat(And, p)), several.map(lambda p: flat(Or, p)))

    terms: list[Expr] = [one for field in TARGETS[target] for name in (field.name, *field.aliases) for one in of_field(name, field)]
    kinds = [st.sampled_from(terms)]
    kinds += [st.sampled_from(of_anywhere())] if target != "traces" else []
    kinds += [st.sampled_from(of_attributes())] if target == "spans" else []
    return st.recursive(st.one_of(kinds), within, max_leaves=6)
