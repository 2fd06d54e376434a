"""The language of the tables that say which attribute keys feed which typed columns. `conventions.py` has the tables; the decoders obey.

A row is `column  where  key  rule…`. `where` is `resource`, `span` (an attribute of the span or log record itself) or `scope`. Rows of one
column are in priority order: the first key that is present with a usable value wins, whatever the order of arrival. Without a rule the
attribute's value is taken as it is; what "usable" means then follows from the column's type in `model/schema.py`:

  int64    an int, a double without a fraction, or text that is a decimal integer (optional sign, at most 19 digits, within int64)
  float64  a double, an int, or text that Python's float() and the kernel read alike: decimal digits, optional sign, point, exponent
  bool     a bool, or text `true`/`false`/`True`/`False`
  text     a non-empty string; for other types the attribute's text (arrays are JSON text); bytes and empty values are not usable

Rules change that:

  LLM=llm TOOL=tool   these values and no others; each is read as what stands behind its `=`
  langchain=          this value is no value: the next key has its turn
  *=*                 every other value is taken as it is
  *=openinference     every other value is read as this: the mere presence of the key says so
  /1000               a float64 is divided by this (milliseconds to seconds)
  >0                  a number counts only when it is above zero
  @providers          all rules of the list of that name; a line that starts with `@providers` adds to the list

Of a scope the key is its name and the rule a `*=word`, which is then said of all its records, whatever their attributes say.

Values are looked up as text, whatever the attribute's type, and without regard to the case of ASCII letters. A `#` begins a comment.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa

from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.semconv import conventions

LONGEST_VALUE = 64
"""Bytes of a value that a rule may name; longer ones are told by their length to be none of them."""

AS_IT_IS = "*"


class Rule(NamedTuple):
    """What a row makes of a value."""

    meanings: Mapping[str, str] = MappingProxyType({})  # lower-case value -> what it is read as; "" is no value
    rest: str = AS_IT_IS  # what every other value is read as; "" is no value, `*` as it is
    divisor: float = 1.0
    above_zero: bool = False

    @property
    def maps(self) -> bool:
        """Whether it looks at what the value says."""
        return bool(self.meanings) or self.rest != AS_IT_IS

    def meaning(self, text: str) -> str:
        """What an attribute's `text` is read as: "" when it is no value, `*` when as it is."""
        return self.meanings.get(fold(text), self.rest)


class Route(NamedTuple):
    """One key that feeds one column; `rank` is its priority within the column, 0 first."""

    column: str
    where: str
    key: str
    rank: int
    rule: Rule = Rule()


_UPPER_TO_LOWER = {ord(letter): ord(letter) + 32 for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def fold(text: str) -> str:
    """ASCII letters in lower case, all else as it is."""
    return text.translate(_UPPER_TO_LOWER)


def parse(table: str, signal: Signal = Signal.SPANS) -> tuple[Route, ...]:
    """The routes of a table. Raises ValueError with the line that is wrong."""
    lists: dict[str, list[str]] = {}
    routes: list[Route] = []
    for line in table.split("\n"):
        words = line.partition("#")[0].split()
        try:
            if words and words[0].startswith("@"):
                lists.setdefault(words[0], []).extend(words[1:])
            elif words:
                column, where, key, *rules = words
                rule = _rule([rule for word in rules for rule in (lists[word] if word.startswith("@") else [word])])
                _check(schema(signal).field(column).type, where, rule)
                if where == "scope" and any(route[:3] == (column, where, key) for route in routes):
                    raise ValueError("two words for one scope")
                routes.append(Route(column, where, key, sum(route.column == column for route in routes), rule))
        except (ValueError, KeyError) as wrong:
            raise ValueError(f"in the table of routes, `{line.strip()}`: {wrong}") from None
    return tuple(routes)


def _check(type_: pa.DataType, where: str, rule: Rule) -> None:
    is_text, is_float = pa.types.is_dictionary(type_) or pa.types.is_string(type_), pa.types.is_float64(type_)
    if where not in ("resource", "scope", "span"):
        raise ValueError(f"`{where}` is neither resource nor scope nor span")
    if where == "scope" and (not pa.types.is_dictionary(type_) or rule.meanings or rule.rest in ("", AS_IT_IS)):
        raise ValueError("of a scope one word can be said, as `*=word`")
    if rule.divisor != 1.0 and not is_float:
        raise ValueError(f"only a float64 can be divided, not {type_}")
    if rule.above_zero and (is_text or pa.types.is_boolean(type_)):
        raise ValueError(f"only a number can be above zero, not {type_}")


def _rule(words: list[str]) -> Rule:
    meanings: dict[str, str] = {}
    rest = divisor = above = None
    for word in words:
        value, said, meaning = word.partition("=")
        if word == ">0":
            above = True
        elif word.startswith("/"):
            divisor = float(word[1:])
            if not 0 < divisor < float("inf"):
                raise ValueError(f"`{word}` is no rule")
        elif not said or not value or len(value.encode()) > LONGEST_VALUE:
            raise ValueError(f"`{word}` is no rule")
        elif value == "*":
            rest = meaning
        elif meanings.setdefault(fold(value), meaning) != meaning:
            raise ValueError(f"`{value}` has two meanings")
    if rest is None:
        rest = "" if meanings else AS_IT_IS
    return Rule(meanings, rest, divisor or 1.0, bool(above))


_ROUTES = {
    Signal.SPANS: parse(conventions.ORIGIN + conventions.SPANS),
    Signal.LOGS: parse(conventions.ORIGIN + conventions.LOGS, Signal.LOGS),
    Signal.METRIC_POINTS: parse(conventions.ORIGIN, Signal.METRIC_POINTS),
}


def routes(signal: Signal) -> tuple[Route, ...]:
    """The routes of a received signal, columns together, each column's keys in priority order."""
    return _ROUTES[signal]
