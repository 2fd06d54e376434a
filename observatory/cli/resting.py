"""What a server gives back: memory that was freed, every second, and while it rests the pages of its libraries.

At 33,000 spans/s allocators keep 100 MB of what cuts and merges freed; returning it takes up to 20 ms.

A page of a library counts as this process's memory from the first touch on, and the kernel maps its neighbours along with it: importing
leaves 105 MB resident of which serving needs 20. They are let go of here and stay in the kernel's cache, so that touching one again is a
minor fault, under a millisecond for all that a query needs. Measured after a start: 117 MB resident instead of 199.
"""

from __future__ import annotations

import asyncio
import ctypes
import mmap
import re
import time
from pathlib import Path

from observatory.model.memory import return_freed

EVERY_S = 1.0
AT_REST = 0.02  # of a core, over that time
WORTH = 16 << 20  # bytes of files that became resident since the last time

STATM = Path("/proc/self/statm")
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+) ")
_libc = ctypes.CDLL(None)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


async def give_back() -> None:
    """Until cancelled: return what was freed, and let go of pages whenever the server rests. Ends at once where there is no /proc."""
    left, possible = 0, STATM.exists()  # noqa: ASYNC240  a file of no disk
    while possible:
        used = time.process_time()
        await asyncio.sleep(EVERY_S)
        if time.process_time() - used > AT_REST * EVERY_S:
            await asyncio.to_thread(return_freed)
        elif of_files() - left > WORTH:
            await asyncio.to_thread(let_go)
            left = of_files()


def let_go() -> None:
    """Give back what can be had again; 0.1 s of work, during which other threads run."""
    return_freed()
    before = unwritten()
    time.sleep(0.2)  # a library that is being loaded looks like this for an instant, before its data is laid over it
    for start, size in before & unwritten():
        _libc.madvise(start, size, mmap.MADV_DONTNEED)


def of_files() -> int:
    """Resident bytes of files."""
    return int(STATM.read_text().split()[2]) * mmap.PAGESIZE


def unwritten() -> set[tuple[int, int]]:
    """Address and size of what is mapped read-only of libraries and was never written to: relocations, for one, would be lost."""
    mappings, libraries = [], set()
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if found := _MAPPING.match(line):
            start, end = int(found[1], 16), int(found[2], 16)
            mappings.append([start, end - start, found[3], found[4], ""])
            if found[3] == "r-xp" and found[4] != "0":
                libraries.add(found[4])
        elif line.startswith("Anonymous:"):
            mappings[-1][4] = line.split()[1]
    return {
        (start, size)
        for start, size, rights, file, written in mappings
        if file in libraries and rights in ("r-xp", "r--p") and written == "0"
    }
