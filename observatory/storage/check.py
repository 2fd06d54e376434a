"""What `observatory doctor` looks at in a data directory. Reads only; every finding says what is wrong and what to do.

Works beside a running server: what changes meanwhile is looked up again before it is called wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from isal import isal_zlib

from observatory.contracts import Segment
from observatory.model.signal import RECEIVED
from observatory.storage import ledger, migrate, records, swaplog, traceindex
from observatory.storage.segment import INDEXED, index_path, read_about
from observatory.storage.swaplog import State

_REBUILD = "stop the appliance and run `observatory doctor --rebuild-manifest`"
_RESTORE = f"restore the file from a backup, or give its rows up: {_REBUILD}, which keeps all that can be read"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: fine (`ok`), or what is wrong and what to `do`."""

    ok: bool
    what: str
    do: str = ""


def check(data_dir: Path) -> list[Finding]:
    """Manifest, its log, every live segment with its index, files that belong to nothing, and every journal record. About 1 s a GB."""
    return list(findings(data_dir))


def findings(data_dir: Path) -> Iterator[Finding]:
    """The same, one after the other as they are found."""
    state = None
    if not ledger.path_of(data_dir).exists():
        some = any((data_dir / "segments").glob("*/*.parquet"))
        yield Finding(
            not some, "manifest: missing although segments are there" if some else "manifest: nothing is stored yet", some * _REBUILD
        )
    else:
        try:
            state = _read(data_dir)
            yield Finding(True, f"manifest: swap {state.publish}, {len(state.live)} segments, journal up to record {state.checkpoint}")
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            yield Finding(False, f"manifest: {error}", _REBUILD)
    if state is not None:
        yield from _log(data_dir, state)
        yield from _segments(data_dir, state)
        yield from _strangers(data_dir, state)
    yield from _journal(data_dir / "journal")


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


def _read(data_dir: Path) -> State:
    """The manifest as it is now, without writing to it."""
    db = sqlite3.connect(ledger.path_of(data_dir), isolation_level=None, timeout=10)
    try:
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > migrate.FORMAT:
            raise ValueError(f"written by a newer version (format {found}, this one knows {migrate.FORMAT})")
        db.execute("PRAGMA query_only = ON")
        said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise ValueError(f"SQLite says: {said}")
        db.execute("BEGIN")  # one moment for all its tables
        return ledger.load(db).state
    finally:
        db.close()


def _log(data_dir: Path, state: State) -> Iterator[Finding]:
    logged, problems = swaplog.read(swaplog.path_of(data_dir))
    if not state.publish:
        return
    for problem in problems:
        yield Finding(False, f"swaps.log: {problem}", "restart the appliance: it writes the log again from the manifest")
    if logged.publish > state.publish and logged.publish > _read(data_dir).publish:
        yield Finding(False, f"manifest: older than swaps.log (swap {state.publish}, the log has {logged.publish})", _REBUILD)


def _segments(data_dir: Path, state: State) -> Iterator[Finding]:
    bad = 0
    for segment in state.live.values():
        why = _segment(data_dir, segment)
        if why is None or segment.id not in _read(data_dir).live:
            continue
        bad += 1
        yield Finding(False, f"segment {segment.id} ({segment.rows} {segment.signal}): {why}", _RESTORE)
    size = sum(s.bytes for s in state.live.values())
    rows = sum(s.rows for s in state.live.values() if s.signal in RECEIVED)
    if not bad:
        yield Finding(True, f"segments: {len(state.live)} with {rows} rows, {size / 1e6:.1f} MB, every checksum matches")


def _segment(data_dir: Path, segment: Segment) -> str | None:
    path = data_dir / segment.uri
    if (why := checksum(data_dir, segment)) is not None:
        return why
    try:
        about = read_about(path)
        if (about["id"], about["signal"], about["rows"]) != (segment.id, segment.signal, segment.rows):
            return f"{segment.uri}: its footer says it is segment {about['id']} of {about['rows']} {about['signal']}"
        if segment.signal in INDEXED:
            traceindex.verify(index_path(path))
    except (OSError, ValueError, traceindex.DamagedIndex) as error:
        return str(error)
    return None


def _strangers(data_dir: Path, state: State) -> Iterator[Finding]:
    known = {data_dir / s.uri for s in state.live.values()} | {data_dir / t.segment.uri for t in state.tombstones.values()}
    known |= {index_path(path) for path in known}
    odd = [path for path in (data_dir / "segments").glob("*/*") if path not in known and path.suffix in (".parquet", ".ids")]
    if odd:
        some = ", ".join(str(path.relative_to(data_dir)) for path in odd[:3])
        what = f"segments: {len(odd)} files are of no swap ({some}{', …' if len(odd) > 3 else ''})"
        yield Finding(True, f"{what}: being written now, or left by a crash; the next start moves what is left to trash/")


def _journal(folder: Path) -> Iterator[Finding]:
    count = rows = bad = 0
    for path in sorted(folder.glob("*.journal")):
        try:
            scan = records.scan(path)
        except FileNotFoundError:
            continue  # cut and released meanwhile
        except (records.DamagedRecord, OSError) as error:
            bad += 1
            yield Finding(False, f"journal: {error}", "move the file away to start without it; its records cannot be told apart any more")
            continue
        count, rows = count + len(scan.records), rows + sum(r.rows for r in scan.records)
        for damage in scan.damages:
            bad += 1
            what = f"journal: {damage.length} bytes at byte {damage.offset} of {damage.path} are no record although records follow"
            yield Finding(False, what, "restart the appliance: it sets these bytes aside in journal/damaged/ and goes on behind them")
    aside = list((folder / "damaged").glob("*"))
    if aside:
        what = f"journal: {len(aside)} damaged pieces were set aside in {folder / 'damaged'}"
        yield Finding(False, what, "look at the disk (`dmesg`, `smartctl`); delete the folder when the loss is accepted")
    if not bad:
        yield Finding(True, f"journal: {count} records with {rows} rows, every checksum matches")
