"""What can be set of the background jobs."""

from __future__ import annotations

from pydantic import Field

from observatory.model.section import Section

MIB = 1024 * 1024


class JobsConfig(Section):
    """Background jobs: one thread at the lowest priority that still moves, one task at a time."""

    poll_s: float = Field(default=15.0, gt=0, le=3600)
    """How often jobs look for work. Nothing they do is urgent; looking costs well below a millisecond."""

    compact: bool = True
    """Merge small segments. Without it a quiet server leaves 120 small files an hour, and every query opens all of them."""

    small_bytes: int = Field(default=32 * MIB, ge=4096)
    """Segments below this size are merged with others of the same hour; larger ones are left as they are."""

    target_bytes: int = Field(default=128 * MIB, ge=64 * 1024)
    """A merged segment is at most about this large: what expiry deletes at once, and what one task rewrites."""

    min_files: int = Field(default=4, ge=2)
    """While its hour lasts, at least so many are merged at a time, and none that is larger than the others together: a row is then
    rewritten a few times at most. When the hour is over the rest is merged once."""
