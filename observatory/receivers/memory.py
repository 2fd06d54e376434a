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


def anonymous_bytes() -> int:
    """Resident memory that is not backed by a file: 15 µs to ask. 0 where the system does not say."""
    try:
        resident, shared = _STATM.read_bytes().split()[1:3]
    except OSError:
        return 0
    return (int(resident) - int(shared)) * _PAGE


def give_back() -> None:
    """Return freed memory that allocators keep to the system. Takes up to some 100 ms; call it off the event loop."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        # glibc keeps freed pages in its arenas; other C libraries have no malloc_trim
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
