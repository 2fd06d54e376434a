"""Where derived rows are filed: behind the last journal record they cover, in the order they were made.

A position is the record's number and how many filings followed it: time alone may derive rows (a trace is decided when it was quiet), any
number of times before the next record comes.
"""

from __future__ import annotations

_FILINGS = 20  # bits: at four filings a second without a single record, three days; then they share the last


def position_of(seq: int) -> int:
    """Where the first thing that is derived of records up to `seq` is filed."""
    return seq << _FILINGS


def seq_of(position: int) -> int:
    """The last record that what is filed there covers."""
    return position >> _FILINGS


def following(position: int, seq: int) -> int:
    """Where the next thing is filed, after what was at `position`, when records up to `seq` were seen."""
    after = position + 1
    return max(position_of(seq), after if seq_of(after) == seq_of(position) else position)
