"""A filter as a condition of DuckDB SQL. Every value is a bound parameter; the text of the condition has only names of columns we know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from observatory.model.clock import Nanos
from observatory.query.filtering.bind import (
    DECIMAL_TEXT,
    All,
    Anywhere,
    Attribute,
    Bound,
    Equal,
    Is,
    Leaf,
    Match,
    OfSpans,
    Range,
    Real,
    Resource,
    Some,
    Test,
    Unless,
    bind,
    leaves,
)
from observatory.query.filtering.fields import ANYWHERE, Field, Kind
from observatory.query.filtering.tree import Expr

_OPERATORS = {":": "=", "=": "=", "!=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def to_sql(
    expr: Expr,
    target: str,
    params: dict[str, Any],
    *,
    now: Nanos | None = None,
    columns: Mapping[str, str] | None = None,
    of_spans: Callable[[str, dict[str, Any]], str] | None = None,
) -> str:
    """A condition over the columns of a public view (`spans`, `traces`, `llm_calls`; docs/SQL.md), for a WHERE: it is NULL or FALSE where
    the filter does not match. Its `$name`s are added to `params`, under names that are free there.

    `now` is what `-1h` counts from, by default DuckDB's `now()`. `columns` has SQL for columns that are called otherwise where it is asked.
    A condition of traces that only spans can answer is `trace_id IN (SELECT trace_id FROM spans WHERE …)`, or what `of_spans` makes of the
    condition over `spans` and its parameters.

    Raises FilterError for what cannot be asked of the target.
    """
    return _Sql(target, params, columns or {}, of_spans).of(bind(expr, target, now))


def of_spans(expr: Expr) -> list[str]:
    """The conditions that a filter of traces asks of their spans, as SQL over the view `spans`; its parameters are not told, only the
    columns matter. Raises FilterError as `to_sql` does.
    """
    asked = (leaf for leaf in leaves(bind(expr, "traces", None)) if isinstance(leaf, OfSpans))
    return [_Sql("spans", {}, {}, None).of(leaf.part) for leaf in asked]


class _Sql:
    def __init__(
        self, target: str, params: dict[str, Any], columns: Mapping[str, str], of_spans: Callable[[str, dict[str, Any]], str] | None
    ) -> None:
        self._target, self._params, self._columns, self._of_spans = target, params, columns, of_spans

    def of(self, bound: Bound) -> str:
        match bound:
            case All(parts):
                return "(" + " AND ".join(self.of(part) for part in parts) + ")" if parts else "TRUE"
            case Some(parts):
                return "(" + " OR ".join(self.of(part) for part in parts) + ")" if parts else "FALSE"
            case Unless(part):
                return f"(({self.of(part)}) IS NOT TRUE)"
            case OfSpans(part):
                return self._spans(part)
            case Leaf(source, test):
                return self._leaf(source, test)

    def _spans(self, part: Bound) -> str:
        if self._of_spans is not None:
            params: dict[str, Any] = {}
            return self._of_spans(_Sql("spans", params, {}, None).of(part), params)
        condition = _Sql("spans", self._params, {}, None).of(part)
        return f"{self._column('trace_id')} IN (SELECT trace_id FROM spans WHERE {condition})"

    def _leaf(self, source: Field | Attribute | Resource | Anywhere, test: Test) -> str:
        match source:
            case Attribute(key):
                return self._text(f"attributes[{self._bound(key)}]", test)
            case Resource(key):
                pointer = "/" + key.replace("~", "~0").replace("/", "~1")
                return self._text(f"json_extract_string(resource, {self._bound(pointer)})", test)
            case Anywhere(target):
                return self._anywhere(target, test)
            case Field():
                return self._field(source, test)

    def _field(self, field: Field, test: Test) -> str:
        first, *others = (self._column(name) for name in field.columns)
        if field.sql and field.columns[0] not in self._columns:
            first = field.sql
        if field.unsaid is not None:
            first = f"coalesce({first}, '{field.unsaid}')"
        if field.blank:
            first = f"nullif({first}, '')"
        match field.kind:
            case Kind.TEXTS:
                return self._texts(first, test)
            case Kind.COUNT if others:
                column = f"coalesce({first}, 0)::HUGEINT + coalesce({others[0]}, 0)"
                return self._figure(f"(CASE WHEN coalesce({first}, {others[0]}) IS NOT NULL THEN {column} END)", field, test)
            case Kind.WORD if isinstance(test, Equal) and test.texts and all(text in dict(field.codes) for text in test.texts):
                return f"({' OR '.join(dict(field.codes)[text] for text in test.texts)})"
            case Kind.TEXT | Kind.LISTING | Kind.ID | Kind.WORD:
                parts = [self._text(column, test) for column in (first, *others)]
                return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"
            case _:
                return self._figure(first, field, test)

    def _figure(self, column: str, field: Field, test: Test) -> str:
        match test:
            case Range(low, high, relative):
                return self._range(column, field, low, high, relative)
            case Real(op, value):
                return f"({column} {_OPERATORS[op]} {self._bound(value)} AND NOT isnan({column}))"
            case Is(value):
                return f"{column} = {self._bound(value)}"
            case _:
                nan = f" AND NOT isnan({column})" if field.kind in (Kind.NUMBER, Kind.DOLLARS, Kind.SECONDS) else ""
                return f"({column} IS NOT NULL{nan})"

    def _range(self, column: str, field: Field, low: int | None, high: int | None, relative: bool) -> str:
        if low is not None and high is not None and low > high:
            return "FALSE"

        def end(value: int) -> str:
            if field.kind is Kind.MONEY:
                return self._bound(Decimal(value).scaleb(-12))
            return f"epoch_ns(now()) + {self._bound(value)}" if relative else self._bound(value)

        if low is not None and low == high:
            return f"{column} = {end(low)}"
        if low is not None and high is not None:
            return f"{column} BETWEEN {end(low)} AND {end(high)}"
        if low is not None:
            return f"{column} >= {end(low)}"
        return f"{column} <= {end(high)}" if high is not None else f"{column} IS NOT NULL"

    def _text(self, column: str, test: Test) -> str:
        match test:
            case Equal((text,)):
                return f"{column} = {self._bound(text)}"
            case Equal(texts):
                return f"{column} IN ({', '.join(self._bound(text) for text in texts)})"
            case Match(regex):
                return f"regexp_matches({column}, {self._bound(regex)})"
            case Real(op, value):
                figure = f"CASE WHEN regexp_full_match({column}, '{DECIMAL_TEXT}') THEN TRY_CAST({column} AS DOUBLE) END"
                return f"({figure}) {_OPERATORS[op]} {self._bound(value)}"
            case _:
                return f"{column} IS NOT NULL"

    def _texts(self, column: str, test: Test) -> str:
        match test:
            case Equal(texts):
                return f"list_has_any({column}, [{', '.join(self._bound(text) for text in texts)}])"
            case Match(regex):
                return _any(column, f"regexp_matches(v, {self._bound(regex)})")
            case _:
                return f"len({column}) > 0"

    def _anywhere(self, target: str, test: Test) -> str:
        regex = self._bound(test.regex if isinstance(test, Match) else "")
        parts = [f"regexp_matches({self._column(name)}, {regex})" for name in ANYWHERE[target]]
        if target == "spans":
            said = _any("map_values(attributes)", f"regexp_matches(v, {regex})")
            within = _any("map_values(e.attributes)", f"regexp_matches(v, {regex})")
            parts += [said, f"len(list_filter(events, LAMBDA e : regexp_matches(e.name, {regex}) OR {within})) > 0"]
        return f"({' OR '.join(parts)})"

    def _column(self, name: str) -> str:
        return self._columns.get(name, name)

    def _bound(self, value: Any) -> str:
        number = len(self._params)
        while (name := f"filter_{number}") in self._params:
            number += 1
        self._params[name] = value
        return f"${name}"


def _any(column: str, condition: str) -> str:
    return f"len(list_filter({column}, LAMBDA v : {condition})) > 0"
