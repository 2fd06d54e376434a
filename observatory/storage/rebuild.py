"""Making the manifest again from what lies beside the segments: swaps.log, and what the segments' footers say."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from isal import isal_zlib

from observatory.contracts import Segment
from observatory.model.clock import SECOND, Nanos
from observatory.model.position import position_of, seq_of
from observatory.model.signal import RECEIVED, Signal
from observatory.storage import ledger, swaplog
from observatory.storage.check import checksum
from observatory.storage.files import DISK, Files
from observatory.storage.ledger import Ledger
from observatory.storage.manifest import lock_data_dir
from observatory.storage.segment import index_path, read_about
from observatory.storage.swaplog import State


def rebuild(data_dir: Path, now: Nanos | None = None, files: Files = DISK) -> str:
    """Write the manifest again; what was done, in a few lines. The old one and segments that cannot be read are moved to `trash/`.

    With swaps.log whole the result is exactly what was live. Without it, what the footers say is taken: no row is lost, and rows
    that were in a segment and still in the journal may be there twice. What users saved is taken over from the old manifest, as far as it
    can be read. Raises CannotStart while an appliance runs.
    """
    lock = lock_data_dir(data_dir)
    try:
        at = datetime.datetime.fromtimestamp((now or time.time_ns()) // SECOND, datetime.UTC)
        trash = data_dir / "trash" / at.strftime("%Y%m%dT%H%M%SZ")
        state, problems = swaplog.read(swaplog.path_of(data_dir))
        said = [f"swaps.log: {problem}" for problem in problems]
        if problems:
            state = _from_footers(data_dir, state)
            said.append("the log is not whole, so segments were taken by what their footers say")
        for segment in list(state.live.values()):
            why = checksum(data_dir, segment)
            if why is not None:
                said.append(f"given up: segment {segment.id} ({segment.rows} {segment.signal}): {why}")
                del state.live[segment.id]
                _move(data_dir / segment.uri, trash / segment.signal, files)
                _move(index_path(data_dir / segment.uri), trash / segment.signal, files)
        state.publish += 1
        # every id that was ever given: what lies there unpublished is swept as a crash's leftovers are
        state.last_id = max([state.last_id, *state.live, *(_id(path) for path in (data_dir / "segments").glob("*/*.*"))])
        settings = ledger.salvage_settings(ledger.path_of(data_dir))
        for suffix in ("", "-wal", "-shm"):
            _move(Path(f"{ledger.path_of(data_dir)}{suffix}"), trash, files)
        _write(data_dir, state, settings, files)
        rows = sum(s.rows for s in state.live.values() if s.signal in RECEIVED)
        said.append(f"the manifest was made again: {len(state.live)} segments with {rows} rows, journal up to record {state.checkpoint}")
        return "\n".join(said)
    finally:
        os.close(lock)


def _write(data_dir: Path, state: State, settings: dict[str, str], files: Files) -> None:
    """Complete under another name first: a crash leaves no manifest, which the next start refuses as it did before."""
    making = data_dir / "rebuilding"
    making.mkdir(exist_ok=True)
    for left in making.iterdir():
        left.unlink()
    made = Ledger.open(making, files, create=True)
    made.fill(state, settings)
    made.close()  # the last connection to close empties the WAL into the file
    files.rename(ledger.path_of(making), ledger.path_of(data_dir))
    for left in making.iterdir():
        left.unlink()
    making.rmdir()
    swaplog.replace(files, swaplog.path_of(data_dir), state)


def _from_footers(data_dir: Path, logged: State) -> State:
    """All complete segments but those that another replaces, and but those a crash left whose rows are still in the journal."""
    found = dict(_footers(data_dir))
    replaced = {id for about, _ in found.values() for id in about["replaces"]}
    received = max((about["journal_upto"] for about, s in found.values() if s.signal in RECEIVED), default=0)
    derived = max((about["journal_upto"] for about, s in found.values() if s.signal not in RECEIVED), default=0)
    checkpoint, measured = logged.checkpoint or received, logged.measured or position_of(derived)
    state = State(logged.publish, checkpoint, measured, logged.last_id, {}, dict(logged.tombstones))
    for id, (about, segment) in sorted(found.items()):
        upto = checkpoint if segment.signal in RECEIVED else seq_of(measured)
        if id in logged.live or (id not in replaced and about["journal_upto"] <= upto):
            state.live[id] = logged.live.get(id, segment)
    return state


def _footers(data_dir: Path) -> Iterator[tuple[int, tuple[dict[str, Any], Segment]]]:
    for path in sorted((data_dir / "segments").glob("*/*.parquet")):
        try:
            about = read_about(path)
            raw = path.read_bytes()
        except (OSError, ValueError):
            continue
        segment = Segment(
            id=about["id"],
            signal=Signal(about["signal"]),
            tier=about["tier"],
            grain=about["grain"],
            start_ns=about["window"][0],
            end_ns=about["window"][1],
            received_from=about["received"][0],
            received_to=about["received"][1],
            rows=about["rows"],
            bytes=len(raw),
            crc32=isal_zlib.crc32(raw),
            uri=str(path.relative_to(data_dir)),
            schema_version=about["schema_version"],
            replaces=tuple(about["replaces"]),
        )
        yield segment.id, (about, replace(segment, publish=1))


def _move(path: Path, folder: Path, files: Files) -> None:
    if path.exists():
        files.make_directory(folder)
        files.rename(path, folder / path.name)


def _id(path: Path) -> int:
    digits = path.name.split(".")[0]
    return int(digits) if digits.isdigit() else 0
