"""At start: files that no swap published are moved to `trash/`, and what lay there long enough is deleted."""

from __future__ import annotations

import contextlib
import datetime
import logging
from pathlib import Path

from observatory.errors import CannotStart
from observatory.model.clock import DAY, SECOND, Nanos
from observatory.storage.files import Files
from observatory.storage.segment import index_path
from observatory.storage.swaplog import State

log = logging.getLogger(__name__)

MOST = 0.05
"""A sweep of more than this share of the bytes is no crash's leftovers: the manifest is not the one of these segments."""


def sweep(data_dir: Path, state: State, now: Nanos, trash_days: float, files: Files) -> None:
    """Move unknown files under `segments/` to `trash/<time>/`. Raises CannotStart when too much is unknown."""
    known = {data_dir / s.uri for s in state.live.values()}
    known |= {index_path(path) for path in known}
    known |= {index_path(data_dir / t.segment.uri) for t in state.tombstones.values()}
    found = [path for path in (data_dir / "segments").glob("*/*") if path.is_file()]
    unknown = [path for path in found if path not in known]
    # ids this manifest gave away and no swap published are what a crash leaves, however large; higher ids it has never heard of
    strange = [path for path in unknown if path.suffix != ".tmp" and _id(path) > state.last_id]
    total = sum(path.stat().st_size for path in found)
    odd = sum(path.stat().st_size for path in strange)
    if odd > MOST * total:
        raise CannotStart(
            f"{len(strange)} files under {data_dir / 'segments'} ({odd / 1e6:.1f} of {total / 1e6:.1f} MB) are unknown to the manifest: "
            f"it is not theirs; `observatory doctor --rebuild-manifest` makes it again"
        )
    if unknown:
        stamp = datetime.datetime.fromtimestamp(now // SECOND, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        log.warning("%d files that no swap published (left by a crash) are moved to trash/%s", len(unknown), stamp)
        for path in unknown:
            _move(path, data_dir / "trash" / stamp / path.parent.name, files)
    empty_trash(data_dir, now, trash_days, files)


def empty_trash(data_dir: Path, now: Nanos, trash_days: float, files: Files) -> None:
    """Delete what was swept more than `trash_days` ago."""
    for folder in (data_dir / "trash").glob("*T*Z"):
        with contextlib.suppress(ValueError, OSError):
            swept = datetime.datetime.strptime(folder.name, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
            if now - int(swept.timestamp()) * SECOND > trash_days * DAY:
                for path in sorted(folder.rglob("*"), reverse=True):
                    if path.is_dir():
                        path.rmdir()
                    else:
                        files.unlink(path)
                folder.rmdir()


def _move(path: Path, folder: Path, files: Files) -> None:
    if path.suffix == ".tmp":
        files.unlink(path)  # never complete, of no use to anyone
        return
    files.make_directory(folder)
    files.rename(path, folder / path.name)


def _id(path: Path) -> int:
    try:
        return int(path.name.split(".")[0])
    except ValueError:
        return 1 << 62
