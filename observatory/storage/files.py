"""What storage asks of the file system, in one place, so that a test can stop the world at any of these steps.

Nothing is visible under its own name before it is complete and fsynced: written as `.tmp`, fsynced, renamed, directory fsynced.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from isal import isal_zlib

_SYNC_EVERY = 8 * 1024 * 1024  # written back in steps: an fsync of 64 MB at once would hold up the journal's


class Files:
    """Durable file operations. All raise OSError as the system does; a full disk is `errno.ENOSPC`."""

    def make_directory(self, path: Path, mode: int = 0o777) -> None:
        """A directory and its missing parents, each name durable: a file that is fsynced is lost all the same when its directory is."""
        if path.is_dir():
            return
        if not path.parent.exists():
            self.make_directory(path.parent, mode)
        path.mkdir(mode, exist_ok=True)
        self.sync_directory(path.parent)

    def create(self, path: Path) -> int:
        """A new file for writing, as a descriptor. An older file of that name, left by a crash, is replaced."""
        self.make_directory(path.parent)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, fd: int, data: bytes | memoryview) -> None:
        """Write all of it; a short write is continued."""
        view = memoryview(data).cast("B")
        while view:
            view = view[os.write(fd, view) :]

    def sync(self, fd: int) -> None:
        """Return when the file's bytes are on the disk. After a failure the file must be given up: a second try may lie."""
        os.fsync(fd)

    def rename(self, source: Path, target: Path) -> None:
        """Give a complete file its name, and make the name durable."""
        source.rename(target)
        self.sync_directory(target.parent)
        if source.parent != target.parent:
            self.sync_directory(source.parent)

    def sync_directory(self, path: Path) -> None:
        """Make the names in a directory durable."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def unlink(self, path: Path) -> None:
        """Delete a file; one that is gone already is fine."""
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


DISK = Files()
"""The real file system; stateless."""


class Sink:
    """A file that something else writes to: counts, checksums, and writes back in steps."""

    def __init__(self, files: Files, fd: int) -> None:
        self._files, self._fd = files, fd
        self.bytes = 0
        self.crc32 = 0
        self._unsynced = 0
        self._given_up = False
        self.closed = False

    def write(self, data: bytes | memoryview) -> int:
        """All of it; how many bytes that are."""
        size = memoryview(data).nbytes
        if not self._given_up:
            self._files.write(self._fd, data)
            self.crc32 = isal_zlib.crc32(data, self.crc32)
            self.bytes += size
            self._unsynced += size
            if self._unsynced >= _SYNC_EVERY:
                self.sync()
        return size

    def sync(self) -> None:
        """Return when the bytes are on the disk."""
        self._unsynced = 0
        self._files.sync(self._fd)

    def give_up(self) -> None:
        """Write nothing any more."""
        self._given_up = True
        self.close()

    def flush(self) -> None:
        """Nothing is held back."""

    def tell(self) -> int:
        """Where the next byte goes."""
        return self.bytes

    def close(self) -> None:
        """Close the file; twice does nothing."""
        if not self.closed:
            self.closed = True
            os.close(self._fd)


@contextlib.contextmanager
def new_file(files: Files, path: Path) -> Iterator[Sink]:
    """A file to be written piece by piece: durable and all there when the block ends, absent when it raises."""
    temporary = path.with_name(path.name + ".tmp")
    sink = Sink(files, files.create(temporary))
    try:
        yield sink
        sink.sync()
    finally:
        sink.close()
    files.rename(temporary, path)


def write_file(files: Files, path: Path, data: bytes | memoryview) -> None:
    """A whole file, durable and all or nothing."""
    with new_file(files, path) as sink:
        sink.write(data)
