"""What sampling decided, on disk: immutable sorted files that are searched where they lie, never loaded.

A file is a JSON line (kind, count, times, checksum, the names that `by` counts), padded to 4096 bytes, then columns of 8 bytes a trace:
`key` and `low` (the id, as two words), of kept ones `threshold` and `by` too. Sorted by (key, low), which spread like a hash.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from isal import isal_zlib

from observatory.errors import ObservatoryError
from observatory.model.clock import Nanos
from observatory.storage.files import Files, write_file

HEADER = 4096
Kind = Literal["kept", "dropped"]
_COLUMNS = {"kept": 4, "dropped": 2}


class DamagedDecisions(ObservatoryError):
    """A file's bytes are not what was written; the message names it."""


@dataclass(frozen=True, slots=True)
class DecisionFile:
    """One file, mapped. `columns` is (columns, count) of uint64."""

    path: Path
    kind: Kind
    first: Nanos
    last: Nanos
    names: tuple[str, ...]
    columns: np.ndarray

    @property
    def bytes(self) -> int:
        """On disk."""
        return HEADER + self.columns.size * 8

    def find(self, key: np.ndarray, low: np.ndarray) -> np.ndarray:
        """The place of each id (asked in ascending order of `key`), -1 for none: some µs when the pages are cold."""
        return search(self.columns[0], self.columns[1], key, low)


def search(keys: np.ndarray, lows: np.ndarray, key: np.ndarray, low: np.ndarray) -> np.ndarray:
    """The place of each (key, low) in two columns sorted by (key, low), -1 for none."""
    at = np.searchsorted(keys, key)
    found = np.full(len(key), -1, np.int64)
    asked = np.flatnonzero(at < len(keys))
    while len(asked):
        same = keys[at[asked]] == key[asked]
        hit = same & (lows[at[asked]] == low[asked])
        found[asked[hit]] = at[asked[hit]]
        asked = asked[same & ~hit]  # another id with the same key: 1 in 2^64, unless somebody tries
        at[asked] += 1
        asked = asked[at[asked] < len(keys)]
    return found


def write(
    files: Files, path: Path, kind: Kind, columns: np.ndarray, first: Nanos, last: Nanos, names: tuple[str, ...] = ()
) -> DecisionFile:
    """Make a file of unsorted columns. Raises OSError as the disk does; nothing is visible then."""
    ordered = np.ascontiguousarray(columns[:, np.lexsort((columns[1], columns[0]))])
    body = ordered.tobytes()
    about = {"format": 1, "kind": kind, "count": columns.shape[1], "first": first, "last": last, "crc32": isal_zlib.crc32(body)}
    head = json.dumps(about | {"names": list(names)}).encode() + b"\n"
    pages = -(-len(head) // HEADER)
    write_file(files, path, head.ljust(pages * HEADER, b"\0") + body)
    return open_file(path)


def open_file(path: Path, verify: bool = False) -> DecisionFile:
    """Map a file. Raises DamagedDecisions; with `verify` all of it is read."""
    try:
        with path.open("rb") as file:
            head = file.readline()
        about = json.loads(head)
        offset = -(-len(head) // HEADER) * HEADER
        shape = (_COLUMNS[about["kind"]], about["count"])
        columns = np.memmap(path, np.uint64, "r", offset, shape) if about["count"] else np.zeros(shape, np.uint64)
        damaged = verify and isal_zlib.crc32(columns.tobytes()) != about["crc32"]
    except (OSError, ValueError, KeyError) as error:
        raise DamagedDecisions(f"{path}: {error}") from error
    if damaged:
        raise DamagedDecisions(f"{path}: the checksum differs")
    return DecisionFile(path, about["kind"], about["first"], about["last"], tuple(about["names"]), columns)
