"""A tree meets the rows it is asked of: names become columns, values become figures. What is wrong with either is said here, once for
SQL and masks alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from observatory.model.clock import SECOND, Nanos
from observatory.model.money import PICO_PER_USD
from observatory.query.filtering import values
from observatory.query.filtering.fault import FilterError, Place, did_you_mean, shown
from observatory.query.filtering.fields import TARGETS, TEXTUAL, Field, Kind, names
from observatory.query.filtering.tree import And, Compare, Everything, Expr, Not, Or, Pattern, Text, quoted

ORDER = ("<", "<=", ">", ">=")
DECIMAL_TEXT = "[+-]?[0-9]{1,40}([.][0-9]{0,40})?([eE][+-]?[0-9]{1,2})?"
"""Text of an attribute that is read as a number: what every engine reads as the same double."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """The value of an attribute of a span, as text."""

    key: str


@dataclass(frozen=True, slots=True)
class Resource:
    """The value of an attribute of the resource, as text."""

    key: str


@dataclass(frozen=True, slots=True)
class Anywhere:
    """All text of a row."""

    target: str


@dataclass(frozen=True, slots=True)
class Present:
    """There is a value."""


@dataclass(frozen=True, slots=True)
class Equal:
    """One of these texts."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """RE2 finds it."""

    regex: str


@dataclass(frozen=True, slots=True)
class Range:
    """An integer from `low` to `high`, both included, None being no end; of time since now when `relative`. Of money 10^-12 dollars."""

    low: int | None
    high: int | None
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Real:
    """A double that compares so; NaN never does."""

    op: str
    value: float


@dataclass(frozen=True, slots=True)
class Is:
    """This boolean."""

    value: bool


Source = Field | Attribute | Resource | Anywhere
Test = Present | Equal | Match | Range | Real | Is


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question of one source. A source without a value answers no."""

    source: Source
    test: Test


@dataclass(frozen=True, slots=True)
class All:
    """Every part; of no parts, yes."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Any part; of no parts, no."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Unless:
    """Not the part: also where a value is missing."""

    part: Bound


@dataclass(frozen=True, slots=True)
class OfSpans:
    """Some span of the trace is such."""

    part: Bound
    place: Place


Bound = Leaf | All | Some | Unless | OfSpans


def bind(expr: Expr, target: str, now: Nanos | None) -> Bound:
    """What `expr` asks of rows of `target`. With `now` times from now become times; without, `Range.relative` says that they are.

    Raises FilterError; KeyError for a target that does not exist.
    """
    known = names(target)
    match expr:
        case Everything():
            return All(())
        case And(parts):
            return All(tuple(bind(part, target, now) for part in parts))
        case Or(parts):
            return Some(tuple(bind(part, target, now) for part in parts))
        case Not(part):
            return Unless(bind(part, target, now))
        case Text(pattern, place):
            if target == "traces":
                return OfSpans(bind(expr, "spans", now), place)
            return Leaf(Anywhere(target), Match(f"(?is){pattern.regex}"))
        case Compare():
            source = _source(expr, target, known)
            if target == "traces" and not (isinstance(source, Field) and source in TARGETS["traces"]):
                return OfSpans(_compared(expr, source, now), _said(expr))
            return _compared(expr, source, now)


def leaves(bound: Bound) -> Iterator[Leaf | OfSpans]:
    """Every question of a filter."""
    match bound:
        case All(parts) | Some(parts):
            for part in parts:
                yield from leaves(part)
        case Unless(part):
            yield from leaves(part)
        case _:
            yield bound


def _source(asked: Compare, target: str, known: dict[str, Field]) -> Source:
    name = asked.name
    field = known.get(name) or known.get(name.lower())
    if field is None and target == "traces":
        field = names("spans").get(name) or names("spans").get(name.lower())
    if field is not None:
        return field
    if target != "llm_calls":
        if name.startswith("attr."):
            return Attribute(name.removeprefix("attr."))
        if name.startswith("resource."):
            return Resource(name.removeprefix("resource."))
        if "." in name:
            return Attribute(name)
    others = [other for other in TARGETS if name in names(other)]
    if "." in name:
        raise FilterError(f"calls have no attributes, so no {shown(name)}", _said(asked), "ask for traces or spans by it")
    hint = did_you_mean(name, [*known, *(names("spans") if target == "traces" else ())])
    if others:
        hint = f"{' and '.join(others)} have it"
    elif not hint:
        hint = "an attribute without a dot is written attr.NAME" if target != "llm_calls" else "docs/FILTER.md lists the fields"
    raise FilterError(f"{target} have no field {shown(name)}", _said(asked), hint)


def _said(asked: Compare) -> Place:
    return asked.place if asked.place.text else Place(str(asked), 0, len(asked.name))


def _compared(asked: Compare, source: Source, now: Nanos | None) -> Bound:
    kind = source.kind if isinstance(source, Field) else Kind.TEXT
    _refuse(asked, source, kind)
    found: list[Bound] = []
    for number, value in enumerate(asked.values):
        if asked.op == ":" and value.anything:
            found.append(Leaf(source, Present()))
            continue
        try:
            found.append(Leaf(source, _test(asked.op, value, source, kind, now)))
        except ValueError as wrong:
            place = asked.value_place(number)
            place = place if place.text else _said(asked)
            said = shown(value.literal if value.literal is not None else str(value))
            raise FilterError(f"{shown(asked.name)} expects {wrong}, not {said}", place) from None
    equal = [leaf.test for leaf in found if isinstance(leaf, Leaf) and isinstance(leaf.test, Equal)]
    if len(equal) > 1:  # texts are looked for together
        rest = [leaf for leaf in found if not (isinstance(leaf, Leaf) and isinstance(leaf.test, Equal))]
        found = [Leaf(source, Equal(tuple(text for test in equal for text in test.texts))), *rest]
    some = found[0] if len(found) == 1 else Some(tuple(found))
    return All((Leaf(source, Present()), Unless(some))) if asked.op == "!=" else some


def _refuse(asked: Compare, source: Source, kind: Kind) -> None:
    """Raises FilterError for an operator that the field does not know."""
    if asked.op == "~" and kind not in TEXTUAL:
        raise FilterError(f"`~` is for text, and {shown(asked.name)} is none", _said(asked))
    unordered = kind in TEXTUAL or kind in (Kind.WORD, Kind.TRUTH)
    if asked.op in ORDER and unordered and isinstance(source, Field):
        hint = "it knows `:`, `=`, `!=`" + (" and `~`" if kind in TEXTUAL else "")
        raise FilterError(f"`{asked.op}` is for what has an order, and {shown(asked.name)} has none", _said(asked), hint)


def _test(op: str, value: Pattern, source: Source, kind: Kind, now: Nanos | None) -> Test:
    """Raises ValueError, saying what is expected."""
    if op == "~":
        return Match(value.parts[0])
    if op in ORDER and kind is Kind.TEXT:  # of an attribute
        return Real(op, float(_figure(value, values.number)))
    if kind in TEXTUAL:
        return _textual(value, kind)
    if isinstance(source, Field) and kind is Kind.WORD:
        return _word(value, source)
    if kind is Kind.TRUTH:
        return Is(_figure(value, values.truth))
    return _ordered(op, value, kind, now)


def _ordered(op: str, value: Pattern, kind: Kind, now: Nanos | None) -> Test:
    match kind:
        case Kind.NUMBER:
            return Real(op, float(_figure(value, values.number)))
        case Kind.DOLLARS:
            return Real(op, float(_figure(value, values.money)))
        case Kind.SECONDS:
            return Real(op, float(_figure(value, values.duration) / SECOND))
        case Kind.TIME:
            moment: values.Moment = _figure(value, values.moment)
            if moment.relative and now is not None:
                moment = values.Moment(moment.first + now, moment.last + now)
            return Range(*_ends(op, moment.first, moment.last), moment.relative)
        case Kind.MONEY:
            amount = _figure(value, values.money) * PICO_PER_USD
        case Kind.DURATION:
            amount = _figure(value, values.duration)
        case _:
            amount = _figure(value, values.number)
    return Range(*_ends(op, amount, amount))


def _ends(op: str, first: Fraction | int, last: Fraction | int) -> tuple[int | None, int | None]:
    low, high = values.bounds(op, first, last)
    least, most = values.INT64
    if low > high or low > most or high < least:
        return 1, 0
    return None if low <= least else low, None if high >= most else high


def _figure(value: Pattern, parse: Callable[[str], Any]) -> Any:
    return parse("" if value.literal is None else value.literal)  # no figure holds a star


def _textual(value: Pattern, kind: Kind) -> Test:
    if kind is Kind.LISTING:
        return Match(_listed(value))
    if kind is Kind.ID:
        value = Pattern(tuple(part.lower() for part in value.parts))
        if not all(re.fullmatch("[0-9a-f]*", part) for part in value.parts):
            raise ValueError("hexadecimal digits, or some of them and `*`")
    return Match(rf"(?s)\A{value.regex}\z") if value.literal is None else Equal((value.literal,))


def _listed(value: Pattern) -> str:
    """RE2 that finds a member: of a JSON array of texts, or of names parted by commas."""
    plain = '[^",]*'.join(quoted(part) for part in value.parts)
    escaped = r'(?:[^"\\]|\\.)*'.join(quoted(json.dumps(part, ensure_ascii=False)[1:-1]) for part in value.parts)
    return rf'(?s)\A\s*\[(?:.*,)?\s*"{escaped}"\s*[,\]]|\A(?:[^\[].*,|)\s*{plain}\s*(?:,|\z)'


def _word(value: Pattern, source: Field) -> Test:
    word = (value.literal or "").lower()
    if word not in source.words:
        hint = did_you_mean(word, source.words)
        raise ValueError(f"one of {', '.join(source.words)}" + (f" ({hint})" if hint else ""))
    return Equal((word,))
