"""Keep traces of which some span, or its resource, is such: one class, and a constructor for each kind of question.

They are `string`, `numeric`, `boolean`, `status`, `trace_state`, `trace_flags`, `expression`, `model`, `user`, `session`, `error_class` and
`first_seen`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.contracts import Nanos, SpanTest, State, Votes
from observatory.policies.reason import Reason, numbers

_PAIR = re.compile(r'\\.|"', re.DOTALL)  # what a backslash escapes, or a bare quote

STATUSES = {"unset": 0, "ok": 1, "error": 2}
FRESH = {
    "model": ("response_model", "request_model"),
    "error": ("error_type",),
    "operation": ("operation",),
    "name": ("name",),
}
"""What `first_seen` watches: columns of spans by the name people give."""


@dataclass(frozen=True, slots=True)
class SomeSpan(Reason):
    """Traces of which some span answers yes to one of the questions."""

    questions: tuple[SpanTest, ...]
    name: str = "some_span"

    @property
    def tests(self) -> Mapping[str, SpanTest]:
        """The questions, by column."""
        return {question.column: question for question in self.questions}

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE where any question was answered yes."""
        return Votes.sample_where(np.logical_or.reduce([numbers(traces, column) for column in self.tests]))


def string(attribute: str, values: Sequence[str] = (), patterns: Sequence[str] = (), name: str = "string") -> SomeSpan:
    """An attribute of the span or its resource is exactly one of `values`, or one of `patterns` (RE2) is found in it."""
    return SomeSpan((SpanTest(attribute=attribute, values=tuple(values), patterns=tuple(patterns)),), name)


def numeric(attribute: str, at_least: float | None = None, at_most: float | None = None, name: str = "numeric") -> SomeSpan:
    """An attribute of the span or its resource is a number within the bounds, both included."""
    return SomeSpan((SpanTest(attribute=attribute, low=at_least, high=at_most),), name)


def boolean(attribute: str, value: bool = True, name: str = "boolean") -> SomeSpan:
    """An attribute of the span or its resource is true, or false."""
    return SomeSpan((SpanTest(attribute=attribute, values=("true" if value else "false",)),), name)


def status(statuses: Sequence[str] = ("error",), name: str = "status") -> SomeSpan:
    """A span has one of these statuses: `error`, `ok`, `unset`."""
    return SomeSpan((SpanTest(statuses=tuple(STATUSES[status] for status in statuses)),), name)


def trace_state(key: str, values: Sequence[str], name: str = "trace_state") -> SomeSpan:
    """The W3C trace state of a span has the member `key` with one of these values."""
    return SomeSpan((SpanTest(trace_state=key, values=tuple(values)),), name)


def trace_flags(name: str = "trace_flags") -> SomeSpan:
    """A span carries the W3C flag `sampled`."""
    return SomeSpan((SpanTest(sampled=True),), name)


def expression(filter: str, name: str = "expression") -> SomeSpan:
    """A span matches the filter (docs/FILTER.md, fields of spans)."""
    return SomeSpan((SpanTest(filter=filter),), name)


def model(models: Sequence[str], name: str = "model") -> SomeSpan:
    """One of these models answered or was asked for; `*` stands for any text."""
    return expression(f"model:({' or '.join(map(_quoted, models))})", name)


def user(users: Sequence[str], name: str = "user") -> SomeSpan:
    """One of these users; `*` stands for any text."""
    return expression(f"user:({' or '.join(map(_quoted, users))})", name)


def session(sessions: Sequence[str], name: str = "session") -> SomeSpan:
    """One of these sessions; `*` stands for any text."""
    return expression(f"session:({' or '.join(map(_quoted, sessions))})", name)


def error_class(types: Sequence[str] = (), patterns: Sequence[str] = (), name: str = "error_class") -> SomeSpan:
    """A span failed with one of these `error.type`s (`*` stands for any text), or one of `patterns` (RE2) is found in its `error.type`."""
    asked = [f"error_type:{_quoted(type_)}" for type_ in types]
    asked += [f'error_type~"{_PAIR.sub(_unquoted, pattern)}"' for pattern in patterns]
    return expression(" or ".join(asked), name)


def first_seen(of: Sequence[str] = tuple(FRESH), seconds: float = 600.0, name: str = "first_seen") -> SomeSpan:
    """A span has a model, error type, operation or name (`of`, keys of `FRESH`) that was seen for the first time within `seconds`."""
    columns = [column for what in of for column in FRESH[what]]
    return SomeSpan(tuple(SpanTest(fresh=column, seconds=seconds) for column in columns), name)


def _unquoted(pair: re.Match[str]) -> str:
    """A quote of an expression, between the filter language's own quotes; every other backslash is the expression's."""
    return '\\"' if pair[0] == '"' else pair[0]


def _quoted(text: str) -> str:
    """Text between the quotes of the filter language, in which `*` stays any text."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in text) + '"'
