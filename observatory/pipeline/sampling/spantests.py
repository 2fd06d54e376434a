"""Answers what policies ask of every span, in columns, when the span arrives: a boolean for each test, a hash for each key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.contracts import Nanos, Policy, SpanTest
from observatory.model import anyvalue
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.pipeline.counting.keys import text_keys
from observatory.pipeline.sampling.fresh import Fresh
from observatory.query.filter import parse, to_mask
from observatory.query.filtering.tree import quoted

_COLUMNS = frozenset(schema(Signal.SPANS).names)
_NUMBER = r"\A-?(?:[0-9]+(?:[.][0-9]*)?(?:[eE][+-]?[0-9]+)?|Infinity)\z"
"""Texts of attributes that are numbers, as `model.anyvalue` writes them."""


class Answers(NamedTuple):
    """For each test, by its column, whether each span says yes (bool); for each key the hash of each span's value (uint64), 0 for none."""

    tests: dict[str, np.ndarray]
    keys: dict[str, np.ndarray]


class SpanTests:
    """The questions of all policies, asked together. Only what is `fresh` needs memory; it is a value, for checkpoints."""

    def __init__(self, tests: Mapping[str, SpanTest], keys: Mapping[str, str]) -> None:
        """Raises FilterError for a filter that is none."""
        self._tests, self._keys = dict(tests), dict(keys)
        self.tests, self.keys = tuple(tests), tuple(keys)
        self._filters = {test.filter: parse(test.filter) for test in tests.values() if test.filter is not None}
        self._fresh = {test.fresh: Fresh() for test in tests.values() if test.fresh is not None}

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> SpanTests:
        """Those of these policies; a question that several ask is asked once."""
        policies = list(policies)
        tests = {column: test for policy in policies for column, test in policy.tests.items()}
        return cls(tests, {column: source for policy in policies for column, source in policy.keys.items()})

    def __call__(self, spans: pa.RecordBatch, now: Nanos) -> Answers:
        """Of spans (`schema(SPANS)`), at the time they arrived. What they hold that is new is remembered."""
        batch = _Spans(spans)
        ages = {column: known.ages(spans.column(column), now) for column, known in self._fresh.items()}
        return Answers(
            {column: self._answer(batch, test, ages, now) for column, test in self._tests.items()},
            {column: batch.hashes(source) for column, source in self._keys.items()},
        )

    def state(self) -> dict[str, Any]:
        """What is remembered, as JSON values."""
        return {column: known.state() for column, known in self._fresh.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Remember what `state` gave; of columns that nobody watches any more nothing."""
        for column, known in self._fresh.items():
            known.restore(state.get(column, {}))

    def _answer(self, batch: _Spans, test: SpanTest, ages: Mapping[str, np.ndarray], now: Nanos) -> np.ndarray:
        if test.filter is not None:
            return np.asarray(to_mask(self._filters[test.filter], batch.rows, "spans", now))
        if test.fresh is not None:
            return ages[test.fresh] <= test.seconds
        if test.attribute is not None:
            return batch.attribute(test)
        if test.trace_state is not None:
            return batch.trace_state(test.trace_state, test.values)
        if test.sampled:
            return np.asarray(batch.rows.column("flags")) & 1 == 1
        codes = np.asarray(batch.rows.column("status_code"))
        return np.logical_or.reduce([codes == status for status in test.statuses])  # a few compares cost a tenth of `isin`


class _Spans:
    """One batch, with what several tests look at taken once."""

    def __init__(self, rows: pa.RecordBatch) -> None:
        self.rows = rows
        attributes = rows.column("attributes")
        self._offsets = np.asarray(attributes.offsets)
        first, last = (int(self._offsets[0]), int(self._offsets[-1])) if len(self._offsets) else (0, 0)
        self._first = first
        keys = attributes.keys.slice(first, last - first)
        self._codes, self._words = np.asarray(keys.indices), keys.dictionary
        self._items = attributes.items.slice(first, last - first)
        self._values: dict[str, tuple[np.ndarray, pa.Array]] = {}
        self._resources: list[dict[str, Any]] | None = None

    def attribute(self, test: SpanTest) -> np.ndarray:
        """Which spans have an attribute, of their own or of their resource, that passes."""
        key = test.attribute or ""
        rows, values = self._of_spans(key)
        found = np.zeros(self.rows.num_rows, bool)
        found[rows[_passes(values, test)]] = True
        return found | self._of_resources(key, test)

    def trace_state(self, key: str, values: tuple[str, ...]) -> np.ndarray:
        """Which spans' trace state has the member with one of these values."""
        some = "|".join(map(quoted, values))
        pattern = rf"(?:^|,)[ \t]*{quoted(key)}=(?:{some})[ \t]*(?:,|$)"
        return np.asarray(pc.call_function("match_substring_regex", [self.rows.column("trace_state")], pc.MatchSubstringOptions(pattern)))

    def hashes(self, source: str) -> np.ndarray:
        """Of each span's value of a column or attribute; 0 for none."""
        if source == "model":
            answered, asked = (self.hashes(column) for column in ("response_model", "request_model"))
            return np.where(answered != 0, answered, asked)
        if source in _COLUMNS:
            return text_keys(_text(self.rows.column(source)))
        rows, values = self._of_spans(source)
        resources = self.rows.column("resource")
        found = text_keys(self._members(source))[np.asarray(resources.indices)]
        found[rows] = text_keys(values)
        return found

    def _of_spans(self, key: str) -> tuple[np.ndarray, pa.Array]:
        """(the rows that have the attribute, its values)."""
        if key not in self._values:
            # typed, because pyarrow looks for pandas whenever it has to guess: 30 µs
            where = np.flatnonzero(self._codes == self._words.index(pa.scalar(key, pa.string())).as_py())
            rows = np.searchsorted(self._offsets - self._first, where, side="right") - 1
            self._values[key] = rows, self._items.take(pa.array(where))
        return self._values[key]

    def _of_resources(self, key: str, test: SpanTest) -> np.ndarray:
        found = _passes(self._members(key), test)
        return found[np.asarray(self.rows.column("resource").indices)] if found.any() else np.zeros(self.rows.num_rows, bool)

    def _members(self, key: str) -> pa.Array:
        """The value of a resource attribute as text, for each distinct resource."""
        if self._resources is None:
            self._resources = [_object(text) for text in self.rows.column("resource").dictionary.to_pylist()]
        return pa.array([_member(resource.get(key)) for resource in self._resources], pa.string())


def _passes(values: pa.Array, test: SpanTest) -> np.ndarray:
    """Which texts pass; a null does not."""
    found = np.zeros(len(values), bool)
    if values.null_count == len(values):
        return found
    if test.values:
        found |= np.asarray(pc.call_function("is_in", [values], pc.SetLookupOptions(pa.array(test.values, pa.string()), skip_nulls=True)))
    if test.patterns:
        pattern = "|".join(f"(?:{pattern})" for pattern in test.patterns)
        found |= _matches(values, pattern)
    if test.low is not None or test.high is not None:
        numeric = np.flatnonzero(_matches(values, _NUMBER))
        figures = np.asarray(values.take(pa.array(numeric)).cast(pa.float64()))
        low, high = (-np.inf if test.low is None else test.low), (np.inf if test.high is None else test.high)
        found[numeric[(figures >= low) & (figures <= high)]] = True
    return found


def _matches(values: pa.Array, pattern: str) -> np.ndarray:
    found = pc.call_function("match_substring_regex", [values], pc.MatchSubstringOptions(pattern))
    return np.asarray(found.fill_null(False))


def _text(column: pa.Array) -> pa.Array:
    kind = column.type.value_type if isinstance(column, pa.DictionaryArray) else column.type
    return column if pa.types.is_string(kind) else column.cast(pa.string())


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _member(value: Any) -> str | None:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return None if value is None else anyvalue.text(value)
