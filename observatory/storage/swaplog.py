"""`segments/swaps.log`: every swap as a line, so that the manifest can be made again from what lies beside the segments.

A line is JSON, a tab, and the CRC-32 of the JSON in hex. The first line is a snapshot; a torn last line is what a crash leaves.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isal import isal_zlib

from observatory.contracts import Segment
from observatory.model.clock import Nanos
from observatory.model.signal import Signal
from observatory.storage.files import Files, write_file
from observatory.storage.segment import from_json, to_json

COMPACT_BYTES = 16 * 1024 * 1024  # some 10,000 swaps; then the log starts again with a snapshot


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A segment that expired; its trace index stays for a while to tell "gone" from "unknown"."""

    segment: Segment
    at: Nanos
    why: str


@dataclass(slots=True)
class State:
    """What all swaps together mean."""

    publish: int = 0
    checkpoint: int = 0
    measured: int = 0
    last_id: int = 0
    live: dict[int, Segment] = field(default_factory=dict)
    tombstones: dict[int, Tombstone] = field(default_factory=dict)

    def apply(self, entry: dict[str, Any]) -> None:
        """Take one line's meaning; lines already contained are passed over."""
        if entry["publish"] <= self.publish:
            return
        if "snapshot" in entry:
            self.live = {s.id: s for s in map(from_json, entry["snapshot"])}
            self.tombstones = {t["segment"]["id"]: Tombstone(from_json(t["segment"]), t["at"], t["why"]) for t in entry["tombstones"]}
        for value in entry.get("add", ()):
            segment = from_json(value)
            self.live[segment.id] = segment
        for id in entry.get("drop", ()):
            gone = self.live.pop(id)
            if entombed(gone, entry):
                self.tombstones[id] = Tombstone(gone, entry["at"], entry["expired"])
        self.publish = entry["publish"]
        self.checkpoint = entry.get("checkpoint") or self.checkpoint
        self.measured = entry.get("measured") or self.measured
        self.last_id = max([self.last_id, entry.get("last_id", 0), *self.live])

    def snapshot(self) -> dict[str, Any]:
        """A line that means all of this."""
        return {
            "publish": self.publish,
            "checkpoint": self.checkpoint,
            "measured": self.measured,
            "last_id": self.last_id,
            "snapshot": [to_json(segment) for segment in self.live.values()],
            "tombstones": [{"segment": to_json(t.segment), "at": t.at, "why": t.why} for t in self.tombstones.values()],
        }


def entombed(segment: Segment, entry: dict[str, Any]) -> bool:
    """Whether a segment that this swap drops leaves a tombstone: it expired, and its spans are what a trace is asked for by."""
    return bool(entry.get("expired")) and segment.signal is Signal.SPANS


def path_of(data_dir: Path) -> Path:
    """Where the log lies."""
    return data_dir / "segments" / "swaps.log"


def line(entry: dict[str, Any]) -> bytes:
    """An entry as it is written."""
    text = json.dumps(entry, separators=(",", ":")).encode()
    return text + b"\t%08x\n" % isal_zlib.crc32(text)


def append(files: Files, path: Path, entries: list[dict[str, Any]]) -> None:
    """Append and fsync. What a failed append left behind is passed over by `read`, so the same entries may be appended again."""
    files.make_directory(path.parent)
    new = not path.exists()
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(fd).st_size
        torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
        files.write(fd, (b"\n" if torn else b"") + b"".join(map(line, entries)))
        files.sync(fd)
        if new:
            files.sync_directory(path.parent)
    finally:
        os.close(fd)


def replace(files: Files, path: Path, state: State) -> None:
    """Start the log again with a snapshot."""
    files.make_directory(path.parent)
    write_file(files, path, line(state.snapshot()))


def read(path: Path) -> tuple[State, list[str]]:
    """The state all good lines lead to, and a sentence for each bad one. A missing log is an empty one."""
    state, problems = State(), []
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return state, [f"{path} is missing"]
    for number, said in enumerate(raw.split(b"\n"), 1):
        text, tab, crc = said.rpartition(b"\t")
        if not said:
            continue
        if not tab or crc != b"%08x" % isal_zlib.crc32(text):
            problems.append(f"{path}: line {number} is damaged")
            continue
        try:
            state.apply(json.loads(text))
        except KeyError as error:
            problems.append(f"{path}: line {number} drops segment {error}, which no line before it added")
    return state, problems
