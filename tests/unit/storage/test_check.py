"""Doctor names every damage and what to do; the manifest can be made again and holds what was live."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from storage_makers import NOW, Store, publish, rows

from observatory.contracts import Swap
from observatory.errors import CannotStart
from observatory.model.signal import Signal
from observatory.storage import swaplog
from observatory.storage.check import check
from observatory.storage.manifest import Manifest
from observatory.storage.rebuild import rebuild
from observatory.storage.segment import index_path


def filled(data_dir: Path) -> Store:
    """Three segments of spans with their traces, one expired, and an open record."""
    store, rng = Store(data_dir), random.Random(1)
    for _ in range(3):
        store.put(Signal.SPANS, rows(Signal.SPANS, 40, rng))
        store.cut()
    store.manifest.swap(Swap(drop=[store.manifest.live(Signal.SPANS)[0].id], expired="too old"), NOW)
    store.put(Signal.SPANS, rows(Signal.SPANS, 5, rng))
    return store


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x01
    path.write_bytes(raw)


def span_file(data_dir: Path) -> Path:
    return min((data_dir / "segments" / "spans").glob("*.parquet"))


DAMAGE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a bit of a segment": (lambda d: flip(span_file(d), 500), "the checksum does not match", "restore the file"),
    "the end of a segment": (lambda d: os.truncate(span_file(d), 900), "900 bytes instead of", "restore the file"),
    "a whole segment": (lambda d: span_file(d).unlink(), "No such file", "restore the file"),
    "a bit of an index": (lambda d: flip(index_path(span_file(d)), 5000), "block 0 fails its checksum", "restore the file"),
    "the manifest": (lambda d: flip(d / "manifest.sqlite3", 3), "not a database", "--rebuild-manifest"),
    "no manifest": (lambda d: (d / "manifest.sqlite3").unlink(), "missing although segments are there", "--rebuild-manifest"),
    "a line of the log": (lambda d: flip(swaplog.path_of(d), 90), "is damaged", "restart the appliance"),
    "a journal header": (lambda d: flip(min((d / "journal").glob("*.journal")), 4), "not a journal file", "move the file away"),
}


def test_a_healthy_directory(tmp_path: Path) -> None:
    store = filled(tmp_path)
    for running in (True, False):
        found = check(tmp_path)
        assert [f for f in found if not f.ok] == []
        said = "\n".join(f.what for f in found)
        assert f"segments: {len(store.manifest.live())} with 80 rows" in said
        assert "journal: 4 records with 125 rows" in said
        if running:
            store.close()


def test_nothing_there_yet(tmp_path: Path) -> None:
    assert all(f.ok for f in check(tmp_path))


@pytest.mark.parametrize("damage", list(DAMAGE))
def test_every_damage_is_named(damage: str, tmp_path: Path) -> None:
    filled(tmp_path).close()
    spoil, what, do = DAMAGE[damage]
    spoil(tmp_path)
    wrong = [f for f in check(tmp_path) if not f.ok]
    assert wrong, "it was seen"
    assert any(what in f.what and do in f.do for f in wrong), wrong


def test_damage_in_the_middle_of_the_journal_is_named(tmp_path: Path) -> None:
    store, rng = Store(tmp_path), random.Random(2)
    for _ in range(3):
        store.put(Signal.LOGS, rows(Signal.LOGS, 30, rng))
    second = store.open_rows.records(0)[1]
    store.close()
    flip(Path(second.path), second.offset + second.length // 2)
    (wrong,) = [f for f in check(tmp_path) if not f.ok]
    assert f"at byte {second.offset}" in wrong.what


def test_files_of_no_swap_are_mentioned(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.manifest.next_id()
    (tmp_path / "segments" / "spans" / "000000000099.parquet").write_bytes(b"left")
    said = [f for f in check(tmp_path) if "of no swap" in f.what]
    assert len(said) == 1 and said[0].ok
    store.close()


@pytest.mark.parametrize("log", ["whole", "lost", "a line lost"])
def test_the_manifest_is_made_again(log: str, tmp_path: Path) -> None:
    store = filled(tmp_path)
    live, checkpoint, gone = store.manifest.live(), store.manifest.checkpoint, store.manifest._state.tombstones
    publish(store.manifest, Signal.LOGS, rows(Signal.LOGS, 3, random.Random(3)))
    merged = store.manifest.live(Signal.LOGS)
    live = (*live, *merged)
    store.close()
    (tmp_path / "manifest.sqlite3").unlink()
    path = swaplog.path_of(tmp_path)
    if log == "lost":
        path.unlink()
    elif log == "a line lost":
        lines = path.read_bytes().split(b"\n")
        path.write_bytes(b"\n".join([*lines[:-3], *lines[-2:]]))
        raw = bytearray(path.read_bytes())
        raw[len(lines[0]) + 5] ^= 1
        path.write_bytes(raw)
    said = rebuild(tmp_path, NOW)
    assert "the manifest was made again" in said
    manifest = Manifest.open(tmp_path, NOW)
    assert {s.id: (s.rows, s.bytes, s.crc32, s.uri) for s in manifest.live()} == {s.id: (s.rows, s.bytes, s.crc32, s.uri) for s in live}
    assert manifest.next_id() > max(s.id for s in live)
    if log == "whole":
        assert (manifest.checkpoint, manifest._state.tombstones) == (checkpoint, gone)
    manifest.close()
    assert [f for f in check(tmp_path) if not f.ok] == []


def test_making_it_again_gives_up_only_what_cannot_be_read(tmp_path: Path) -> None:
    filled(tmp_path).close()
    bad = span_file(tmp_path)
    flip(bad, 500)
    said = rebuild(tmp_path, NOW)
    assert f"given up: segment {int(bad.stem)} (40 spans)" in said
    assert not bad.exists() and list((tmp_path / "trash").rglob(bad.name)), "moved away, not deleted"
    assert list((tmp_path / "trash").rglob("manifest.sqlite3"))
    Manifest.open(tmp_path, NOW).close()
    assert [f for f in check(tmp_path) if not f.ok] == []


def test_not_while_an_appliance_runs(tmp_path: Path) -> None:
    store = filled(tmp_path)
    with pytest.raises(CannotStart, match="another observatory uses"):
        rebuild(tmp_path, NOW)
    store.close()
