"""The manifest's SQLite file: how it is opened, what a transaction writes, and how its failures read."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from observatory.contracts import Segment
from observatory.errors import CannotStart
from observatory.storage import migrate
from observatory.storage.files import Files
from observatory.storage.segment import from_json, to_json
from observatory.storage.swaplog import State, Tombstone, entombed

REBUILD = "`observatory doctor --rebuild-manifest` makes it again from what lies beside the segments"

_BALLAST_BYTES = 2 << 20
"""A file that is given up when the disk is full, so that the transaction that deletes something can still be written."""

_TABLES = """
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segment (id INTEGER PRIMARY KEY, body TEXT NOT NULL);                              -- live
CREATE TABLE tombstone (id INTEGER PRIMARY KEY, body TEXT NOT NULL, at INTEGER NOT NULL, why TEXT NOT NULL);
CREATE TABLE doomed (id INTEGER PRIMARY KEY, body TEXT NOT NULL);                               -- dropped, files perhaps still there
CREATE TABLE unlogged (publish INTEGER PRIMARY KEY, body TEXT NOT NULL);                        -- swaps not yet in swaps.log
"""


class Loaded(NamedTuple):
    """What the file says at start."""

    state: State
    doomed: list[Segment]
    settings: dict[str, str]


class Ledger:
    """The open file. Not thread-safe. Every write raises OSError (ENOSPC when the disk is full) and then has no effect."""

    def __init__(self, path: Path, db: sqlite3.Connection, files: Files) -> None:
        self._path, self._db, self._files = path, db, files
        self._ballast = path.with_name("ballast")

    @classmethod
    def open(cls, data_dir: Path, files: Files, *, create: bool) -> Ledger:
        """Open, or make when nothing is there yet; an older format is migrated. Raises CannotStart for a missing file beside segments, a
        newer format, and for whatever cannot be read or written."""
        path = path_of(data_dir)
        missing = not path.exists() or path.stat().st_size == 0
        if missing and (not create or any((data_dir / "segments").glob("*/*.parquet"))):
            raise CannotStart(f"{path} is missing although segments are there; {REBUILD}")
        try:
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        except sqlite3.Error as error:
            raise CannotStart(f"{path} cannot be used: {error}") from error
        try:
            migrate.migrate(db, path, files)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            if migrate.version_of(db) == 0:
                db.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {migrate.FORMAT}; COMMIT;")
                files.sync_directory(data_dir)
        except (sqlite3.OperationalError, OSError) as error:
            db.close()
            raise CannotStart(f"{path} cannot be used: {error}") from error
        except sqlite3.Error as error:
            db.close()
            raise CannotStart(f"{path} is damaged: {error}; {REBUILD}") from error
        except BaseException:
            db.close()
            raise
        ledger = cls(path, db, files)
        ledger._lay_ballast()
        return ledger

    def load(self) -> Loaded:
        """Everything. Raises CannotStart when it cannot be read."""
        try:
            return load(self._db)
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise CannotStart(f"{self._path} is damaged: {error}; {REBUILD}") from error

    def put(self, key: str, value: str) -> None:
        """Keep one setting."""
        with self._transaction():
            self._put(key, value)

    def remove(self, key: str) -> None:
        """Forget one setting."""
        with self._transaction():
            self._db.execute("DELETE FROM setting WHERE key = ?", (key,))

    def swap(self, entry: dict[str, Any], dropped: Sequence[Segment], deleted: Sequence[int]) -> None:
        """Write a swap, as its line in swaps.log says it. `deleted`: dropped earlier, and their files are gone now."""
        try:
            self._swap(entry, dropped, deleted)
        except OSError as error:
            # what deletes must not fail for want of space
            if error.errno != errno.ENOSPC or entry["add"] or not self._ballast.exists():
                raise
            self._files.unlink(self._ballast)
            self._swap(entry, dropped, deleted)
        else:
            self._lay_ballast()

    def forget(self, tombstones: Sequence[int]) -> None:
        """Delete tombstones."""
        with self._transaction():
            self._db.executemany("DELETE FROM tombstone WHERE id = ?", [(id,) for id in tombstones])

    def unlogged(self) -> list[dict[str, Any]]:
        """Swaps that may not be in swaps.log yet, in order."""
        return [json.loads(body) for (body,) in self._db.execute("SELECT body FROM unlogged ORDER BY publish")]

    def logged(self, upto: int) -> None:
        """These swaps are in swaps.log. Not worth an fsync of its own: a line that is there twice is read once."""
        self._db.execute("PRAGMA synchronous = OFF")
        try:
            self._db.execute("DELETE FROM unlogged WHERE publish <= ?", (upto,))
        finally:
            self._db.execute("PRAGMA synchronous = FULL")

    def fill(self, state: State, settings: Mapping[str, str]) -> None:
        """Write a whole state and the settings of users into a new file."""
        with self._transaction():
            rows = [(s.id, json.dumps(to_json(s))) for s in state.live.values()]
            self._db.executemany("INSERT INTO segment VALUES (?, ?)", rows)
            self._entomb(list(state.tombstones.values()))
            for key in ("publish", "checkpoint", "measured", "last_id"):
                self._put(key, str(getattr(state, key)))
            for key, value in settings.items():
                self._put(f"user.{key}", value)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _swap(self, entry: dict[str, Any], dropped: Sequence[Segment], deleted: Sequence[int]) -> None:
        db = self._db
        with self._transaction():
            db.executemany("DELETE FROM segment WHERE id = ?", [(s.id,) for s in dropped])
            db.executemany("INSERT INTO segment VALUES (?, ?)", [(s["id"], json.dumps(s)) for s in entry["add"]])
            db.executemany("INSERT INTO doomed VALUES (?, ?)", [(s.id, json.dumps(to_json(s))) for s in dropped])
            self._entomb([Tombstone(s, entry["at"], entry["expired"]) for s in dropped if entombed(s, entry)])
            if entry["checkpoint"] is not None:
                self._put("checkpoint", str(entry["checkpoint"]))
            if entry["measured"] is not None:
                self._put("measured", str(entry["measured"]))
            self._put("publish", str(entry["publish"]))
            db.execute("INSERT INTO unlogged VALUES (?, ?)", (entry["publish"], json.dumps(entry)))
            db.executemany("DELETE FROM doomed WHERE id = ?", [(id,) for id in deleted])

    def _entomb(self, tombstones: Sequence[Tombstone]) -> None:
        rows = [(t.segment.id, json.dumps(to_json(t.segment)), t.at, t.why) for t in tombstones]
        self._db.executemany("INSERT INTO tombstone VALUES (?, ?, ?, ?)", rows)

    def _put(self, key: str, value: str) -> None:
        self._db.execute("INSERT INTO setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
            raise OSError(errno.ENOSPC if full else errno.EIO, f"the manifest cannot be written: {error}") from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")

    def _lay_ballast(self) -> None:
        if self._ballast.exists():
            return
        with contextlib.suppress(OSError):
            fd = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, _BALLAST_BYTES)
            except OSError:
                self._ballast.unlink(missing_ok=True)
            finally:
                os.close(fd)


def path_of(data_dir: Path) -> Path:
    """Where the file lies."""
    return data_dir / "manifest.sqlite3"


def load(db: sqlite3.Connection) -> Loaded:
    """What an open file says."""
    state = State()
    settings: dict[str, str] = dict(db.execute("SELECT key, value FROM setting").fetchall())
    state.publish, state.checkpoint = int(settings.get("publish", 0)), int(settings.get("checkpoint", 0))
    state.measured = int(settings.get("measured", 0))
    state.live = {id: from_json(json.loads(body)) for id, body in db.execute("SELECT id, body FROM segment ORDER BY id")}
    for id, body, at, why in db.execute("SELECT id, body, at, why FROM tombstone ORDER BY id"):
        state.tombstones[id] = Tombstone(from_json(json.loads(body)), at, why)
    state.last_id = max([int(settings.get("last_id", 0)), *state.live, *state.tombstones])
    doomed = [from_json(json.loads(body)) for (body,) in db.execute("SELECT body FROM doomed ORDER BY id")]
    return Loaded(state, doomed, _of_users(settings))


def salvage_settings(path: Path) -> dict[str, str]:
    """The settings of users in a file that is perhaps damaged, as many as can be read one after the other."""
    found: dict[str, str] = {}
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        found.update(db.execute("SELECT key, value FROM setting"))  # what came before an error stays
    return _of_users(found)


def _of_users(settings: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix("user."): value for key, value in settings.items() if key.startswith("user.")}
