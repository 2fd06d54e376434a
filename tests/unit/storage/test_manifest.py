"""The manifest: swaps are all or nothing, ids are never given twice, what a reader holds stays."""

from __future__ import annotations

import errno
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from storage_makers import NOW, publish, rows, write

from observatory.contracts import Segment, Swap
from observatory.errors import CannotStart
from observatory.model.clock import DAY, SECOND
from observatory.model.signal import Signal
from observatory.storage import swaplog
from observatory.storage.manifest import Manifest
from observatory.storage.segment import index_path


def segment(id: int, signal: Signal = Signal.SPANS, data_dir: Path | None = None) -> Segment:
    """A segment that is only a name and, when asked, a file of its size."""
    uri = f"segments/{signal}/{id:012d}.parquet"
    if data_dir is not None:
        (data_dir / uri).parent.mkdir(parents=True, exist_ok=True)
        (data_dir / uri).write_bytes(b"x" * 10)
    return Segment(id, signal, "hot", "raw", NOW, NOW + id, NOW, NOW + id, 5, 10, 0, uri, 1)


STEP = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 3), st.integers(0, 3)),
    st.tuples(st.just("replace"), st.integers(1, 3), st.just(0)),
    st.tuples(st.just("expire"), st.integers(1, 2), st.just(0)),
    st.tuples(st.just("refused"), st.integers(1, 3), st.just(0)),
    st.tuples(st.just("reopen"), st.just(0), st.just(0)),
    st.tuples(st.just("log lost"), st.just(0), st.just(0)),
)


@settings(max_examples=40)
@given(steps=st.lists(STEP, max_size=25))
def test_any_swaps_and_restarts_match_a_set(steps: list[tuple[str, int, int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    data_dir = tmp_path_factory.mktemp("data")
    manifest = Manifest.open(data_dir, NOW)
    live: set[int] = set()
    given_ids: list[int] = []
    checkpoint = publish = 0
    for kind, count, ahead in steps:
        match kind:
            case "reopen":
                manifest.close()
                manifest = Manifest.open(data_dir, NOW)
            case "log lost":
                swaplog.path_of(data_dir).unlink(missing_ok=True)
            case "refused":
                with pytest.raises(ValueError, match="is not live"):
                    manifest.swap(Swap(drop=[*sorted(live)[:count], 10**9]), NOW)
            case _:
                dropped = sorted(live)[:count] if kind != "add" else []
                added = [segment(manifest.next_id(), data_dir=data_dir) for _ in range(count if kind != "expire" else 0)]
                given_ids += [s.id for s in added]
                if not added and not dropped:
                    continue
                ahead += checkpoint
                swap = Swap(added, dropped, "too old" if kind == "expire" else None, ahead if kind == "add" else None)
                publish += 1
                assert manifest.swap(swap, NOW) == publish
                live = (live - set(dropped)) | {s.id for s in added}
                checkpoint = ahead if kind == "add" else checkpoint
        assert {s.id for s in manifest.live()} == live
        assert (manifest.checkpoint, manifest.publish) == (checkpoint, publish)
        assert {int(p.stem) for p in (data_dir / "segments").glob("*/*.parquet")} == live, "dropped files are gone, live ones are there"
    assert given_ids == sorted(set(given_ids)), "an id is never given again"
    manifest.close()
    if publish and swaplog.path_of(data_dir).exists():
        state, problems = swaplog.read(swaplog.path_of(data_dir))
        if not problems and state.publish == publish:
            assert (set(state.live), state.checkpoint) == (live, checkpoint), "the log leads to the same state"


def test_an_id_survives_a_crash_before_its_swap(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    first = manifest.next_id()
    manifest.close()
    manifest = Manifest.open(tmp_path, NOW)
    assert manifest.next_id() > first


def test_pins_keep_files_and_journal(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    old = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1)))
    manifest.swap(Swap(checkpoint=10))
    with manifest.pin() as early:
        new = write(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(2)))
        manifest.swap(Swap(add=[new], drop=[old.id], checkpoint=20))
        with manifest.pin() as late:
            assert ([s.id for s in early.segments], early.checkpoint) == ([old.id], 10)
            assert ([s.id for s in late.segments], late.checkpoint) == ([new.id], 20)
            assert manifest.pinned()[0] == 10
        assert (tmp_path / old.uri).exists() and index_path(tmp_path / old.uri).exists()
    assert manifest.pinned()[0] == 20
    assert not (tmp_path / old.uri).exists() and not index_path(tmp_path / old.uri).exists()
    assert (tmp_path / new.uri).exists()


def test_what_a_reader_held_at_a_crash_goes_at_the_next_start(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    old = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1)))
    with manifest.pin():
        manifest.swap(Swap(drop=[old.id]))
        os.close(manifest._lock_fd)  # the process dies while reading
        again = Manifest.open(tmp_path, NOW)
        assert not (tmp_path / old.uri).exists()
        again.close()
        manifest._lock_fd = -1


def test_expired_traces_are_gone_for_a_reason_and_later_unknown(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    trace = bytes(range(16))
    spans = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1), [trace]))
    assert manifest.expired(trace) is None
    manifest.swap(Swap(drop=[spans.id], expired="received more than 7 days ago"), NOW)
    manifest.close()
    manifest = Manifest.open(tmp_path, NOW + DAY)
    assert manifest.expired(trace) == "deleted on 2026-11-18 11:06 UTC: received more than 7 days ago"
    assert manifest.expired(bytes(16)) is None
    assert manifest.forget(NOW) == 0
    assert manifest.forget(NOW + 1) == 1
    assert manifest.expired(trace) is None
    assert list((tmp_path / "segments").rglob("*.ids")) == []


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    again = (
        "import sys; from pathlib import Path; from observatory.storage.manifest import Manifest\n"
        "try: Manifest.open(Path(sys.argv[1]), 0)\nexcept Exception as e: print(type(e).__name__, e)"
    )
    said = subprocess.run([sys.executable, "-c", again, tmp_path], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"CannotStart another observatory uses {tmp_path} (process {os.getpid()})")
    manifest.close()
    assert subprocess.run([sys.executable, "-c", again, tmp_path], capture_output=True, text=True, check=True).stdout == ""


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    Manifest.open(tmp_path, NOW).close()
    with sqlite3.connect(tmp_path / "manifest.sqlite3") as db:
        db.execute("PRAGMA user_version = 99")
    before = (tmp_path / "manifest.sqlite3").read_bytes()
    with pytest.raises(CannotStart, match=r"newer version \(format 99, this one knows 3\)"):
        Manifest.open(tmp_path, NOW)
    assert (tmp_path / "manifest.sqlite3").read_bytes() == before


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(b"nonsense" * 1000), lambda p: p.write_bytes(b"")])
def test_without_its_manifest_nothing_starts_and_nothing_is_swept(damage, tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    live = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1)))
    manifest.close()
    damage(tmp_path / "manifest.sqlite3")
    with pytest.raises(CannotStart, match="doctor --rebuild-manifest"):
        Manifest.open(tmp_path, NOW)
    assert (tmp_path / live.uri).exists()


def test_an_older_manifest_beside_newer_segments_is_refused(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1)))
    manifest.close()
    backup = (tmp_path / "manifest.sqlite3").read_bytes()
    manifest = Manifest.open(tmp_path, NOW)
    later = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(2)))
    manifest.close()
    (tmp_path / "manifest.sqlite3").write_bytes(backup)
    with pytest.raises(CannotStart, match="is older than the segments beside it"):
        Manifest.open(tmp_path, NOW)
    # without the log the files alone give it away
    swaplog.path_of(tmp_path).unlink()
    with pytest.raises(CannotStart, match="unknown to the manifest"):
        Manifest.open(tmp_path, NOW)
    assert (tmp_path / later.uri).exists()


def test_a_crash_leaves_files_that_go_to_the_trash_and_then_away(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    orphan = write(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1)))
    torn = tmp_path / "segments" / "spans" / "000000000009.parquet.tmp"
    torn.write_bytes(b"half")
    manifest.close()
    Manifest.open(tmp_path, NOW).close()
    assert not (tmp_path / orphan.uri).exists() and not torn.exists()
    assert sorted(p.name for p in (tmp_path / "trash").rglob("*.*")) == ["000000000001.ids", "000000000001.parquet"]
    Manifest.open(tmp_path, NOW + 6 * DAY).close()
    assert len(list((tmp_path / "trash").rglob("*.*"))) == 2
    Manifest.open(tmp_path, NOW + 7 * DAY + SECOND).close()
    assert list((tmp_path / "trash").rglob("*")) == []


def test_a_missing_or_cut_segment_is_set_aside_not_fatal(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    made = [publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(i))) for i in range(3)]
    manifest.close()
    (tmp_path / made[0].uri).unlink()
    os.truncate(tmp_path / made[1].uri, 100)
    manifest = Manifest.open(tmp_path, NOW)
    assert [s.id for s in manifest.live()] == [made[2].id]
    assert set(manifest.broken) == {made[0].id, made[1].id}
    assert "100 bytes instead of" in manifest.broken[made[1].id]
    with manifest.pin() as pin:
        assert [s.id for s in pin.segments] == [made[2].id]
    manifest.swap(Swap(drop=[made[0].id]))
    assert set(manifest.broken) == {made[1].id}


def test_a_full_disk_fails_the_swap_whole_and_the_next_one_works(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    first = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1)))
    second = write(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(2)))
    db = manifest._ledger._db
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own full disk
    why = "x" * 100_000
    with pytest.raises(OSError, match="cannot be written") as raised:
        manifest.swap(Swap(add=[second], drop=[first.id], expired=why), NOW)
    assert raised.value.errno == errno.ENOSPC
    assert [s.id for s in manifest.live()] == [first.id]
    assert (tmp_path / second.uri).exists(), "until a later swap it might prove to be published"
    db.execute("PRAGMA max_page_count = 1000000")
    third = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(3)))
    assert not (tmp_path / second.uri).exists()
    manifest.close()
    assert [s.id for s in Manifest.open(tmp_path, NOW).live()] == [first.id, third.id]


def test_deletion_gives_up_the_ballast_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    spans = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1)))
    ballast, write_swap = tmp_path / "ballast", manifest._ledger._swap

    def only_without_ballast(*args) -> None:
        if ballast.exists():
            raise OSError(errno.ENOSPC, "full")
        write_swap(*args)

    monkeypatch.setattr(manifest._ledger, "_swap", only_without_ballast)
    with pytest.raises(OSError, match="full"):
        manifest.swap(Swap(checkpoint=5, add=[write(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(2)))]))
    assert ballast.exists(), "new data does not get it"
    manifest.swap(Swap(drop=[spans.id], expired="the disk was full"), NOW)
    assert not ballast.exists() and manifest.live() == ()
    manifest.swap(Swap(checkpoint=6))
    assert ballast.exists(), "laid again as soon as there is room"


@pytest.mark.parametrize(
    ("swap", "why"),
    [
        (lambda m, live: Swap(drop=[live.id, live.id]), "dropped twice"),
        (lambda m, live: Swap(add=[live]), "live already"),
        (lambda m, live: Swap(add=[segment(10**6)]), "never given"),
        (lambda m, live: Swap(checkpoint=2), "would go back from 5 to 2"),
    ],
)
def test_bad_swaps_change_nothing(swap, why: str, tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    live = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1)))
    manifest.swap(Swap(checkpoint=5))
    with pytest.raises(ValueError, match=why):
        manifest.swap(swap(manifest, live))
    assert (manifest.publish, manifest.checkpoint, [s.id for s in manifest.live()]) == (2, 5, [live.id])


def test_settings_stay(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    assert manifest.get("instance") is None
    manifest.set("instance", "a")
    manifest.set("instance", "b")
    manifest.close()
    assert Manifest.open(tmp_path, NOW).get("instance") == "b"


def test_the_log_is_compacted_and_torn_lines_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swaplog, "COMPACT_BYTES", 4000)
    manifest = Manifest.open(tmp_path, NOW)
    for i in range(30):
        publish(manifest, Signal.LOGS, rows(Signal.LOGS, 1, random.Random(i)))
        path = swaplog.path_of(tmp_path)
        if i % 7 == 3:
            with path.open("ab") as log:
                log.write(b'{"publish": 99')  # a crash in the middle of a line
        state, _ = swaplog.read(path)
        assert (state.publish, len(state.live)) == (i + 1, i + 1)
    assert len(path.read_bytes().split(b"\n")) < 25, "it started again with a snapshot"
    manifest.close()
    Manifest.open(tmp_path, NOW).close()
    state, problems = swaplog.read(path)
    assert (len(state.live), problems) == (30, [])
