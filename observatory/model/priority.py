"""Who goes first when the processors are busy: acknowledgements, then answers, then the cut and the jobs, then SQL of users.

Linux has a priority for each thread, and a thread passes its own on to those it starts. On other systems everything stays at one.
"""

from __future__ import annotations

import contextlib
import os
import threading

ANSWERS = 5
CUT = 10
JOBS = 15
USER_SQL = 19  # behind the cut: a cut that holds the GIL and waits for a processor would hold up acknowledgements


def lower(nice: int) -> None:
    """Give the calling thread this niceness; what it starts from now on inherits it."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
