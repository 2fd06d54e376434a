"""Time to the first token in nanoseconds after the span's start, whichever way it was told, and a duration that is not shorter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from observatory.semconv.coded import Coded
from observatory.semconv.numbers import Numbers

_LONGEST_S = 86_400.0


def of_seconds(column: Numbers) -> Numbers:
    """A float column of seconds as int64 nanoseconds; 0, negative, not finite or beyond a day is unknown."""
    with np.errstate(invalid="ignore"):
        known = column.known & (column.values > 0) & (column.values < _LONGEST_S)
    return Numbers((np.where(known, column.values, 0) * 1e9).astype(np.int64), known)


def since_start(moments: Numbers, start_ns: np.ndarray) -> Numbers:
    """Moments (ns since 1970) as times after the start; those before it or beyond a day are unknown."""
    with np.errstate(over="ignore"):
        after = moments.values - start_ns
    known = moments.known & (after > 0) & (after < int(_LONGEST_S * 1e9))
    return Numbers(np.where(known, after, 0), known)


def of_server(found: Mapping[int, int], scope: Coded, streaming: Numbers) -> Mapping[int, int]:
    """`gen_ai.server.time_to_first_token`, read as seconds, in nanoseconds by row.

    Strands writes milliseconds. OpenLIT writes the whole duration where nothing was streamed, so it says something of streams only.
    """
    if not found:
        return {}
    milli = scope.where(lambda name: name.startswith("strands"))
    said: dict[int, int] = {}
    for row, ns in found.items():
        if milli[row]:
            said[row] = ns // 1000
        elif streaming.known[row] and streaming.values[row]:
            said[row] = ns
    return {row: ns for row, ns in said.items() if ns < _LONGEST_S * 1e9}


def first_known(*ways: Numbers) -> Numbers:
    """The first of several ways to know that is known, row by row."""
    joined = Numbers(ways[0].values.copy(), ways[0].known.copy())
    for way in ways[1:]:
        rows = way.known & ~joined.known
        joined.values[rows] = way.values[rows]
        joined.known |= rows
    return joined
