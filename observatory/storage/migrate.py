"""Older data directories, brought forward one format at a time.

A step changes the manifest, inside the transaction that also raises the format; files it needs it writes beforehand, under names no
older program reads. So a process killed at any instruction leaves the older format, whole. Before the first step the manifest is copied
into `backups/`: putting it back under its name, with an older program, is the way back as long as no newer one has cut.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from observatory.errors import CannotStart
from observatory.storage.files import Files

FORMAT = 3
"""The version of the data directory, in SQLite's `user_version`. What each one holds is in FORMAT.md."""

Step = Callable[[sqlite3.Connection, Path], None]

STEPS: Mapping[int, Step] = {}
"""From which format each step leads to the next. There is none yet: 3 is the first format that was released."""

log = logging.getLogger(__name__)


def migrate(db: sqlite3.Connection, path: Path, files: Files, steps: Mapping[int, Step] | None = None, target: int = FORMAT) -> None:
    """Bring the open manifest at `path` to `target`; nothing is changed when it is there already, or new and empty.

    Raises CannotStart for a newer format and for one from which no steps lead here, OSError or sqlite3.Error when it cannot be written.
    """
    steps = STEPS if steps is None else steps
    found = version_of(db)
    if found > target:
        raise CannotStart(f"{path.parent} was written by a newer version (format {found}, this one knows {target}); use that version")
    if found in (0, target):
        return
    if any(format not in steps for format in range(found, target)):
        raise CannotStart(
            f"{path.parent} was written before the first release (format {found}, this program writes {target}) and cannot be read; "
            "start with another directory, or delete this one"
        )
    kept = back_up(db, path, found, files)
    for format in range(found, target):
        log.warning("the data directory is brought from format %d to %d; %s is the manifest before", format, format + 1, kept)
        db.execute("BEGIN IMMEDIATE")
        try:
            steps[format](db, path.parent)
            db.execute(f"PRAGMA user_version = {format + 1}")
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise


def back_up(db: sqlite3.Connection, path: Path, found: int, files: Files) -> Path:
    """A durable copy of the manifest as it is, `backups/manifest-format-<n>.sqlite3`. One that is there already is of an attempt that
    ended before its first step, and is made again."""
    target = path.parent / "backups" / f"manifest-format-{found}.sqlite3"
    temporary = target.with_suffix(".tmp")
    files.make_directory(target.parent, 0o700)
    files.unlink(temporary)
    with contextlib.closing(sqlite3.connect(temporary)) as copy:
        db.backup(copy)
    fd = os.open(temporary, os.O_RDWR | os.O_CLOEXEC)
    try:
        files.sync(fd)
    finally:
        os.close(fd)
    files.rename(temporary, target)
    return target


def version_of(db: sqlite3.Connection) -> int:
    """The format of an open manifest; 0 when nothing is in it yet."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])
