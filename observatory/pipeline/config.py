"""What can be set of the ingest loop, the journal and the cut."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from observatory.model.section import Section

MIB = 1024 * 1024


class IngestConfig(Section):
    """How exports become micro-batches."""

    window_ms: float = Field(default=4.0, ge=0, le=1000)
    """Under load, micro-batches start at least this many milliseconds apart, so that many small requests share one fsync. An idle server
    does not wait."""

    bulk_window_ms: float = Field(default=10.0, ge=0, le=1000)
    """… and this far apart while micro-batches carry more than 256 KiB: each costs about a millisecond of processor whatever it holds."""

    ready_bytes: int = Field(default=MIB, ge=64 * 1024)
    """A micro-batch starts before its time when this many bytes of request bodies wait."""

    batch_bytes: int = Field(default=4 * MIB, ge=64 * 1024)
    """A micro-batch takes no more than this and one request; 4 MiB decode in about 3 ms."""

    queue_bytes: int = Field(default=192 * MIB, ge=MIB)
    """Request bodies that may wait to be durable. More are refused with 503 + Retry-After: about a second of the highest rate."""

    resend_window_s: float = Field(default=300.0, ge=0)
    """A body seen again within this time is a resend after a lost reply: acknowledged, counted, not stored again."""

    resend_window_entries: int = Field(default=500_000, ge=1000)
    """At most this many bodies are remembered, about 100 bytes each; the oldest are forgotten first, and counted."""

    decoder: Literal["auto", "native", "reference"] = "auto"
    """`auto` takes the native kernel and falls back, loudly, to the pure-Python decoder, which is some 30 times slower."""


class JournalConfig(Section):
    """The journal: what was acknowledged and is not yet in a segment."""

    codec: Literal["none", "lz4", "zstd"] = "lz4"
    """How records are compressed. lz4 halves the bytes written and fsynced for 0.7 µs a span; `none` pays on disks that write 300 MB/s."""

    file_bytes: int = Field(default=128 * MIB, ge=MIB)
    """Size of a journal file, preallocated, so that an fsync writes data only."""

    reserve_bytes: int = Field(default=256 * MIB, ge=0)
    """Disk space that is never taken for new data, so that segments can still be cut, expired and deleted. Below it exports get 503."""


class CutConfig(Section):
    """When rows move from the journal to segments."""

    segment_bytes: int = Field(default=64 * MIB, ge=64 * 1024)
    """A cut starts when the open rows would fill a segment of about this size on disk."""

    segment_age_s: float = Field(default=30.0, gt=0)
    """… or when the oldest open row is this old. The journal is queryable, so there is no hurry."""

    open_bytes: int = Field(default=512 * MIB, ge=MIB)
    """… or when the open rows take this much in memory form, which bounds the time to read them back after a crash."""

    max_open_bytes: int = Field(default=4096 * MIB, ge=64 * MIB)
    """Exports are refused while more than this waits to be cut: eight cuts, half a minute of the highest rate."""

    hold_after_s: float = Field(default=60.0, gt=0)
    """Rows of traces that are not decided leave the journal for segments of their own when their trace is this old, so that one long trace
    never holds up the journal. Most are decided by then: a trace waits for ten quiet seconds."""

    skew_hours: float = Field(default=24.0, gt=0)
    """Rows dated further than this from their arrival go to a segment of their own, so that one span of 1970 widens no time window."""
