"""The manifest: which segments are live, and how far the journal is in them. One transaction a swap."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from observatory.contracts import Segment, Swap
from observatory.errors import CannotStart
from observatory.model.clock import SECOND, Nanos
from observatory.model.signal import Signal
from observatory.storage import swaplog, sweep, traceindex
from observatory.storage.files import DISK, Files
from observatory.storage.ledger import REBUILD, Ledger, path_of
from observatory.storage.segment import index_path, to_json
from observatory.storage.swaplog import State

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pin:
    """A moment that stays readable: the segments live at `publish`; the journal's records after `checkpoint` complete them, and what was
    derived after `measured`.
    """

    publish: int
    checkpoint: int
    measured: int
    segments: tuple[Segment, ...]


class Manifest:
    """Open with `Manifest.open`; all methods may be called from any thread."""

    def __init__(self, data_dir: Path, lock: int, ledger: Ledger, files: Files) -> None:
        self.data_dir, self._lock_fd, self._ledger, self._files = data_dir, lock, ledger, files
        self._writing = threading.RLock()  # held over fsyncs; readers never wait for it
        self._reading = threading.Lock()
        self._state = State()
        self._pins: Counter[tuple[int, int, int]] = Counter()
        self._doomed: list[tuple[int, Segment, bool]] = []  # (publish that dropped it, segment, keep its index)
        self._deleted: list[int] = []
        self._abandoned: list[Segment] = []
        self._settings: dict[str, str] = {}
        self.broken: dict[int, str] = {}

    @classmethod
    def open(cls, data_dir: Path, now: Nanos, *, create: bool = True, trash_days: float = 7.0, files: Files = DISK) -> Manifest:
        """Lock the data directory, load, and put aside what no swap published. Raises CannotStart with one sentence."""
        lock = lock_data_dir(data_dir, create=create)
        try:
            manifest = cls(data_dir, lock, Ledger.open(data_dir, files, create=create), files)
        except BaseException:
            os.close(lock)
            raise
        try:
            manifest._load()
            manifest._catch_up()
            sweep.sweep(data_dir, manifest._state, now, trash_days, files)
            manifest._check_files()
        except BaseException:
            manifest.close()
            raise
        return manifest

    # --- what is there ---

    def live(self, signal: Signal | None = None) -> tuple[Segment, ...]:
        """Live segments by id, without those set aside as broken."""
        with self._reading:
            return tuple(s for s in self._state.live.values() if (signal is None or s.signal == signal) and s.id not in self.broken)

    def unreadable(self) -> tuple[Segment, ...]:
        """Live segments that were set aside as broken; they expire like the others."""
        with self._reading:
            return tuple(s for s in self._state.live.values() if s.id in self.broken)

    @property
    def checkpoint(self) -> int:
        """Every journal record up to this seq is in segments, or was dropped."""
        return self._state.checkpoint

    @property
    def measured(self) -> int:
        """Everything that was derived up to this position is in segments."""
        return self._state.measured

    @property
    def publish(self) -> int:
        """The number of the last swap."""
        return self._state.publish

    @contextmanager
    def pin(self) -> Iterator[Pin]:
        """Hold the present moment: files of its segments are not deleted, and the journal keeps its records, until the end of the block."""
        with self._reading:
            state = self._state
            pin = Pin(state.publish, state.checkpoint, state.measured, tuple(s for s in state.live.values() if s.id not in self.broken))
            held = (pin.publish, pin.checkpoint, pin.measured)
            self._pins[held] += 1
        try:
            yield pin
        finally:
            with self._reading:
                self._pins[held] -= 1
                if not self._pins[held]:
                    del self._pins[held]
            self._delete_doomed()

    def pinned(self) -> tuple[int, int]:
        """(checkpoint, measured), the lowest that a reader still holds.

        The journal may forget records up to the first, and what was derived up to the second.
        """
        with self._reading:
            checkpoint = min((checkpoint for _, checkpoint, _ in self._pins), default=self._state.checkpoint)
            return checkpoint, min((measured for _, _, measured in self._pins), default=self._state.measured)

    def leaving(self) -> int:
        """Bytes of segments that were dropped and are deleted when the last reader lets go of them."""
        with self._reading:
            return sum(segment.bytes for _, segment, _ in self._doomed)

    def expired(self, trace_id: bytes) -> str | None:
        """Why and when spans of this trace were deleted, None when nothing is known of that. Ask only after the trace was not found."""
        with self._reading:
            gone = {index_path(self.data_dir / t.segment.uri): t for t in self._state.tombstones.values()}
        held = traceindex.holders(reversed(gone), trace_id)
        if held is None:
            return None
        return f"deleted on {_day(gone[held].at)}: {gone[held].why}"

    def set_aside(self, id: int, why: str) -> None:
        """A segment cannot be read: queries are answered from the rest from now on. It stays in the manifest; doctor says what to do."""
        with self._reading:
            if id in self.broken or id not in self._state.live:
                return
            self.broken = {**self.broken, id: why}
        log.error("segment %d is set aside, queries are answered without it: %s", id, why)

    # --- what changes ---

    def next_id(self) -> int:
        """A segment id that was never given before, also across crashes. Raises OSError when the disk is full."""
        with self._writing:
            id = self._state.last_id + 1
            self._ledger.put("last_id", str(id))
            with self._reading:
                self._state.last_id = id
            return id

    def swap(self, swap: Swap, now: Nanos | None = None) -> int:
        """Publish: all or nothing, durable on return; the publish number.

        Raises ValueError when a dropped id is not live or an added one is, OSError (ENOSPC) when the disk is full. After an OSError the
        files of `add` belong to the manifest, which deletes them when the next swap succeeds: until then they may be found published.
        """
        with self._writing:
            self._refuse_bad(swap)
            publish = self._state.publish + 1
            added = [replace(segment, publish=publish) for segment in swap.add]
            dropped = [self._state.live[id] for id in swap.drop]
            deleted = list(self._deleted)
            entry: dict[str, Any] = {"publish": publish, "at": time.time_ns() if now is None else now, "last_id": self._state.last_id}
            entry |= {
                "add": [to_json(s) for s in added],
                "drop": list(swap.drop),
                "expired": swap.expired,
                "checkpoint": swap.checkpoint,
                "measured": swap.measured,
            }
            try:
                self._ledger.swap(entry, dropped, deleted)
            except OSError:
                self._abandoned.extend(added)
                raise
            with self._reading:
                self._adopt(entry, dropped, keep_index=swap.expired is not None)
            self._deleted = [id for id in self._deleted if id not in deleted]
            self._log_swaps()
            self._delete_abandoned()
            self._delete_doomed()
            return publish

    def forget(self, before: Nanos) -> int:
        """Drop tombstones older than `before` with their trace indexes: such traces become unknown. How many."""
        with self._writing:
            old = [t for t in self._state.tombstones.values() if t.at < before]
            if old:
                for tombstone in old:
                    self._files.unlink(index_path(self.data_dir / tombstone.segment.uri))
                self._ledger.forget([t.segment.id for t in old])
                with self._reading:
                    gone = {t.segment.id for t in old}
                    self._state.tombstones = {id: t for id, t in self._state.tombstones.items() if id not in gone}
            return len(old)

    def get(self, key: str) -> str | None:
        """A small setting, as it was set."""
        with self._reading:
            return self._settings.get(key)

    def set(self, key: str, value: str) -> None:
        """Keep a small setting, durably."""
        with self._writing:
            self._ledger.put(f"user.{key}", value)
            with self._reading:
                self._settings[key] = value

    def unset(self, key: str) -> bool:
        """Forget a small setting, durably; whether there was one."""
        with self._writing:
            if key not in self._settings:
                return False
            self._ledger.remove(f"user.{key}")
            with self._reading:
                del self._settings[key]
            return True

    def settings(self, prefix: str) -> dict[str, str]:
        """All small settings whose key begins with `prefix`, which is cut off."""
        with self._reading:
            return {key.removeprefix(prefix): value for key, value in self._settings.items() if key.startswith(prefix)}

    def close(self) -> None:
        """Let go of the data directory."""
        with self._writing:
            if self._lock_fd >= 0:
                self._ledger.close()
                os.close(self._lock_fd)
                self._lock_fd = -1

    # --- inside ---

    def _refuse_bad(self, swap: Swap) -> None:
        for id in swap.drop:
            if id not in self._state.live:
                raise ValueError(f"segment {id} is not live")
        if len(set(swap.drop)) < len(swap.drop):
            raise ValueError("a segment is dropped twice")
        for segment in swap.add:
            if segment.id in self._state.live or segment.id > self._state.last_id:
                raise ValueError(f"segment {segment.id} is live already or its id was never given")
        if swap.checkpoint is not None and swap.checkpoint < self._state.checkpoint:
            raise ValueError(f"the checkpoint would go back from {self._state.checkpoint} to {swap.checkpoint}")
        if swap.measured is not None and swap.measured < self._state.measured:
            raise ValueError(f"what is measured would go back to {swap.measured}")

    def _adopt(self, entry: dict[str, Any], dropped: list[Segment], keep_index: bool) -> None:
        state = replace(self._state, live=dict(self._state.live), tombstones=dict(self._state.tombstones))
        state.apply(entry)
        self._state = state
        self._doomed.extend((state.publish, segment, keep_index) for segment in dropped)
        self.broken = {id: why for id, why in self.broken.items() if id in state.live}

    def _log_swaps(self, afresh: bool = False) -> None:
        """Copy committed swaps to swaps.log. The swap stands whether or not this works; what is missing is added by the next one."""
        path = swaplog.path_of(self.data_dir)
        try:
            entries = self._ledger.unlogged()
            if not afresh and path.exists() and path.stat().st_size < swaplog.COMPACT_BYTES:
                swaplog.append(self._files, path, entries)
            else:
                swaplog.replace(self._files, path, self._state)
            self._ledger.logged(self._state.publish)
        except (OSError, sqlite3.Error) as error:
            log.warning("swaps.log is behind: %s", error)

    def _delete_doomed(self) -> None:
        with self._reading:
            oldest = min((publish for publish, _, _ in self._pins), default=None)
            ready = [d for d in self._doomed if oldest is None or d[0] <= oldest]
            self._doomed = [d for d in self._doomed if d not in ready]
        for doomed in ready:
            _, segment, keep_index = doomed
            try:
                self._remove(segment, keep_index)
                self._deleted.append(segment.id)
            except OSError as error:
                log.warning("segment %d was dropped but cannot be deleted: %s", segment.id, error)
                with self._reading:
                    self._doomed.append(doomed)

    def _delete_abandoned(self) -> None:
        for segment in self._abandoned:
            with contextlib.suppress(OSError):
                self._remove(segment, keep_index=False)
        self._abandoned.clear()

    def _remove(self, segment: Segment, keep_index: bool) -> None:
        path = self.data_dir / segment.uri
        self._files.unlink(path)
        if not keep_index or segment.signal != Signal.SPANS:
            self._files.unlink(index_path(path))

    def _load(self) -> None:
        self._state, doomed, self._settings = self._ledger.load()
        self._doomed = [(0, segment, segment.id in self._state.tombstones) for segment in doomed]
        self._delete_doomed()

    def _catch_up(self) -> None:
        path = swaplog.path_of(self.data_dir)
        logged, problems = swaplog.read(path)
        if logged.publish > self._state.publish:
            raise CannotStart(
                f"{path_of(self.data_dir)} is older than the segments beside it (swap {self._state.publish}, the log has "
                f"{logged.publish}); {REBUILD}"
            )
        if problems or logged.publish < self._state.publish:
            self._log_swaps(afresh=True)

    def _check_files(self) -> None:
        for segment in self._state.live.values():
            try:
                size = (self.data_dir / segment.uri).stat().st_size
            except OSError as error:
                self.set_aside(segment.id, f"{segment.uri}: {error.strerror}")
                continue
            if size != segment.bytes:
                self.set_aside(segment.id, f"{segment.uri}: {size} bytes instead of {segment.bytes}")


def lock_data_dir(data_dir: Path, *, create: bool = False) -> int:
    """Take the data directory for this process until the descriptor is closed. Raises CannotStart when another has it."""
    try:
        if create:
            DISK.make_directory(data_dir)
        fd = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(f"the data directory {data_dir} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(fd, 32, 0).decode(errors="replace").strip()
        os.close(fd)
        raise CannotStart(
            f"another observatory uses {data_dir} (process {holder or 'unknown'}); stop it, or give another --data"
        ) from error
    os.ftruncate(fd, 0)
    with contextlib.suppress(OSError):  # a full disk: the lock holds without the number
        os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd


def _day(at: Nanos) -> str:
    return datetime.datetime.fromtimestamp(at // SECOND, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
