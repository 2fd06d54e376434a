"""What can be set of storage."""

from __future__ import annotations

from pydantic import Field

from observatory.model.section import Section

MIB = 1024 * 1024


class StorageConfig(Section):
    """How long data is kept, and what the query engine may use."""

    retention_days: float = Field(default=7.0, gt=0, le=3660)
    """A segment expires when its newest row was *received* more than this many days ago. By time of receipt, not by the time a row claims:
    a wrong clock in a client then neither keeps a row for ever nor deletes it on arrival."""

    metrics_days: float = Field(default=400.0, gt=0, le=3660)
    """Calls of models, sums by minute and feedback are kept this long, also by time of receipt: last year is compared with this one when
    its spans are long gone. While the disk is nearly full they go last."""

    gone_days: float = Field(default=30.0, ge=0, le=3660)
    """For this long after its expiry a trace answers "gone, and why" instead of "unknown". Costs about 2.5 bytes a span."""

    trash_days: float = Field(default=7.0, ge=0, le=365)
    """Files that no manifest knows (left by a crash) are moved to `trash/` at start and deleted after this many days."""

    reserve_bytes: int = Field(default=512 * MIB, ge=0)
    """When less than this much disk space is free, the oldest segments expire early; 0 never does that. Keep it above
    `journal.reserve_bytes`, below which exports are refused."""

    memory_bytes: int = Field(default=256 * MIB, ge=64 * MIB)
    """Memory that DuckDB may use for queries inside the server; what does not fit is spilled to `spill/` in the data directory."""

    spill_bytes: int = Field(default=2048 * MIB, ge=0)
    """Disk space that queries may use to spill."""

    threads: int = Field(default=2, ge=1, le=256)
    """Threads of DuckDB inside the server. Two leave room for ingest on a small machine."""

    fragment_cache_bytes: int = Field(default=64 * MIB, ge=0)
    """Ids and starts of traces that are kept in memory, 24 bytes a trace, so that a list of traces need not look through all of them. When
    the traces that are stored do not fit, lists are made without."""

    sums_cache_bytes: int = Field(default=96 * MIB, ge=0)
    """What traces cost and how long they took, kept in memory, 52 bytes a trace, so that lists by cost, duration or tokens need not add up
    all of them. When the traces that are stored do not fit, such lists take longer."""

    failure_cache_bytes: int = Field(default=48 * MIB, ge=0)
    """Failed spans that are kept in memory, some 150 bytes each, so that errors are put together without reading all spans."""

    footer_cache_bytes: int = Field(default=32 * MIB, ge=0)
    """Parsed footers of segments that are kept in memory, so that opening a trace reads only its rows."""
