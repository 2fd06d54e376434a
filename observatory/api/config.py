"""What can be set of the query API."""

from __future__ import annotations

from pydantic import Field

from observatory.model.section import Section

MIB = 1024 * 1024


class ApiConfig(Section):
    """The query API and the page: threads, and what one user's SQL may use."""

    threads: int = Field(default=4, ge=1, le=64)
    """Threads that answer API requests. The event loop only passes bytes on; four let a list be answered while large traces are written."""

    request_deadline_s: float = Field(default=30.0, gt=0, le=3600)
    """A list or trace that takes longer than this many seconds is stopped and answered with the error `deadline`."""

    sql_deadline_s: float = Field(default=30.0, gt=0, le=3600)
    """The process that runs a user's SQL is killed after this many seconds."""

    sql_memory_bytes: int = Field(default=512 * MIB, ge=64 * MIB)
    """Memory one SQL query may use. It runs in a process of its own, without spilling to disk."""

    sql_threads: int = Field(default=2, ge=1, le=256)
    """Threads of one SQL query. They run at `nice 19`, behind ingest and the cut."""

    sql_rows: int = Field(default=10_000, ge=1, le=1_000_000)
    """The most rows of a JSON answer; the answer says `"truncated": true` when there were more. Arrow answers have no such limit."""

    sql_json_bytes: int = Field(default=64 * MIB, ge=MIB)
    """A JSON answer is truncated behind this many bytes, since browsers read it whole."""

    sql_parallel: int = Field(default=2, ge=1, le=64)
    """SQL queries that run at the same time."""

    sql_waiting: int = Field(default=8, ge=0, le=1000)
    """SQL queries that wait for their turn; further ones get 503 and Retry-After."""
