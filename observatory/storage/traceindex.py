"""Trace id -> row groups of one segment: a sorted file that is searched in place, a few 4 kB blocks a lookup, and never loaded.

Layout (little endian), described for people in FORMAT.md: a header block of 4096 bytes, then blocks of 204 entries of 20 bytes
(16-byte trace id, uint32 row group), padded to 4096 bytes, the last 4 of which are the block's CRC-32. Entries ascend by (id, row group).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from isal import isal_zlib

from observatory.errors import ObservatoryError

MAGIC = b"LLMOBSI1"
BLOCK = 4096
ENTRY = np.dtype([("id", "V16"), ("group", "<u4")])
PER_BLOCK = (BLOCK - 4) // ENTRY.itemsize  # 204
_HEADER = struct.Struct("<8sQQI")  # magic, segment id, entries, crc of what stands before it


class DamagedIndex(ObservatoryError):
    """An index's bytes are not what was written; the message names the file and the block."""


class IndexBuilder:
    """Collects the trace ids of each row group; `encode` gives the file."""

    def __init__(self) -> None:
        self._ids: list[np.ndarray] = []
        self._groups: list[np.ndarray] = []

    def add(self, ids: bytes | memoryview, group: int) -> None:
        """Distinct 16-byte ids, one after the other, that occur in row group `group`. All-zero ids (no trace) are left out."""
        pairs = np.frombuffer(ids, dtype=">u8").reshape(-1, 2)
        pairs = pairs[(pairs != 0).any(axis=1)].astype("u8")
        self._ids.append(pairs)
        self._groups.append(np.full(len(pairs), group, dtype="u4"))

    def encode(self, segment: int) -> bytes:
        """The whole file for the segment of that id."""
        ids = np.concatenate(self._ids) if self._ids else np.empty((0, 2), dtype="u8")
        groups = np.concatenate(self._groups) if self._groups else np.empty(0, dtype="u4")
        order = np.lexsort((groups, ids[:, 1], ids[:, 0]))
        count = len(order)
        entries = np.empty(count, dtype=ENTRY)
        entries["id"] = np.ascontiguousarray(ids[order].astype(">u8")).view("V16").ravel()
        entries["group"] = groups[order]
        head = _HEADER.pack(MAGIC, segment, count, 0)[:-4]
        blocks = [(head + struct.pack("<I", isal_zlib.crc32(head))).ljust(BLOCK, b"\0")]
        for first in range(0, count, PER_BLOCK):
            body = entries[first : first + PER_BLOCK].tobytes().ljust(BLOCK - 4, b"\0")
            blocks.append(body + struct.pack("<I", isal_zlib.crc32(body)))
        return b"".join(blocks)


def lookup(path: Path, trace_id: bytes) -> list[int]:
    """The row groups that hold rows of `trace_id`, ascending; empty when none does. Raises DamagedIndex; OSError when the file is gone."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        count = _entries(fd, path)
        return _search(fd, path, count, trace_id) if count else []
    finally:
        os.close(fd)


def verify(path: Path) -> int:
    """Read everything, check every block and the order; the number of entries. Raises DamagedIndex or OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        count = _entries(fd, path)
        previous: np.ndarray | None = None
        for number in range(_blocks(count)):
            entries = _block(fd, path, number, count)
            ordered = entries if previous is None else np.concatenate([previous, entries])
            if not _ascending(ordered):
                raise DamagedIndex(f"{path}: block {number} is out of order")
            previous = entries[-1:]
        if os.fstat(fd).st_size != BLOCK * (1 + _blocks(count)):
            raise DamagedIndex(f"{path}: {os.fstat(fd).st_size} bytes instead of {BLOCK * (1 + _blocks(count))}")
        return count
    finally:
        os.close(fd)


def holders(paths: Iterable[Path], trace_id: bytes) -> Path | None:
    """The first of the indexes that knows the trace; damaged or missing ones are passed over."""
    for path in paths:
        try:
            if lookup(path, trace_id):
                return path
        except (DamagedIndex, OSError):
            continue
    return None


def _ascending(entries: np.ndarray) -> bool:
    """Whether entries ascend strictly by (id, row group)."""
    halves = np.frombuffer(np.ascontiguousarray(entries["id"]).tobytes(), dtype=">u8").reshape(-1, 2)
    high, low, group = halves[:, 0], halves[:, 1], entries["group"]
    above = (high[1:] == high[:-1]) & ((low[1:] > low[:-1]) | ((low[1:] == low[:-1]) & (group[1:] > group[:-1])))
    return bool(np.all((high[1:] > high[:-1]) | above))


def _blocks(count: int) -> int:
    return -(-count // PER_BLOCK)


def _entries(fd: int, path: Path) -> int:
    raw = os.pread(fd, _HEADER.size, 0)
    if len(raw) < _HEADER.size or raw[:8] != MAGIC:
        raise DamagedIndex(f"{path}: not a trace index of this version")
    _, _, count, crc = _HEADER.unpack(raw)
    if isal_zlib.crc32(raw[:-4]) != crc:
        raise DamagedIndex(f"{path}: the header is damaged")
    return count


def _block(fd: int, path: Path, number: int, count: int) -> np.ndarray:
    raw = os.pread(fd, BLOCK, BLOCK * (1 + number))
    if len(raw) < BLOCK or isal_zlib.crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        raise DamagedIndex(f"{path}: block {number} fails its checksum")
    here = min(PER_BLOCK, count - number * PER_BLOCK)
    return np.frombuffer(raw, dtype=ENTRY, count=here)


def _search(fd: int, path: Path, count: int, trace_id: bytes) -> list[int]:
    """Guess by value (ids are random: the first guess is right or next to it), then halve, so that any ids take log(n) blocks at most."""
    low, high = 0, _blocks(count) - 1
    low_key, high_key = 0, 1 << 64
    wanted = int.from_bytes(trace_id[:8], "big")
    guesses = 0
    while low <= high:
        if guesses < 3:
            at = low + int((high - low + 1) * (wanted - low_key) / max(1, high_key - low_key))
            at = min(max(at, low), high)
        else:
            at = (low + high) // 2
        guesses += 1
        entries = _block(fd, path, at, count)
        first, last = entries[0]["id"].tobytes(), entries[-1]["id"].tobytes()
        if trace_id < first:
            high, high_key = at - 1, int.from_bytes(first[:8], "big")
        elif trace_id > last:
            low, low_key = at + 1, int.from_bytes(last[:8], "big")
        else:
            return _spread(fd, path, count, at, trace_id)
    return []


def _spread(fd: int, path: Path, count: int, at: int, trace_id: bytes) -> list[int]:
    """All entries of the id around block `at`: a long trace may fill several blocks."""
    wanted = np.frombuffer(trace_id, dtype="V16")[0]
    while at > 0 and _block(fd, path, at, count)[0]["id"] == wanted:
        at -= 1
    groups: list[int] = []
    while at < _blocks(count):
        entries = _block(fd, path, at, count)
        groups.extend(entries["group"][entries["id"] == wanted].tolist())
        if entries[-1]["id"].tobytes() > trace_id:
            break
        at += 1
    return groups
