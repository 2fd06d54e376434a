"""What is wrong with a filter, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from observatory.errors import BadRequest

_SHOWN = 72  # characters of the filter that an error repeats


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a filter's text: characters [start, end)."""

    text: str
    start: int
    end: int


class FilterError(BadRequest):
    """A filter that cannot be understood, or not of these rows. `str()` has three lines: what is wrong and at which character (the first
    is 1), the filter, and a pointer beneath it.
    """

    def __init__(self, what: str, place: Place, hint: str = "") -> None:
        self.what, self.place, self.hint = what, place, hint
        self.position = place.start + 1
        tail = f"; {hint}" if hint else ""
        super().__init__(f"filter: {what} at character {self.position}{tail}\n{_pointed(place)}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint when one of `known` is close to `word`, else nothing."""
    close = get_close_matches(word.lower(), list(known), 1)
    return f"did you mean `{close[0]}`?" if close else ""


def shown(word: str) -> str:
    """A word as an error repeats it: quoted, on one line, of at most 60 characters."""
    return f"`{_line(word[:59])}…`" if len(word) > 60 else f"`{_line(word)}`"


def _pointed(place: Place) -> str:
    first = max(0, place.start - _SHOWN // 2) if len(place.text) > _SHOWN else 0
    last = min(len(place.text), first + _SHOWN)
    before, after = "…" if first else "", "…" if last < len(place.text) else ""
    width = max(1, min(place.end, last) - place.start)
    return f"  {before}{_line(place.text[first:last])}{after}\n  {' ' * (len(before) + place.start - first)}{'^' * width}"


def _line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
