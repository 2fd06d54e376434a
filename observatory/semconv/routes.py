"""Which attribute keys feed which typed columns: how `spans.table` reads. The decoders are made from it.

A line is `column  where  key  [words]`. Lines of one column are in priority order: the first key that is present with a usable value wins,
whatever the order of arrival. `where` is `resource` or `span` (an attribute of the span or log record itself). What "usable" means follows
from the column's type in `model/schema.py`:

  int64    an int, a double without a fraction, or text that is a decimal integer (optional sign, at most 19 digits, within int64)
  float64  a double, an int, or text that Python's float() and the kernel read alike: decimal digits, optional sign, point, exponent
  bool     a bool, or text `true`/`false`/`True`/`False`
  text     a non-empty string; for other types the attribute's text (arrays are JSON text); bytes and empty values are not usable

Words translate the attribute's text before that:

  LLM=llm          this value means that one
  langchain=       this value is none: the next key has its turn
  *=openinference  any other value means this
  *                any other value means itself; with words but without a `*`, any other value is none
  x0.001           the number is multiplied by this (float64 only)
  @providers       the words that the table's lines `@providers …` list
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import NamedTuple

from observatory.model.signal import Signal

_ORIGIN = """
service_name    resource  service.name
environment     resource  deployment.environment.name
environment     resource  deployment.environment
environment     resource  langfuse.environment
project         resource  observatory.project
"""
_LOGS = "event_name  span  event.name\n"  # OTLP's own `event_name` field, when it is set, wins over the older attribute


@dataclass(frozen=True, slots=True)
class Words:
    """What values mean; "" is none. `rest` is what any other value means: a text, "" for none, None for itself."""

    meant: Mapping[str, str] = field(default_factory=dict)
    rest: str | None = ""

    def translate(self, text: str) -> str:
        """The meaning of a value, "" when it has none."""
        meant = self.meant.get(text, self.rest)
        return text if meant is None else meant


class Route(NamedTuple):
    """One key that feeds one column; `rank` is its priority within the column, 0 first."""

    column: str
    where: str
    key: str
    rank: int
    words: Words | None = None
    scale: float = 1.0


def routes(signal: Signal) -> tuple[Route, ...]:
    """The routes of a received signal, columns together, each column's keys in priority order."""
    return _ROUTES[signal]


def parse(table: str) -> tuple[Route, ...]:
    """The routes of a table's text; `#` begins a comment."""
    found: list[Route] = []
    named: dict[str, list[str]] = {}
    for line in table.split("\n"):
        parts = line.partition("#")[0].split()
        if parts and parts[0][0] == "@":
            named.setdefault(parts[0], []).extend(parts[1:])
        elif parts:
            column, where, key, *listed = parts
            words = [word for each in listed for word in (named[each] if each[0] == "@" else [each])]
            rank = sum(route.column == column for route in found)
            scale = next((float(word[1:]) for word in words if word[0] == "x" and word[1:2].isdigit()), 1.0)
            said = [word for word in words if "=" in word or word == "*"]
            found.append(Route(column, where, key, rank, _words(said) if said else None, scale))
    return tuple(found)


def _words(said: list[str]) -> Words:
    pairs = [word.partition("=") for word in said]
    rest = next((meant if sign else None for value, sign, meant in pairs if value == "*"), "")
    return Words({value: meant for value, _, meant in pairs if value != "*"}, rest)


_ROUTES = {
    Signal.SPANS: parse(_ORIGIN + files(__package__).joinpath("spans.table").read_text("utf-8")),
    Signal.LOGS: parse(_ORIGIN + _LOGS),
    Signal.METRIC_POINTS: parse(_ORIGIN),
}
