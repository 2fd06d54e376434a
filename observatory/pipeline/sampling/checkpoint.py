"""The open traces on disk, as of one journal record: what a start needs so that everything is decided as if nothing had happened.

A JSON line (sizes, checksum, what policies remember), then the arrays one after the other, then the fragments as an Arrow IPC stream.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from isal import isal_zlib

from observatory.errors import ObservatoryError
from observatory.storage.files import Files, write_file


class DamagedCheckpoint(ObservatoryError):
    """The bytes are not what was written."""


class Checkpoint(NamedTuple):
    """`about`: JSON values; `arrays` of open traces; `fragments` with their `slot`."""

    about: dict[str, Any]
    arrays: dict[str, np.ndarray]
    fragments: pa.Table


def save(files: Files, path: Path, checkpoint: Checkpoint) -> None:
    """Raises OSError as the disk does."""
    sink = io.BytesIO()
    for values in checkpoint.arrays.values():
        sink.write(values.tobytes())
    options = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=True)
    with pa.ipc.new_stream(sink, checkpoint.fragments.schema, options=options) as stream:
        stream.write_table(checkpoint.fragments.unify_dictionaries().combine_chunks())
    body = sink.getbuffer()
    arrays = [[name, values.dtype.str, len(values)] for name, values in checkpoint.arrays.items()]
    head = {"format": 1, "arrays": arrays, "crc32": isal_zlib.crc32(body), "about": checkpoint.about}
    write_file(files, path, b"".join((json.dumps(head, default=_plain).encode(), b"\n", body)))


def load(path: Path) -> Checkpoint:
    """What `save` wrote. Raises DamagedCheckpoint."""
    try:
        with path.open("rb") as file:
            head = json.loads(file.readline())
            body = file.read()
        if isal_zlib.crc32(body) != head["crc32"]:
            raise ValueError("the checksum differs")
        arrays, at = {}, 0
        for name, type_, count in head["arrays"]:
            values = np.frombuffer(body, type_, count, at)
            arrays[name], at = values, at + values.nbytes
        return Checkpoint(head["about"], arrays, pa.ipc.open_stream(memoryview(body)[at:]).read_all())
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
