"""What `observatory doctor` looks at in a data directory. Reads only; every finding says what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from isal import isal_zlib

from observatory.contracts import Segment


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing doctor found. `ok` findings say what was looked at and is fine."""

    ok: bool
    what: str
    do: str = ""


def checksum(data_dir: Path, segment: Segment) -> str | None:
    """Read a segment's file; None when it is as it was written, else what is wrong."""
    crc, size = 0, 0
    try:
        with (data_dir / segment.uri).open("rb", buffering=0) as file:
            while chunk := file.read(1 << 20):
                crc = isal_zlib.crc32(chunk, crc)
                size += len(chunk)
    except OSError as error:
        return f"{segment.uri}: {error.strerror or error}"
    if size != segment.bytes:
        return f"{segment.uri}: {size} bytes instead of {segment.bytes}"
    if crc != segment.crc32:
        return f"{segment.uri}: the checksum does not match, its bytes changed on the disk"
    return None
