"""A bounded file for what the receiver did not take. It outlives the process: the next one that names the file sends what is in it.

Records are `length (4 bytes, big-endian), signal (1 byte), body`. A file is one process's at a time (`flock`); another process that names
it writes to `NAME.1`, `NAME.2` … A record cut short by a crash is where reading stops. What was sent before a crash may be sent twice;
the server stores a span once.
"""

from __future__ import annotations

import struct
import threading
from pathlib import Path
from typing import BinaryIO

from observatory.sdk import guard
from observatory.sdk.config import SIGNALS
from observatory.sdk.outbox import Outcome
from observatory.sdk.transport import Transport

_HEAD = struct.Struct("!IB")
_MOST_FILES = 16


class Spool:
    """Adds at the end, sends from the front, and empties the file when all is sent. `refused` counts what did not fit."""

    def __init__(self, path: str, max_bytes: int) -> None:
        self._file = _claimed(Path(path).expanduser())
        self._max, self._lock = max_bytes, threading.Lock()
        self._sent_to = 0
        self.refused = 0

    @property
    def waiting(self) -> int:
        """Bytes that were not sent yet."""
        return self._file.seek(0, 2) - self._sent_to

    def add(self, signal: str, body: bytes) -> bool:
        """Keep a request; false when there is no room for it."""
        with self._lock:
            if self._file.seek(0, 2) + _HEAD.size + len(body) > self._max:
                self.refused += 1
                guard.say_once(f"the spool {self._file.name} is full ({self._max} bytes): what the receiver does not take is dropped")
                return False
            self._file.write(_HEAD.pack(len(body), SIGNALS.index(signal)) + body)
            self._file.flush()
            return True

    def drain(self, transport: Transport, most: int = 16) -> Outcome:
        """Offer up to `most` requests from the front; LATER when the receiver does not take one."""
        for _ in range(most):
            with self._lock:
                found = self._next()
            if found is None:
                return Outcome.SENT
            signal, body = found
            outcome = transport.post(signal, body)
            if outcome in (Outcome.LATER, Outcome.DOWN):
                return outcome
            with self._lock:
                self._sent_to += _HEAD.size + len(body)
        return Outcome.SENT

    def _next(self) -> tuple[str, bytes] | None:
        self._file.seek(self._sent_to)
        head = self._file.read(_HEAD.size)
        if len(head) == _HEAD.size:
            length, signal = _HEAD.unpack(head)
            body = self._file.read(length) if length <= self._max and signal < len(SIGNALS) else b""
            if length and len(body) == length:
                return SIGNALS[signal], body
        if self._file.seek(0, 2):
            self._file.truncate(0)
        self._sent_to = 0
        return None

    def close(self) -> None:
        """Let another process have the file."""
        self._file.close()


def _claimed(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    for number in range(_MOST_FILES):
        name = path if number == 0 else path.with_name(f"{path.name}.{number}")
        file = name.open("a+b")
        if _locked(file):
            return file
        file.close()
    raise OSError(f"{path} and {_MOST_FILES - 1} beside it are used by other processes")


def _locked(file: BinaryIO) -> bool:
    try:
        import fcntl
    except ImportError:  # no flock here: one process for each name is the user's to see to
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
