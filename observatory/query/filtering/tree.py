"""What a filter says, as an immutable tree. `str()` of a tree is a filter that parses to the same tree."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from observatory.query.filtering.fault import Place

NOWHERE = Place("", 0, 0)
PLAIN_FIELD = re.compile(r"(?![\-,])(?:[^\s()\":=<>~!,]|!(?!=))+")
_PLAIN_VALUE = re.compile(r"[^\s()\",\\*<>=~!:][^\s()\",\\*]*")
_KEYWORDS = ("and", "or", "not")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "*": "\\*", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_REGEX_PAIR = re.compile(r'\\.|"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text with `*` between its parts: one part is the text itself, `("gpt-4", "")` is `gpt-4*`."""

    parts: tuple[str, ...]

    @property
    def literal(self) -> str | None:
        """The text, or None when it has a `*`."""
        return self.parts[0] if len(self.parts) == 1 else None

    @property
    def anything(self) -> bool:
        """Whether it is nothing but `*`."""
        return len(self.parts) > 1 and not any(self.parts)

    @property
    def regex(self) -> str:
        """RE2 that finds it anywhere in a text."""
        return ".*".join(quoted(part) for part in self.parts)

    def __str__(self) -> str:
        plain = [not part or _PLAIN_VALUE.fullmatch(part if number == 0 else f"x{part}") for number, part in enumerate(self.parts)]
        if all(plain) and any((*self.parts, len(self.parts) > 1)):
            return "*".join(self.parts)
        return '"' + "*".join("".join(_ESCAPES.get(c, c) for c in part) for part in self.parts) + '"'


@dataclass(frozen=True, slots=True)
class Everything:
    """The empty filter."""

    def __str__(self) -> str:
        return ""


EVERYTHING = Everything()


@dataclass(frozen=True, slots=True)
class Text:
    """Rows that have this text anywhere, in either case."""

    pattern: Pattern
    place: Place = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        said = str(self.pattern)
        bare = said.lower() not in _KEYWORDS and PLAIN_FIELD.fullmatch(said)
        return said if bare or said.startswith('"') else f'"{said}"'


@dataclass(frozen=True, slots=True)
class Compare:
    """`field op value`, or any of several values. `op` is `:`, `=`, `!=`, `>`, `>=`, `<`, `<=` or `~`; only `:` knows `*`."""

    name: str
    op: str
    values: tuple[Pattern, ...]
    place: Place = field(default=NOWHERE, compare=False, repr=False)
    value_places: tuple[Place, ...] = field(default=(), compare=False, repr=False)

    def value_place(self, number: int) -> Place:
        """Where a value stands."""
        return self.value_places[number] if number < len(self.value_places) else self.place

    def __str__(self) -> str:
        if self.op == "~":
            said = ['"' + _REGEX_PAIR.sub(lambda m: '\\"' if m[0] == '"' else m[0], value.parts[0]) + '"' for value in self.values]
        else:
            said = [str(value) for value in self.values]
        name = self.name
        if not PLAIN_FIELD.fullmatch(name):
            name = '"' + "".join(_ESCAPES.get(c, c) for c in name) + '"'
        return f"{name}{self.op}{said[0] if len(said) == 1 else '(' + ' or '.join(said) + ')'}"


@dataclass(frozen=True, slots=True)
class Not:
    """Rows that `part` does not match."""

    part: Expr

    def __str__(self) -> str:
        return f"-{_inside(self.part)}"


@dataclass(frozen=True, slots=True)
class And:
    """Rows that every part matches; at least two parts, none of them an And."""

    parts: tuple[Expr, ...]

    def __str__(self) -> str:
        return " ".join(f"({part})" if isinstance(part, Or) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """Rows that some part matches; at least two parts, none of them an Or."""

    parts: tuple[Expr, ...]

    def __str__(self) -> str:
        return " or ".join(str(part) for part in self.parts)


Expr = Everything | Text | Compare | Not | And | Or


def quoted(text: str) -> str:
    """RE2 that matches exactly this text: every ASCII character that is no letter, digit or `_` after a backslash, as RE2's QuoteMeta."""
    return re.sub(r"[^\w]", lambda m: "\\x00" if m[0] == "\0" else "\\" + m[0] if m[0].isascii() else m[0], text)


def _inside(part: Expr) -> str:
    return f"({part})" if isinstance(part, And | Or) else str(part)
