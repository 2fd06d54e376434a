"""A filter answered over Arrow columns as they are stored. A dictionary is looked at once for each of its texts, not once for each row."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model import anyvalue
from observatory.model.arrays import hex_text
from observatory.model.clock import Nanos
from observatory.model.money import picodollars
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
    Present,
    Range,
    Real,
    Resource,
    Some,
    Test,
    Unless,
    bind,
)
from observatory.query.filtering.fault import FilterError
from observatory.query.filtering.fields import ANYWHERE, SPAN_KINDS, STATUS, Field, Kind
from observatory.query.filtering.tree import Expr

_COMPARE = {
    ":": np.equal,
    "=": np.equal,
    "!=": np.equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def to_mask(expr: Expr, rows: pa.RecordBatch | pa.Table, target: str, now: Nanos) -> pa.BooleanArray:
    """Which rows the filter matches; one boolean a row, never null. `now` is what `-1h` counts from.

    `rows` have the columns of `model.schema` that the filter names: spans, calls, or traces whose fragments were added together (the column
    `open`, a boolean, is needed for `state` only). Raises FilterError for what cannot be asked of them, and for conditions of traces that
    only spans can answer; KeyError for a column that is missing.
    """
    bound = bind(expr, target, now)
    _refuse_spans(bound)
    batches = rows.to_batches() if isinstance(rows, pa.Table) else [rows]
    found = [_Mask(batch, target).of(bound) for batch in batches if batch.num_rows]
    return pa.array(np.concatenate(found) if found else np.zeros(0, bool), pa.bool_())


def _refuse_spans(bound: Bound) -> None:
    match bound:
        case OfSpans(_, place):
            raise FilterError("only spans can answer this, and here only traces as a whole are known", place)
        case All(parts) | Some(parts):
            for part in parts:
                _refuse_spans(part)
        case Unless(part):
            _refuse_spans(part)
        case Leaf():
            pass


class _Mask:
    def __init__(self, rows: pa.RecordBatch, target: str) -> None:
        self._rows, self._target = rows, target

    def of(self, bound: Bound) -> np.ndarray:
        match bound:
            case All(parts):
                found = np.ones(self._rows.num_rows, bool)
                for part in parts:
                    found &= self.of(part)
                    if not found.any():
                        break
                return found
            case Some(parts):
                return np.logical_or.reduce([self.of(part) for part in parts]) if parts else np.zeros(self._rows.num_rows, bool)
            case Unless(part):
                return ~self.of(part)
            case Leaf(source, test):
                return self._leaf(source, test)
            case OfSpans():
                raise AssertionError("refused before")

    def _leaf(self, source: Field | Attribute | Resource | Anywhere, test: Test) -> np.ndarray:
        match source:
            case Attribute(key):
                return _attribute(self._rows.column("attributes"), key, test)
            case Resource(key):
                return _resource(self._rows.column("resource"), key, test)
            case Anywhere():
                return self._anywhere(source.target, test)
            case Field():
                return self._field(source, test)

    def _field(self, field: Field, test: Test) -> np.ndarray:
        read = _READ.get((self._target, field.name))
        columns = [read(self._rows)] if read else [self._rows.column(name) for name in field.columns]
        first = columns[0]
        if field.kind is Kind.TEXTS:
            return _of_lists(first.offsets, first.values, test)
        if field.kind is Kind.COUNT and len(columns) > 1:
            return _of_integers(_total(columns), test)
        if field.kind is Kind.TIME and field.sql:  # the view has microseconds
            return _of_integers(pa.array(np.asarray(first) // 1000 * 1000), test)
        if field.kind in (Kind.TEXT, Kind.LISTING, Kind.WORD, Kind.ID):
            found = [_of_text(hex_text(column) if field.kind is Kind.ID else column, test, blank=field.blank) for column in columns]
            if field.unsaid is not None:
                found.append(np.asarray(first.is_null()) & _of_text(pa.array([field.unsaid]), test)[0])
            return np.logical_or.reduce(found)
        if field.kind is Kind.MONEY:
            return _of_integers(first if read else _picodollars(first), test)
        if field.kind in (Kind.NUMBER, Kind.DOLLARS, Kind.SECONDS):
            return _of_doubles(first, test)
        return _of_truths(first, test) if field.kind is Kind.TRUTH else _of_integers(first, test)

    def _anywhere(self, target: str, test: Test) -> np.ndarray:
        found = [_of_text(self._rows.column(name), test) for name in ANYWHERE[target]]
        if target == "spans":
            attributes, events = self._rows.column("attributes"), self._rows.column("events")
            found.append(_of_map(attributes, test))
            name, within = _parts(events, "name"), _parts(events, "attributes")
            found.append(_spread(events.offsets, _of_text(name, test) | _of_map(within, test)))
        return np.logical_or.reduce(found)


def _of_text(texts: pa.Array, test: Test, *, blank: bool = False) -> np.ndarray:
    """Whether each text passes; a null does not, nor an empty one when `blank`."""
    if isinstance(texts, pa.DictionaryArray):
        return _picked(texts, _of_text(texts.dictionary, test, blank=blank))
    match test:
        case Equal(wanted):
            found = pc.call_function("is_in", [texts], pc.SetLookupOptions(pa.array(wanted, pa.string()), skip_nulls=True))
        case Match(regex):
            found = pc.call_function("match_substring_regex", [texts], pc.MatchSubstringOptions(regex))
        case Real(op, value):
            return _of_figures(texts, op, value)
        case _:
            found = texts.is_valid()
    said = _truths(found)
    return said & _truths(pc.call_function("not_equal", [texts, pa.scalar("")])) if blank else said


def _of_figures(texts: pa.Array, op: str, value: float) -> np.ndarray:
    """Texts that are numbers, compared."""
    options = pc.MatchSubstringOptions(rf"\A(?:{DECIMAL_TEXT})\z")
    figures = _truths(pc.call_function("match_substring_regex", [texts], options))
    found = np.zeros(len(texts), bool)
    numbers = texts.filter(pa.array(figures)).to_pylist()
    found[figures] = _COMPARE[op](np.array([float(number) for number in numbers], np.float64), value)
    return found


def _of_integers(integers: pa.Array, test: Test) -> np.ndarray:
    there = np.asarray(integers.is_valid())
    if not isinstance(test, Range) or (test.low is None and test.high is None):
        return there
    found = np.asarray(integers.fill_null(0)) if integers.null_count else np.asarray(integers)
    low, high = test.low, test.high
    if low is not None:
        there = there & (found >= low)
    return there & (found <= high) if high is not None else there


def _of_doubles(doubles: pa.Array, test: Test) -> np.ndarray:
    found = np.asarray(doubles.fill_null(float("nan")))
    return _COMPARE[test.op](found, test.value) if isinstance(test, Real) else ~np.isnan(found)


def _of_truths(truths: pa.Array, test: Test) -> np.ndarray:
    return (
        np.asarray(truths.is_valid())
        if not isinstance(test, Is)
        else _truths(truths if test.value else pc.call_function("invert", [truths]))
    )


def _attribute(attributes: pa.MapArray, key: str, test: Test) -> np.ndarray:
    offsets = np.asarray(attributes.offsets)
    first, last = int(offsets[0]), int(offsets[-1])
    keys = attributes.keys.slice(first, last - first)
    where = np.flatnonzero(_of_text(keys, Equal((key,))))
    values = attributes.items.slice(first, last - first).take(pa.array(where))
    rows = np.searchsorted(offsets - first, where, side="right") - 1
    found = np.zeros(len(attributes), bool)
    found[rows[_of_text(values, test)]] = True
    return found


def _resource(resources: pa.Array, key: str, test: Test) -> np.ndarray:
    coded = resources if isinstance(resources, pa.DictionaryArray) else resources.dictionary_encode()
    texts = pa.array([_member(text, key) for text in coded.dictionary.to_pylist()], pa.string())
    return _picked(coded, _of_text(texts, test))


def _member(resource: str, key: str) -> str | None:
    try:
        value: Any = json.loads(resource)[key]
    except (ValueError, KeyError, TypeError):
        return None
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return None if value is None else anyvalue.text(value)


def _of_lists(offsets: pa.Array, values: pa.Array, test: Test) -> np.ndarray:
    ends = np.asarray(offsets)
    if isinstance(test, Present):
        return np.diff(ends) > 0
    first, last = int(ends[0]), int(ends[-1])
    return _spread(offsets, _of_text(values.slice(first, last - first), test))


def _of_map(maps: pa.MapArray, test: Test) -> np.ndarray:
    return _of_lists(maps.offsets, maps.items, test)


def _spread(offsets: pa.Array, found: np.ndarray) -> np.ndarray:
    """Whether any member of each list was found; `found` begins with the first list's members."""
    ends = np.asarray(offsets)
    places = np.concatenate(([0], np.cumsum(found, dtype=np.int64)))
    return np.diff(places[ends - ends[0]]) > 0


def _parts(lists: pa.ListArray, name: str) -> Any:
    """One field of the structs in lists, those of the slice only."""
    structs: Any = lists.flatten()
    return structs.flatten()[structs.type.get_field_index(name)]


def _picked(coded: pa.DictionaryArray, found: np.ndarray) -> np.ndarray:
    """What was found of the dictionary, for each row."""
    if not len(found):
        return np.zeros(len(coded), bool)
    indices: pa.Array = coded.indices
    if not indices.null_count:
        return found[np.asarray(indices)]
    return found[np.asarray(indices.fill_null(0))] & np.asarray(indices.is_valid())


def _truths(found: pa.Array) -> np.ndarray:
    return np.asarray(found.fill_null(False) if found.null_count else found)


def _total(columns: list[pa.Array]) -> pa.Array:
    """The sum of counts, a null being 0 when there is another; held at the ends of int64."""
    one, other = (np.asarray(column.fill_null(0)) for column in columns)
    total = one + other
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    total[(one > 0) & (other > 0) & (total < 0)] = most
    total[(one < 0) & (other < 0) & (total >= 0)] = least
    return pa.array(total, mask=np.logical_and(*(np.asarray(column.is_null()) for column in columns)))


def _words(words: tuple[str, ...], codes: np.ndarray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(words, pa.string()))


def _span_status(rows: pa.RecordBatch) -> pa.Array:
    codes = np.asarray(rows.column("status_code"))
    return _words(STATUS, np.where((codes == 1) | (codes == 2), codes, 0))


def _span_kind(rows: pa.RecordBatch) -> pa.Array:
    codes = np.asarray(rows.column("kind"))
    named = (codes >= 0) & (codes < len(SPAN_KINDS))
    return _words((*SPAN_KINDS, "<other>"), np.where(named, codes, len(SPAN_KINDS)))


def _trace_duration(rows: pa.RecordBatch) -> pa.Array:
    """As the views say it: held at the ends of int64."""
    start, end = np.asarray(rows.column("start_ns")), np.asarray(rows.column("end_ns"))
    took = end - start
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    took[(start < 0) & (end >= 0) & (took < 0)] = most
    took[(start >= 0) & (end < 0) & (took >= 0)] = least
    return pa.array(took)


def _trace_status(rows: pa.RecordBatch) -> pa.Array:
    return _words(("ok", "error"), np.asarray(rows.column("error_count")) > 0)


def _trace_cost(rows: pa.RecordBatch) -> pa.Array:
    """Without one priced call there is no cost."""
    unpriced = np.asarray(rows.column("llm_calls")) <= np.asarray(rows.column("unpriced_calls"))
    return pa.array(picodollars(rows.column("total_cost_usd")), mask=unpriced)


def _picodollars(money: pa.Array) -> pa.Array:
    return pa.array(picodollars(money), mask=np.asarray(money.is_null()))


def _trace_state(rows: pa.RecordBatch) -> pa.Array:
    return _words(("kept", "open"), np.asarray(rows.column("open")))


def _call_status(rows: pa.RecordBatch) -> pa.Array:
    return _words(("ok", "error"), np.asarray(rows.column("is_error")))


_READ: dict[tuple[str, str], Callable[[pa.RecordBatch], pa.Array]] = {
    ("spans", "status"): _span_status,
    ("spans", "kind"): _span_kind,
    ("traces", "duration"): _trace_duration,
    ("traces", "status"): _trace_status,
    ("traces", "state"): _trace_state,
    ("traces", "cost"): _trace_cost,
    ("llm_calls", "status"): _call_status,
}
"""Fields that are stored otherwise than the views say them."""
