"""The kinds of rows that flow."""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """What a row is. The first three arrive by OTLP; `TRACES` is derived: what one segment knows of one trace."""

    SPANS = "spans"
    LOGS = "logs"
    METRIC_POINTS = "metric_points"
    TRACES = "traces"

    @property
    def number(self) -> int:
        """The signal's number in journal records; written to disk, never renumber."""
        return _NUMBERS[self]

    @staticmethod
    def of(number: int) -> Signal:
        """The signal of a journal record's number. Raises KeyError for a number of a newer format."""
        return _BY_NUMBER[number]


RECEIVED = (Signal.SPANS, Signal.LOGS, Signal.METRIC_POINTS)
"""The signals that arrive by OTLP and are journaled."""

_NUMBERS = {Signal.SPANS: 1, Signal.LOGS: 2, Signal.METRIC_POINTS: 3, Signal.TRACES: 4}
_BY_NUMBER = {number: signal for signal, number in _NUMBERS.items()}
