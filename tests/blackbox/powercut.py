"""What a power cut leaves: takes back, after the process was killed, what no fsync covered. Reads the log of `shims/powercut.c`.

Two moods. `strict` takes back everything that was not synced. `torn` lets chance decide, as disks do: of each unsynced write any of its
pages may have arrived, of each directory's unsynced names a first part.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

WRITE, SIZE, SYNC, CREATE, RENAME, UNLINK = range(1, 7)
_RECORD = struct.Struct("<IIQQQQQQIIII")
_END = 0x50435554
PAGE = 4096


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the log. `inode` is the file's, or the directory's whose names change."""

    kind: int
    zeros: bool
    seq: int
    inode: int
    offset: int
    length: int
    old_size: int
    name: str
    other: str
    kept: str
    data: bytes


def read(log: Path) -> list[Change]:
    """The log in order; a record the kill cut short is left out: its change had not begun."""
    raw, at, changes = log.read_bytes(), 0, []
    while at + _RECORD.size <= len(raw):
        kind, flags, seq, inode, offset, length, old_size, size, name, other, kept, end = _RECORD.unpack_from(raw, at)
        assert end == _END, f"the log is not readable at byte {at}"
        at += _RECORD.size
        if at + name + other + kept + size > len(raw):
            break
        words = []
        for n in (name, other, kept):
            words.append(raw[at : at + n].decode())
            at += n
        changes.append(Change(kind, bool(flags & 1), seq, inode, offset, length, old_size, *words, raw[at : at + size]))
        at += size
    return changes


def unsynced(changes: list[Change]) -> list[Change]:
    """The changes that no later fsync of their file or directory covered, in order."""
    covered: dict[int, int] = {}
    for change in changes:
        if change.kind == SYNC:
            covered[change.inode] = max(covered.get(change.inode, 0), change.offset)
    return [c for c in changes if c.kind != SYNC and c.seq > covered.get(c.inode, 0)]


def cut(root: Path, log: Path, chance: random.Random, *, torn: bool) -> int:
    """Take back what was not synced under `root`, forget the log, and return how many changes were taken back."""
    open_changes = unsynced(read(log))
    kept_names = _names_that_stay(open_changes, chance) if torn else set()
    paths = _paths(root, Path(f"{log}.kept"))
    undone = 0
    for change in reversed(open_changes):
        if change.kind in (WRITE, SIZE):
            path = paths.get(change.inode)
            undone += path is not None and _take_back_bytes(path, change, chance if torn else None)
        elif change.seq not in kept_names:
            undone += _take_back_name(change, paths)
    log.unlink()
    shutil.rmtree(f"{log}.kept", ignore_errors=True)
    return undone


def _names_that_stay(changes: list[Change], chance: random.Random) -> set[int]:
    by_directory: dict[int, list[int]] = {}
    for change in changes:
        if change.kind in (CREATE, RENAME, UNLINK):
            by_directory.setdefault(change.inode, []).append(change.seq)
    return {seq for seqs in by_directory.values() for seq in seqs[: chance.randint(0, len(seqs))]}


def _paths(root: Path, kept: Path) -> dict[int, Path]:
    found: dict[int, Path] = {}
    for top in (kept, root):
        for folder, _, files in os.walk(top):
            for name in files:
                path = Path(folder) / name
                found[path.stat().st_ino] = path
    return found


def _take_back_bytes(path: Path, change: Change, chance: random.Random | None) -> bool:
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        old = bytes(change.length) if change.zeros else change.data
        whole = chance is None or chance.random() < 0.4
        if whole:
            file.seek(change.offset)
            file.write(old)
            os.truncate(file.fileno(), change.old_size)
            return True
        assert chance is not None
        for start in range(change.offset - change.offset % PAGE, change.offset + change.length, PAGE):
            if chance.random() < 0.5:
                low, high = max(start, change.offset), min(start + PAGE, change.offset + change.length)
                file.seek(low)
                file.write(old[low - change.offset : high - change.offset])
        grown_from = max(change.old_size, change.offset)
        for start in range(grown_from, size, PAGE):  # pages of the grown part that never arrived read as zeros
            if change.kind == WRITE and chance.random() < 0.3:
                file.seek(start)
                file.write(bytes(min(PAGE, size - start)))
        return True


def _take_back_name(change: Change, paths: dict[int, Path]) -> bool:
    path = Path(change.name)
    if change.kind == CREATE:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        return True
    if change.kind == RENAME:
        to = Path(change.other)
        if to.exists() and not path.exists() and path.parent.exists():
            to.rename(path)
            if not path.is_dir():
                paths[path.stat().st_ino] = path
    target = Path(change.other) if change.kind == RENAME else path
    if change.kept and Path(change.kept).exists() and not target.exists() and target.parent.exists():
        os.link(change.kept, target)
        paths[target.stat().st_ino] = target
    return True
