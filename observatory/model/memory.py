"""How much memory the process holds, and giving back what it only keeps for later."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path

import pyarrow as pa

_PAGE = os.sysconf("SC_PAGE_SIZE")
_STATM = Path("/proc/self/statm")
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
"""glibc's, which keeps freed pages in its arenas; other C libraries have none."""


def anonymous_bytes() -> int:
    """Resident memory that is not backed by a file: 15 µs to ask. 0 where the system does not say."""
    try:
        resident, shared = _STATM.read_bytes().split()[1:3]
    except OSError:
        return 0
    return (int(resident) - int(shared)) * _PAGE


def give_back() -> None:
    """Drop what only garbage holds and return freed memory. Takes up to some 100 ms; call it off the event loop."""
    gc.collect()
    return_freed()


def return_freed() -> None:
    """Return freed memory that allocators keep to the system: 20 ms for 100 MB, during which other threads run."""
    pa.default_memory_pool().release_unused()
    if _trim is not None:
        _trim(0)
