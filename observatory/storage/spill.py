"""Memory for rows that wait: files without a name, mapped, so that the kernel may write them out instead of keeping them.

What waits for seconds or minutes (calls for the next cut, what is known of open traces) comes to hundreds of megabytes at full rate. All
of it can be made again from the journal, so nothing is fsynced, and nothing is left behind: a file goes with the last row that lies in it.
"""

from __future__ import annotations

import mmap
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

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

        def write(file: IO[bytes]) -> None:
            with pa.ipc.new_stream(file, rows.schema) as stream:
                stream.write_batch(rows)

        mapped = self._mapped(rows.get_total_buffer_size(), write)
        return rows if mapped is None else pa.ipc.open_stream(mapped).read_next_batch()

    def array(self, values: np.ndarray) -> np.ndarray:
        """The same values of one dimension, read-only."""
        mapped = self._mapped(values.nbytes, lambda file: file.write(np.ascontiguousarray(values).data))
        return values if mapped is None else np.frombuffer(mapped, values.dtype)

    def _mapped(self, size: int, write: Callable[[IO[bytes]], object]) -> pa.Buffer | None:
        """What `write` writes; None when it is not worth a file or the disk refuses."""
        if self._directory is None or size < WORTH or self.files >= MOST:
            return None
        try:
            with tempfile.TemporaryFile(dir=self._directory) as file:  # buffered: it writes all or raises, where a bare file may stop short
                write(file)
                file.flush()
                mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        except OSError:
            return None
        with self._lock:
            self.bytes += len(mapped)
            self.files += 1
        weakref.finalize(mapped, self._gone, len(mapped)).atexit = False
        return pa.py_buffer(mapped)

    def _gone(self, size: int) -> None:
        with self._lock:
            self.bytes -= size
            self.files -= 1
