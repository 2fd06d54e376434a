"""Tokens of a call, so that they mean the same whoever sent them: input with the cached tokens, output with the reasoning ones.

Unknown is unknown, never 0: no sum is made of what was not sent. Whoever counts exclusively (cached tokens beside the input) is told by
arithmetic where it is certain, else by a table of emitters; see `settle`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from observatory.semconv.coded import Coded, choose
from observatory.semconv.numbers import Numbers

MADE_INCLUSIVE, CLAMPED = 1, 2
_FLAGS = (None, "made_inclusive", "clamped", "made_inclusive,clamped")
_NONSENSE = 1 << 40
"""A trillion tokens in one call is no count; such a number is unknown."""


class Exclusive(NamedTuple):
    """Spans of a scope (by the start of its name) and a provider (None: any) whose input leaves out what the cache gave or took."""

    scope: str
    provider: str | None


EXCLUSIVE = (
    Exclusive("openlit", "anthropic"),  # seen: input 34 beside cache 128 + 3120
    Exclusive("openlit", "aws.bedrock"),  # passes Converse's own figures on, which are exclusive
    Exclusive("strands.telemetry.tracer", "anthropic"),  # passes the provider's own figures on
    Exclusive("strands.telemetry.tracer", "aws.bedrock"),
)

COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
)


@dataclass(slots=True)
class Usage:
    """The eight counts of every row, under the names of COUNTS, and what was mended in them (bits)."""

    counts: dict[str, Numbers]
    mended: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """True where a row says anything of tokens."""
        return np.logical_or.reduce([count.known for count in self.counts.values()])

    @property
    def flags(self) -> Coded:
        """What was mended, as words parted by commas; null where nothing was."""
        return choose(self.mended, _FLAGS)


def settle(counts: dict[str, Numbers], exclusive: np.ndarray) -> Usage:
    """Counts as sent to counts that mean what their names say. `exclusive`: rows of emitters known to count cached tokens beside the input.

    A part that exceeds its whole can only have been counted beside it, so it is added: that is certain, whoever sent it. After that no part
    exceeds its whole, and what would (an hour's cache writes beyond all cache writes, audio beyond all input) is clamped and flagged.
    A row all of whose counts are 0 says nothing: streams that are dropped or ended at once send it.
    """
    mended = np.zeros(len(exclusive), np.int8)
    for count in counts.values():
        count.forget(count.known & ((count.values < 0) | (count.values > _NONSENSE)))

    into, out = counts["input_tokens"], counts["output_tokens"]
    cached = counts["cache_read_tokens"].values + counts["cache_write_tokens"].values
    beside = into.known & (cached > 0) & (exclusive | (cached > into.values))
    into.values[beside] += cached[beside]
    reasoned = counts["reasoning_tokens"].values
    apart = out.known & (reasoned > out.values)
    out.values[apart] += reasoned[apart]
    mended[beside | apart] |= MADE_INCLUSIVE
    for part, whole in (
        ("cache_write_1h_tokens", "cache_write_tokens"),
        ("input_audio_tokens", "input_tokens"),
        ("output_audio_tokens", "output_tokens"),
    ):
        over = counts[whole].known & (counts[part].values > counts[whole].values)
        counts[part].values[over] = counts[whole].values[over]
        mended[over] |= CLAMPED
    nothing = np.logical_and.reduce([count.values == 0 for count in counts.values()])
    for count in counts.values():
        count.forget(nothing)
    mended[nothing] = 0
    return Usage(counts, mended)


def counts_beside(scope: Coded, provider: Coded) -> np.ndarray:
    """True for the rows whose emitter is in EXCLUSIVE."""
    rows = np.zeros(len(scope.codes), bool)
    for emitter in EXCLUSIVE:
        of_scope = scope.where(lambda name, prefix=emitter.scope: name.startswith(prefix))
        if of_scope.any():
            rows |= of_scope & (True if emitter.provider is None else provider.where(lambda name, of=emitter.provider: name == of))
    return rows
