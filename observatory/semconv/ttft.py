"""Time to the first token in nanoseconds after the span's start, whichever way it was told, and a duration that is not shorter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from observatory.semconv.coded import Coded
from observatory.semconv.events import Happened
from observatory.semconv.numbers import Numbers
from observatory.semconv.packed import Found

_LONGEST_S = 86_400.0


def timing(columns: dict[str, pa.Array], found: Found, said: Happened) -> dict[str, pa.Array]:
    """Time to first token, whether it streamed, and the duration, which is not shorter than what happened within it."""
    start, took = columns["start_ns"].to_numpy(), columns["duration_ns"].to_numpy().copy()
    streaming = Numbers.of(columns["streaming"]).fill(found["streaming"])
    streamed = list(found["streamed"])
    streaming.values[streamed], streaming.known[streamed] = True, True
    rows = len(start)
    moments = Numbers.empty(rows).fill(found["first_token_ns"])
    server = of_server(found["server_first_token_ns"], Coded.of(columns["scope_name"]), streaming)
    ttft = first_known(
        of_seconds(Numbers.of(columns["time_to_first_token_s"])),
        since_start(said.first_ns, start),
        since_start(moments, start),
        Numbers.empty(rows).fill(server),
    )
    streaming.fill(dict.fromkeys(np.flatnonzero(ttft.known & ~streaming.known).tolist(), True))
    for known in (ttft, since_start(said.last_ns, start), Numbers.empty(rows).fill(found["said_duration_ns"])):
        np.maximum(took, known.values, out=took, where=known.known & (took >= 0))
    return {"duration_ns": pa.array(took), "ttft_ns": ttft.array(pa.int64()), "streaming": streaming.array(pa.bool_())}


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
