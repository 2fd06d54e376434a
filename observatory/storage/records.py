"""Journal files: how records lie on disk, and how they are read back. `FORMAT.md` describes the same bytes for people.

A file is a header (schemas of all received signals, written once) and records, each aligned to 64 bytes and holding one Arrow IPC stream
without its schema. Files are preallocated, so what follows the last record is zeros or, never, something older: every record carries the
file's random tag. Everything is read by `pread`: a page lost by the disk is an error then, not a SIGBUS.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from isal import isal_zlib

from observatory.contracts import OpenRecord
from observatory.errors import ObservatoryError
from observatory.model.schema import schema
from observatory.model.signal import RECEIVED, Signal

MAGIC = b"LLMOBSJ1"
ALIGNMENT = 64  # a cache line; also the step of the search for the next record behind a damaged one
HEADER_BYTES = 32768  # holds the file header and the schemas of what is received; a multiple of the page
CODECS = (None, "lz4", "zstd")  # a record's codec is an index into this

_LZ4 = pa.Codec("lz4", compression_level=-20)
"""Below 0 it looks at fewer places: 0.83 µs and 376 B for a believable span instead of 1.04 and 295 (none: 0.13 and 916)."""

_FILE = struct.Struct("<8sI16sQQI")  # magic, schema bytes, tag, predecessor's number, its valid length, crc
_RECORD = struct.Struct("<4sBBHQQIIIIqqqII")
_RECORD_MAGIC = b"REC1"
_DIGEST = struct.Struct("<16sII")


class DamagedRecord(ObservatoryError):
    """A record's bytes are not what was written; the message names file and offset."""


class Digest(NamedTuple):
    """One request in a record: the 128-bit digest of its body and what it was answered, to answer a resend alike."""

    body: bytes
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class FileHeader:
    """What a journal file says of itself. The predecessor is cut at `previous_length`: what lies behind was never acknowledged."""

    tag: bytes
    previous_number: int = 0
    previous_length: int = 0


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a journal file that are no record although records follow."""

    path: str
    offset: int
    length: int


@dataclass(slots=True)
class Scan:
    """All that one journal file holds: `end` is the offset behind the last good record."""

    header: FileHeader
    end: int
    records: list[OpenRecord] = field(default_factory=list)
    digests: dict[int, list[Digest]] = field(default_factory=dict)  # by seq
    damages: list[Damage] = field(default_factory=list)


@cache
def _prefix(signal: Signal) -> bytes:
    """The IPC stream of `signal` up to its first batch: the schema message. The stream's end mark is 8 bytes."""
    sink = pa.BufferOutputStream()
    pa.ipc.new_stream(sink, schema(signal)).close()
    return sink.getvalue().to_pybytes()[:-8]


def file_header(header: FileHeader) -> bytes:
    """The first `HEADER_BYTES` of a journal file."""
    schemas = b"".join(struct.pack("<BI", s.number, len(_prefix(s))) + _prefix(s) for s in RECEIVED)
    fixed = _FILE.pack(MAGIC, len(schemas), header.tag, header.previous_number, header.previous_length, 0)[:-4]
    said = fixed + struct.pack("<I", isal_zlib.crc32(fixed + schemas)) + schemas
    if len(said) > HEADER_BYTES:
        raise ValueError(f"journal schemas take {len(said)} bytes, the header has {HEADER_BYTES}")
    return said.ljust(HEADER_BYTES, b"\0")


def read_file_header(fd: int, path: str) -> FileHeader:
    """Raises DamagedRecord when the file is no journal file or of a format this version does not know."""
    raw = os.pread(fd, HEADER_BYTES, 0)
    if len(raw) < _FILE.size or raw[:8] != MAGIC:
        raise DamagedRecord(f"{path}: not a journal file of this version")
    _, schema_bytes, tag, number, length, crc = _FILE.unpack_from(raw)
    if isal_zlib.crc32(raw[: _FILE.size - 4] + raw[_FILE.size : _FILE.size + schema_bytes]) != crc:
        raise DamagedRecord(f"{path}: the file header is damaged")
    return FileHeader(tag, number, length)


def encode(signal: Signal, rows: pa.RecordBatch, codec: str | None) -> pa.Buffer:
    """Rows as the payload of a record: an IPC stream without its schema message."""
    sink = pa.BufferOutputStream()
    compression = _LZ4 if codec == "lz4" else codec
    with pa.ipc.new_stream(sink, rows.schema, options=pa.ipc.IpcWriteOptions(compression=compression, use_threads=False)) as stream:
        stream.write_batch(rows)
    return sink.getvalue().slice(len(_prefix(signal)))


def pack(
    signal: Signal,
    seq: int,
    tag: bytes,
    payload: pa.Buffer,
    codec: str | None,
    digests: Sequence[Digest],
    rows: int,
    times: tuple[int, int, int],
) -> list[bytes | pa.Buffer | memoryview]:
    """The buffers of one record, padding included, for `pwritev`. `times` is (start_ns, end_ns, received_at)."""
    listed = b"".join(_DIGEST.pack(*digest) for digest in digests)
    crc = isal_zlib.crc32(payload, isal_zlib.crc32(listed))
    start, end, received = times
    tag_number = int.from_bytes(tag[:8], "little")
    fixed = _RECORD.pack(
        _RECORD_MAGIC,
        signal.number,
        CODECS.index(codec),
        0,
        seq,
        tag_number,
        payload.size,
        len(digests),
        rows,
        0,
        received,
        start,
        end,
        crc,
        0,
    )[:-4]
    head = fixed + struct.pack("<I", isal_zlib.crc32(fixed))
    padding = -(len(head) + len(listed) + payload.size) % ALIGNMENT
    return [head + listed, payload, b"\0" * padding]


class Opened(NamedTuple):
    """A record's checked payload in memory, still compressed, behind its schema."""

    signal: Signal
    stream: pa.Buffer

    def rows(self, columns: Sequence[str] | None = None) -> pa.RecordBatch:
        """All columns or only those named, in schema order: what is not named is not decompressed."""
        names = schema(self.signal).names
        options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=sorted(names.index(c) for c in columns) if columns else None)
        with pa.ipc.open_stream(self.stream, options=options) as stream:
            return stream.read_next_batch()


def read(record: OpenRecord, columns: Sequence[str] | None = None) -> pa.RecordBatch:
    """A record's rows, as `Opened.rows` gives them. Raises DamagedRecord, or OSError when the file is gone."""
    return load(record).rows(columns)


def load(record: OpenRecord) -> Opened:
    """A record's bytes, once, for whoever looks at some columns before it wants the others. Raises as `read`."""
    fd = os.open(record.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _load(fd, record)
    finally:
        os.close(fd)


def _load(fd: int, record: OpenRecord) -> Opened:
    prefix = _prefix(record.signal)
    head = os.pread(fd, _RECORD.size, record.offset)
    parsed = _parse_head(head)
    if parsed is None or parsed.seq != record.seq:
        raise DamagedRecord(f"{record.path}: no record {record.seq} at byte {record.offset}")
    listed = parsed.digests * _DIGEST.size
    buffer = pa.allocate_buffer(len(prefix) + listed + parsed.payload)
    view = memoryview(buffer).cast("B")
    # digests first, then the payload: the schema is laid over the last bytes of the digests once these are checked
    start = len(prefix)
    _pread_full(fd, view[start:], record.offset + _RECORD.size, record)
    if isal_zlib.crc32(view[start:]) != parsed.crc:
        raise DamagedRecord(f"{record.path}: record {record.seq} at byte {record.offset} fails its checksum")
    view[listed : listed + len(prefix)] = prefix
    return Opened(record.signal, buffer.slice(listed))


def scan(path: Path) -> Scan:
    """Read a whole journal file and check every record. Raises DamagedRecord when the file header itself is unusable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        found = Scan(read_file_header(fd, str(path)), HEADER_BYTES)
        for record, digests in _records(fd, str(path), found.header.tag, size):
            if record.offset > found.end:
                found.damages.append(Damage(str(path), found.end, record.offset - found.end))
            found.records.append(record)
            found.digests[record.seq] = digests
            found.end = record.offset + record.length + (-record.length % ALIGNMENT)
        return found
    finally:
        os.close(fd)


class _Head(NamedTuple):
    signal: Signal
    codec: int
    seq: int
    tag: int
    payload: int
    digests: int
    rows: int
    received: int
    start: int
    end: int
    crc: int


def _parse_head(raw: bytes) -> _Head | None:
    if len(raw) < _RECORD.size or raw[:4] != _RECORD_MAGIC:
        return None
    _, signal, codec, _, seq, tag, payload, digests, rows, _, received, start, end, crc, head_crc = _RECORD.unpack(raw)
    if isal_zlib.crc32(raw[: _RECORD.size - 4]) != head_crc:
        return None
    return _Head(Signal.of(signal), codec, seq, tag, payload, digests, rows, received, start, end, crc)


def _records(fd: int, path: str, tag: bytes, size: int) -> Iterator[tuple[OpenRecord, list[Digest]]]:
    expected = int.from_bytes(tag[:8], "little")
    offset = HEADER_BYTES
    while offset + _RECORD.size <= size:
        head = _parse_head(os.pread(fd, _RECORD.size, offset))
        body = b""
        if head is not None and head.tag == expected:
            body = os.pread(fd, head.digests * _DIGEST.size + head.payload, offset + _RECORD.size)
        if head is None or head.tag != expected or isal_zlib.crc32(body) != head.crc:
            following = _next_magic(fd, offset + ALIGNMENT, size)
            if following is None:
                return
            offset = following
            continue
        length = _RECORD.size + len(body)
        digests = [Digest(*_DIGEST.unpack_from(body, i * _DIGEST.size)) for i in range(head.digests)]
        yield OpenRecord(head.seq, head.signal, path, offset, length, head.rows, head.start, head.end, head.received), digests
        offset += length + (-length % ALIGNMENT)


def _next_magic(fd: int, offset: int, size: int) -> int | None:
    """The next aligned offset that starts with a record's magic; None when there is none up to the end of the file."""
    step = 1 << 20
    while offset < size:
        chunk = os.pread(fd, step, offset)
        if not chunk:
            return None
        at = chunk.find(_RECORD_MAGIC)
        while at >= 0:
            if at % ALIGNMENT == 0:
                return offset + at
            at = chunk.find(_RECORD_MAGIC, at + 1)
        offset += len(chunk) - len(chunk) % ALIGNMENT if len(chunk) >= ALIGNMENT else ALIGNMENT
    return None


def _pread_full(fd: int, into: memoryview, offset: int, record: OpenRecord) -> None:
    got = 0
    while got < len(into):
        count = os.preadv(fd, [into[got:]], offset + got)
        if count == 0:
            raise DamagedRecord(f"{record.path}: record {record.seq} at byte {record.offset} is cut short")
        got += count
