"""The journal: append and fsync, find again after a crash, forget what is in segments. One thread appends; any thread may ask.

An acknowledgement means `append` returned. A failed write or fsync is fatal for its file: the next file's header says up to where the
failed one is valid, so that what was refused can never come back after a restart.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from observatory.contracts import OpenRecord
from observatory.errors import CannotStart, Retryable
from observatory.model.schema import time_column
from observatory.model.signal import Signal
from observatory.pipeline.config import JournalConfig
from observatory.storage import records
from observatory.storage.files import DISK
from observatory.storage.records import ALIGNMENT, HEADER_BYTES, DamagedRecord, Digest, FileHeader

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """What becomes one record: rows of one signal and the digests of the requests they came in."""

    signal: Signal
    rows: pa.RecordBatch
    digests: Sequence[Digest]


class Recovered(NamedTuple):
    """What the journal held at start: records behind the checkpoint, and every digest that was still there."""

    open: list[OpenRecord]
    digests: list[tuple[int, Digest]]  # with the time of receipt
    damaged: int


class _File:
    """The file that is being written."""

    def __init__(self, path: Path, number: int, size: int, previous: tuple[int, int]) -> None:
        self.path, self.number, self.size = path, number, size
        self.tag = secrets.token_bytes(16)
        self.end = HEADER_BYTES
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self.fd, 0, size)
            _write_full(self.fd, [records.file_header(FileHeader(self.tag, *previous))], 0)
            os.fsync(self.fd)
        except OSError:
            os.close(self.fd)
            path.unlink(missing_ok=True)
            raise


class Journal:
    """Durable, ordered, and short: only what is newer than the last cut."""

    def __init__(self, directory: Path, config: JournalConfig) -> None:
        self._directory, self._config = directory, config
        self._file: _File | None = None
        self._files: dict[Path, tuple[int, int]] = {}  # path -> (highest seq, bytes)
        self._last: tuple[int, int] = (0, 0)  # number and valid length of the file before
        self._lock = threading.Lock()
        self.seq = 0
        self.damaged = 0

    def recover(self, checkpoint: int) -> Recovered:
        """Read every file. Raises CannotStart when a file is of another format or cannot be read."""
        DISK.make_directory(self._directory)
        self.seq = checkpoint
        scans = self._scan_all()
        found = Recovered([], [], sum(len(scan.damages) for _, _, scan in scans))
        cut_at = {scan.header.previous_number: scan.header.previous_length for _, _, scan in scans}
        for number, path, scan in scans:
            kept = [r for r in scan.records if r.offset < cut_at.get(number, scan.end)]
            self._set_aside(scan.damages)
            if kept:
                os.truncate(path, min(scan.end, cut_at.get(number, scan.end)))  # a torn tail, or preallocated space
                # Also what was never fsynced is read back here, and resends of it are acknowledged from now on.
                _sync_file(path)
                self._files[path] = (kept[-1].seq, path.stat().st_size)
                self.seq = max(self.seq, kept[-1].seq)
            else:
                path.unlink()
            self._last = (number, min(scan.end, cut_at.get(number, scan.end)))
            found.open.extend(r for r in kept if r.seq > checkpoint)
            found.digests.extend((r.received_at, digest) for r in kept for digest in scan.digests[r.seq])
        self.damaged = found.damaged
        return found

    def append(self, entries: Iterable[Entry], received_at: int) -> list[OpenRecord]:
        """Write the entries as records and fsync once. Raises Retryable when the disk is full or fails; nothing of them is taken then."""
        packed: list[tuple[Entry, pa.Buffer, tuple[int, int, int]]] = []
        codec = None if self._config.codec == "none" else self._config.codec
        for entry in entries:
            times = entry.rows.column(time_column(entry.signal)).to_numpy()
            packed.append((entry, records.encode(entry.signal, entry.rows, codec), (int(times.min()), int(times.max()), received_at)))
        needed = sum(p.size + len(e.digests) * 24 + 2 * ALIGNMENT + 128 for e, p, _ in packed)
        try:
            file = self._room(needed)
            written, buffers, offset, seq = [], [], file.end, self.seq
            for entry, payload, times in packed:
                seq += 1
                parts = records.pack(entry.signal, seq, file.tag, payload, codec, entry.digests, entry.rows.num_rows, times)
                length = len(parts[0]) + payload.size
                start, end, received = times
                written.append(OpenRecord(seq, entry.signal, str(file.path), offset, length, entry.rows.num_rows, start, end, received))
                buffers.extend(parts)
                offset += length + len(parts[2])
            _write_full(file.fd, buffers, file.end)
            os.fdatasync(file.fd)
        except OSError as error:
            self._fail(error)
            raise Retryable(f"the journal cannot be written: {error.strerror or error}", after=5.0) from error
        with self._lock:
            self._files[file.path] = (seq, file.size)
        self.seq, file.end = seq, offset
        return written

    def release(self, upto: int) -> None:
        """Delete files whose every record has seq <= upto, but for the one being written."""
        file = self._file  # the thread that appends may let go of it meanwhile
        current = file.path if file else None
        with self._lock:
            dead = [path for path, (high, _) in self._files.items() if high <= upto and path != current]
            for path in dead:
                del self._files[path]
        for path in dead:
            path.unlink(missing_ok=True)

    def probe(self) -> str | None:
        """Why nothing could be written now, or None. Asks the disk, so that a full one is noticed to have space again."""
        free = os.statvfs(self._directory)
        if free.f_bavail * free.f_frsize < self._config.reserve_bytes + (0 if self._file else self._config.file_bytes):
            return f"less than {self._config.reserve_bytes >> 20} MiB of disk space is left in {self._directory}"
        return None

    def close(self) -> None:
        """Cut the preallocated rest of the file and close it."""
        if self._file:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file.fd, self._file.end)
                os.fsync(self._file.fd)
            os.close(self._file.fd)
            self._file = None

    @property
    def bytes(self) -> int:
        """Bytes of disk that the journal's files take, preallocated space included."""
        with self._lock:
            return sum(size for _, size in self._files.values())

    @property
    def files(self) -> int:
        """How many files there are."""
        with self._lock:
            return len(self._files)

    def _room(self, needed: int) -> _File:
        if self._file and self._file.end + needed <= self._file.size:
            return self._file
        if self._file:
            self._last = (self._file.number, self._file.end)
            os.close(self._file.fd)
            self._file = None
        if why := self.probe():
            raise OSError(28, why)
        number = self._last[0] + 1
        size = max(self._config.file_bytes, HEADER_BYTES + needed)
        self._file = _File(self._directory / f"{number:010d}.journal", number, size, self._last)
        DISK.sync_directory(self._directory)
        return self._file

    def _fail(self, error: OSError) -> None:
        log.error("journal write failed: %s", error)
        if self._file:
            file, self._file = self._file, None
            self._last = (file.number, file.end)
            with contextlib.suppress(OSError):  # the next file's header says the same; this only frees space sooner
                os.ftruncate(file.fd, file.end)
            os.close(file.fd)
            with self._lock:  # without records of its own it goes with those before it, of which its header says where they end
                high, _ = self._files.get(file.path, (self.seq, 0))
                self._files[file.path] = (high, file.end)

    def _scan_all(self) -> list[tuple[int, Path, records.Scan]]:
        scans = []
        for path in sorted(self._directory.glob("*.journal")):
            try:
                scans.append((int(path.stem), path, records.scan(path)))
            except DamagedRecord as damage:
                # The header is fsynced before the first record is written: with nothing behind it, it was being made when the power failed.
                if not any(path.read_bytes()[HEADER_BYTES:]):
                    path.unlink()
                    continue
                raise CannotStart(f"{damage}; run `observatory doctor`, or move the file away to start without it") from damage
        return scans

    def _set_aside(self, damages: Sequence[records.Damage]) -> None:
        aside = self._directory / "damaged"
        for damage in damages:
            log.error(
                "journal damage: %d bytes at byte %d of %s are no record; set aside in %s", damage.length, damage.offset, damage.path, aside
            )
            aside.mkdir(exist_ok=True)
            with Path(damage.path).open("rb") as source:
                source.seek(damage.offset)
                (aside / f"{Path(damage.path).stem}-{damage.offset}.bin").write_bytes(source.read(damage.length))


def _write_full(fd: int, buffers: Sequence[bytes | pa.Buffer | memoryview], offset: int) -> None:
    views = [memoryview(buffer).cast("B") for buffer in buffers if len(memoryview(buffer)) > 0]
    while views:
        count = os.pwritev(fd, views[:512], offset)  # IOV_MAX is 1024
        offset += count
        while views and count >= len(views[0]):
            count -= len(views.pop(0))
        if count:
            views[0] = views[0][count:]


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
