"""Rows as a table a person can read."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from typing import Any

CLIP = 60  # columns of one cell while the table must fit a terminal
_GAP = "  "


def render(names: Sequence[str], rows: Sequence[Sequence[Any]], width: int | None = None) -> str:
    """Header, rule and rows; numbers to the right. With `width`, long cells are clipped so that most tables fit; without, nothing is."""
    cells = [[text(value) for value in row] for row in rows]
    if width is not None and _total(names, cells) > width:
        cells = [[clip(cell, CLIP) for cell in row] for row in cells]
    right = [bool(rows) and all(_is_number(row[i]) or row[i] is None for row in rows) for i in range(len(names))]
    widths = [max([columns(name), *(columns(row[i]) for row in cells)]) for i, name in enumerate(names)]
    lines = [_line(names, widths, right), _GAP.join("─" * width for width in widths)]
    lines += [_line(row, widths, right) for row in cells]
    return "\n".join(lines)


def text(value: Any) -> str:
    """A value on one line. Control characters are shown, not obeyed: what an application sent must not drive the terminal."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            shown = value
        case list() | dict():
            shown = json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)


def clip(cell: str, limit: int) -> str:
    """At most `limit` characters, the last an ellipsis when some are missing."""
    return cell if len(cell) <= limit else cell[: limit - 1] + "…"


def columns(cell: str) -> int:
    """How many columns a terminal uses: wide East Asian characters take two, combining marks none."""
    if cell.isascii():
        return len(cell)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cell)


def _total(names: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    return sum(max([columns(name), *(columns(row[i]) for row in cells)]) + len(_GAP) for i, name in enumerate(names))


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, width, to_right in zip(row, widths, right, strict=True):
        space = " " * (width - columns(cell))
        padded.append(space + cell if to_right else cell + space)
    return _GAP.join(padded).rstrip()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
