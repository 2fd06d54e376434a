"""Older formats are brought forward step by step, all or nothing, with the manifest of before kept."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from observatory.errors import CannotStart
from observatory.storage.files import DISK
from observatory.storage.migrate import migrate, version_of


@pytest.fixture
def db(tmp_path: Path) -> sqlite3.Connection:
    """A manifest of format 2 with one setting."""
    db = sqlite3.connect(tmp_path / "manifest.sqlite3", isolation_level=None)
    db.executescript(
        "PRAGMA journal_mode = WAL; CREATE TABLE setting (key, value); INSERT INTO setting VALUES ('a', '1'); PRAGMA user_version = 2"
    )
    return db


def rename(db: sqlite3.Connection, _: Path) -> None:
    db.execute("UPDATE setting SET key = key || key")


def fail(db: sqlite3.Connection, _: Path) -> None:
    db.execute("DELETE FROM setting")
    raise OSError("the disk is full")


def settings(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return db.execute("SELECT key, value FROM setting").fetchall()


def backup(tmp_path: Path) -> tuple[int, list[tuple[str, str]]]:
    with contextlib.closing(sqlite3.connect(tmp_path / "backups/manifest-format-2.sqlite3")) as kept:
        return version_of(kept), settings(kept)


def test_steps_are_taken_in_order_and_the_manifest_of_before_is_kept(db: sqlite3.Connection, tmp_path: Path) -> None:
    migrate(db, tmp_path / "manifest.sqlite3", DISK, {2: rename, 3: rename}, 4)
    assert (version_of(db), settings(db)) == (4, [("aaaa", "1")])
    assert backup(tmp_path) == (2, [("a", "1")])


def test_a_step_that_fails_changes_nothing_and_can_be_tried_again(db: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"):
        migrate(db, tmp_path / "manifest.sqlite3", DISK, {2: fail}, 3)
    assert (version_of(db), settings(db)) == (2, [("a", "1")])
    migrate(db, tmp_path / "manifest.sqlite3", DISK, {2: rename}, 3)
    assert (version_of(db), settings(db)) == (3, [("aa", "1")])
    assert backup(tmp_path) == (2, [("a", "1")])


def test_the_first_of_two_steps_stands_when_the_second_fails(db: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"):
        migrate(db, tmp_path / "manifest.sqlite3", DISK, {2: rename, 3: fail}, 4)
    assert (version_of(db), settings(db)) == (3, [("aa", "1")])


def test_the_present_format_is_left_alone(db: sqlite3.Connection, tmp_path: Path) -> None:
    migrate(db, tmp_path / "manifest.sqlite3", DISK, {}, 2)
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize(("target", "said"), [(1, "newer version"), (4, "before the first release")])
def test_what_no_step_leads_from_is_refused_and_left_alone(target: int, said: str, db: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=said):
        migrate(db, tmp_path / "manifest.sqlite3", DISK, {2: rename}, target)
    assert (version_of(db), settings(db)) == (2, [("a", "1")])
    assert not (tmp_path / "backups").exists()
