"""The kinds of rows that flow."""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """What a row is. The first three arrive by OTLP, `FEEDBACK` by the API; the others are derived of spans.

    `TRACES` is what one segment knows of one trace, `LLM_CALLS` a row for each span that is or looks like a call of a model, and the
    rollups are sums of one minute: of all spans, and of the calls that count.
    """

    SPANS = "spans"
    LOGS = "logs"
    METRIC_POINTS = "metric_points"
    TRACES = "traces"
    FEEDBACK = "feedback"
    LLM_CALLS = "llm_calls"
    SPAN_ROLLUPS = "span_rollups"
    LLM_ROLLUPS = "llm_rollups"

    @property
    def number(self) -> int:
        """The signal's number in journal records; written to disk, never renumber."""
        return _NUMBERS[self]

    @staticmethod
    def of(number: int) -> Signal:
        """The signal of a journal record's number. Raises KeyError for a number of a newer format."""
        return _BY_NUMBER[number]


BY_OTLP = (Signal.SPANS, Signal.LOGS, Signal.METRIC_POINTS)
"""The signals that arrive by OTLP."""

RECEIVED = (*BY_OTLP, Signal.FEEDBACK)
"""The signals that arrive and are journaled."""

_NUMBERS = {signal: number for number, signal in enumerate(Signal, 1)}  # new signals go last
_BY_NUMBER = {number: signal for signal, number in _NUMBERS.items()}
