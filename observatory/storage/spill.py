"""Memory for rows that wait: files without a name, mapped, so that the kernel may write them out instead of keeping them.

What waits for seconds or minutes (calls for the next cut, what is known of open traces) comes to hundreds of megabytes at full rate. All
of it can be made again from the journal, so nothing is fsynced, and nothing is left behind: a file goes with the last row that lies in it.
"""

from __future__ import annotations

import mmap
import tempfile
import threading
import weakref
from pathlib import Path

import numpy as np
import pyarrow as pa

WORTH = 64 * 1024  # bytes; a file costs some 50 µs
MOST = 8192  # files; the system allows 65,530 mappings


class Spill:
    """Gives back what it was given, in mapped memory when it is large; as it was without a directory, or when the disk refuses."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._lock = threading.RLock()  # a collection of garbage may run `_gone` in the thread that holds it
        self.bytes = self.files = 0
        """On disk now."""

    def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The same rows."""
        if not self._worth(rows.get_total_buffer_size()):
            return rows
        try:
            with tempfile.TemporaryFile(dir=self._directory, buffering=0) as file:
                with pa.ipc.new_stream(file, rows.schema) as stream:
                    stream.write_batch(rows)
                return pa.ipc.open_stream(self._mapped(file.fileno(), file.tell())).read_next_batch()
        except OSError:
            return rows

    def array(self, values: np.ndarray) -> np.ndarray:
        """The same values of one dimension, read-only."""
        if not self._worth(values.nbytes):
            return values
        try:
            with tempfile.TemporaryFile(dir=self._directory, buffering=0) as file:
                if file.write(np.ascontiguousarray(values).data) < values.nbytes:
                    return values
                return np.frombuffer(self._mapped(file.fileno(), values.nbytes), values.dtype)
        except OSError:
            return values

    def _worth(self, size: int) -> bool:
        return self._directory is not None and size >= WORTH and self.files < MOST

    def _mapped(self, fd: int, size: int) -> pa.Buffer:
        mapped = mmap.mmap(fd, size, prot=mmap.PROT_READ)
        with self._lock:
            self.bytes += size
            self.files += 1
        weakref.finalize(mapped, self._gone, size).atexit = False
        return pa.py_buffer(mapped)

    def _gone(self, size: int) -> None:
        with self._lock:
            self.bytes -= size
            self.files -= 1
