"""The open traces on disk, as of one journal record: what a start needs so that everything is decided as if nothing had happened.

A JSON line (sizes, what policies remember), the arrays one after the other, the fragments as an Arrow IPC stream, the CRC-32 of it all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from isal import isal_zlib

from observatory.errors import ObservatoryError
from observatory.pipeline.sampling.opentraces import Fragments
from observatory.storage.files import Files, new_file

FORMAT = 2
"""1 had the checksum in its first line."""


class DamagedCheckpoint(ObservatoryError):
    """The bytes are not what was written."""


class Checkpoint(NamedTuple):
    """`about`: JSON values; `arrays` of open traces; `fragments` with their `slot`, of `Fragments.schema`."""

    about: dict[str, Any]
    arrays: dict[str, np.ndarray]
    fragments: Iterable[pa.RecordBatch]


def save(files: Files, path: Path, checkpoint: Checkpoint) -> None:
    """Piece by piece, because a million open traces are 300 MB. Raises OSError as the disk does."""
    arrays = [[name, values.dtype.str, len(values)] for name, values in checkpoint.arrays.items()]
    head = {"format": FORMAT, "arrays": arrays, "about": checkpoint.about}
    with new_file(files, path) as body:
        body.write(json.dumps(head, default=_plain).encode() + b"\n")
        for values in checkpoint.arrays.values():
            body.write(np.ascontiguousarray(values).data)
        with pa.ipc.new_stream(body, Fragments.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
            for batch in checkpoint.fragments:
                stream.write_batch(batch)
        body.write(body.crc32.to_bytes(4, "little"))


def load(path: Path) -> Checkpoint:
    """What `save` wrote. Raises DamagedCheckpoint."""
    try:
        with path.open("rb") as file:
            head = json.loads(first := file.readline())
            body = file.read()
        if head["format"] == 1:
            valid = isal_zlib.crc32(body) == head["crc32"]
        else:
            body, said = memoryview(body)[:-4], int.from_bytes(body[-4:], "little")
            valid = isal_zlib.crc32(body, isal_zlib.crc32(first)) == said
        if not valid:
            raise ValueError("the checksum differs")
        arrays, at = {}, 0
        for name, type_, count in head["arrays"]:
            values = np.frombuffer(body, type_, count, at)
            arrays[name], at = values, at + values.nbytes
        return Checkpoint(head["about"], arrays, list(pa.ipc.open_stream(memoryview(body)[at:])))
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise DamagedCheckpoint(f"{path}: {error}") from error


def _plain(value: Any) -> Any:
    """numpy's values in what policies remember."""
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "type": value.dtype.str}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be checkpointed")


def restored(value: Any) -> Any:
    """What `_plain` wrote, as it was."""
    if isinstance(value, dict):
        if set(value) == {"array", "type"}:
            return np.array(value["array"], value["type"])
        return {key: restored(each) for key, each in value.items()}
    return [restored(each) for each in value] if isinstance(value, list) else value
