"""Requests seen before: a client that lost our reply sends again, and must be answered as it was without storing anything twice."""

from __future__ import annotations

import logging
import struct
import threading
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from isal import isal_zlib

from observatory.model.batch import Reply
from observatory.model.clock import Nanos
from observatory.storage.files import DISK, write_file
from observatory.storage.records import Digest

log = logging.getLogger(__name__)

_ROW = struct.Struct("<16sqII")


class Seen(NamedTuple):
    """A body that is durable: when it came and what it was answered."""

    at: Nanos
    accepted: int
    rejected: int

    @property
    def reply(self) -> Reply:
        """The first answer again."""
        message = "some rows were rejected when this request was first received" if self.rejected else ""
        return Reply(self.accepted, self.rejected, message, duplicate=True)


class Resends:
    """The digests of the last minutes, in order of arrival, bounded by age and by number."""

    def __init__(self, window: Nanos, entries: int) -> None:
        self._window, self._entries = window, entries
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()
        self._flying: set[bytes] = set()
        self._lock = threading.Lock()
        self.forgotten = 0

    def claim(self, digest: bytes, now: Nanos) -> Seen | bool:
        """`Seen` when the body is durable already; True when it is new and now claimed; False while another request carries it."""
        with self._lock:
            seen = self._seen.get(digest)
            if seen is not None and now - seen.at <= self._window:
                return seen
            if digest in self._flying:
                return False
            self._flying.add(digest)
            return True

    def settle(self, digests: list[Digest], now: Nanos) -> None:
        """The bodies are durable now."""
        with self._lock:
            for digest in digests:
                self._flying.discard(digest.body)
                self._seen[digest.body] = Seen(now, digest.accepted, digest.rejected)
                self._seen.move_to_end(digest.body)
            self._forget(now)

    def release(self, digests: list[bytes]) -> None:
        """The bodies were not taken; the next attempt is a first one."""
        with self._lock:
            self._flying.difference_update(digests)

    def restore(self, digests: list[tuple[Nanos, Digest]]) -> None:
        """What was seen before a restart."""
        with self._lock:
            for at, digest in sorted(digests, key=lambda pair: pair[0]):
                self._seen[digest.body] = Seen(at, digest.accepted, digest.rejected)

    def save(self, path: Path, now: Nanos) -> None:
        """Make durable what the journal is about to forget. Written anew each time: 32 bytes a request of the last minutes."""
        with self._lock:
            rows = [_ROW.pack(body, *seen) for body, seen in self._seen.items() if now - seen.at <= self._window]
        listed = b"".join(rows)
        write_file(DISK, path, isal_zlib.crc32(listed).to_bytes(4, "little") + listed)

    def load(self, path: Path) -> None:
        """What `save` wrote; a damaged file is reported and forgotten, since at worst a resend is stored twice."""
        raw = path.read_bytes() if path.exists() else bytes(4)
        if isal_zlib.crc32(raw[4:]) != int.from_bytes(raw[:4], "little"):
            log.error("%s is damaged: requests sent again after the restart may be stored twice", path)
            return
        self.restore([(at, Digest(body, taken, refused)) for body, at, taken, refused in _ROW.iter_unpack(raw[4:])])

    def _forget(self, now: Nanos) -> None:
        while self._seen:
            body, seen = next(iter(self._seen.items()))
            early = len(self._seen) > self._entries
            if not early and now - seen.at <= self._window:
                return
            self.forgotten += early and now - seen.at <= self._window
            del self._seen[body]
