"""The only thing that flows."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from observatory.model.signal import Signal


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one signal. `rows` always has `model.schema(signal)`; `seq` is its journal record's number, 0 before the journal."""

    signal: Signal
    rows: pa.RecordBatch
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Export:
    """One export request of one client: an OTLP protobuf body, decompressed, and when it came (nanoseconds since 1970).

    `project` comes from the client's key when there is one; otherwise the resource says, or it is `default`.
    """

    signal: Signal
    body: bytes
    received_at: int
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of an export that was taken: rows now durable here, rows refused by content, and why (empty when none were)."""

    accepted: int
    rejected: int = 0
    message: str = ""
    duplicate: bool = False
    """The same body was taken before (a resend after a lost reply); nothing was stored again, `accepted` repeats the first answer."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The answer of a decoder: `rows` of all well-formed bodies, in order, and one outcome for each body."""

    rows: pa.RecordBatch
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decoder made of one body: rows it gave, rows refused (bad ids) with the first reason, or why all of it is refused."""

    rows: int = 0
    rejected: int = 0
    message: str = ""
    error: Exception | None = None
