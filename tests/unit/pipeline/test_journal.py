"""The journal finds again exactly what was appended, whatever happened to the bytes behind it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from rows import NOW, rows, span_rows

from observatory.errors import CannotStart, Retryable
from observatory.model.signal import Signal
from observatory.pipeline.config import JournalConfig
from observatory.pipeline.journal import Entry, Journal
from observatory.storage import records
from observatory.storage.records import HEADER_BYTES, Digest

CONFIG = JournalConfig(file_bytes=1 << 20, reserve_bytes=0)


def opened(directory: Path, config: JournalConfig = CONFIG, checkpoint: int = 0) -> tuple[Journal, list]:
    journal = Journal(directory, config)
    return journal, journal.recover(checkpoint).open


def entry(rng: random.Random, n: int = 20) -> Entry:
    return Entry(Signal.SPANS, span_rows(n, rng), [Digest(rng.randbytes(16), n, 0)])


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd"])
def test_what_was_appended_is_read_back(tmp_path: Path, codec: str) -> None:
    rng = random.Random(1)
    journal, _ = opened(tmp_path, JournalConfig(codec=codec, file_bytes=1 << 20, reserve_bytes=0))
    entries = [entry(rng), Entry(Signal.LOGS, rows(Signal.LOGS, [{}, {"trace_id": None}]), []), entry(rng, 3)]
    written = journal.append(entries, NOW)
    journal.close()
    assert [r.seq for r in written] == [1, 2, 3]
    again, found = opened(tmp_path)
    assert found == written
    for one, record in zip(entries, found, strict=True):
        assert records.read(record).equals(one.rows)
        assert records.read(record, ["received_at"]).to_pydict() == one.rows.select(["received_at"]).to_pydict()
    assert again.seq == 3


def test_digests_survive_with_their_answers(tmp_path: Path) -> None:
    journal, _ = opened(tmp_path)
    digest = Digest(bytes(range(16)), 19, 2)
    journal.append([Entry(Signal.SPANS, span_rows(19, random.Random(2)), [digest])], NOW)
    assert Journal(tmp_path, CONFIG).recover(0).digests == [(NOW, digest)]


def test_files_rotate_and_are_deleted_only_when_released(tmp_path: Path) -> None:
    rng = random.Random(3)
    journal, _ = opened(tmp_path)
    written = [r for _ in range(40) for r in journal.append([entry(rng, 800)], NOW)]
    files = sorted({r.path for r in written})
    assert len(files) > 2
    journal.release(written[-1].seq)
    assert sorted(str(p) for p in tmp_path.glob("*.journal")) == files[-1:]
    last_of_first = max(r.seq for r in written if r.path == files[-1])
    assert opened(tmp_path, checkpoint=last_of_first)[1] == []


@settings(max_examples=40, deadline=None)
@given(cut=st.floats(0, 1), seed=st.integers(0, 1000))
def test_a_torn_tail_is_cut_and_everything_before_it_stays(tmp_path_factory: pytest.TempPathFactory, cut: float, seed: int) -> None:
    directory = tmp_path_factory.mktemp("journal")
    rng = random.Random(seed)
    journal, _ = opened(directory)
    written = [r for _ in range(5) for r in journal.append([entry(rng)], NOW)]
    path = Path(written[0].path)
    end = written[-1].offset + written[-1].length
    at = HEADER_BYTES + int(cut * (end - HEADER_BYTES))
    before = path.read_bytes()
    with path.open("r+b") as file:  # what a power cut leaves: the rest of the last write is zeros or garbage
        file.seek(at)
        file.write(rng.randbytes(end - at) if seed % 2 else bytes(end - at))
    after = path.read_bytes()
    again, found = opened(directory)
    assert found == [r for r in written if before[: r.offset + r.length] == after[: r.offset + r.length]]
    more = again.append([entry(rng)], NOW)
    assert opened(directory)[1] == found + more


def test_damage_in_the_middle_is_set_aside_and_the_rest_is_served(tmp_path: Path) -> None:
    rng = random.Random(4)
    journal, _ = opened(tmp_path)
    written = [r for _ in range(5) for r in journal.append([entry(rng)], NOW)]
    journal.close()
    with Path(written[2].path).open("r+b") as file:
        file.seek(written[2].offset + 200)
        file.write(b"\xff" * 8)
    again, found = opened(tmp_path)
    assert found == [r for r in written if r.seq != 3]
    assert again.damaged == 1
    (aside,) = (tmp_path / "damaged").iterdir()
    assert aside.stat().st_size >= written[2].length


def test_bytes_of_a_failed_write_never_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk wrote the record and then failed the fsync: the client was refused, so a restart must not find it."""
    rng = random.Random(5)
    journal, _ = opened(tmp_path)
    (first,) = journal.append([entry(rng)], NOW)

    def broken(*_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        patched.setattr(os, "ftruncate", broken)
        with pytest.raises(Retryable, match="Input/output error"):
            journal.append([entry(rng)], NOW)
    (second,) = journal.append([entry(rng)], NOW)
    assert second.seq == 2 and second.path != first.path
    assert opened(tmp_path)[1] == [first, second]


def test_a_full_disk_is_retryable_and_passes(tmp_path: Path) -> None:
    rng = random.Random(6)
    journal, _ = opened(tmp_path, JournalConfig(file_bytes=1 << 20, reserve_bytes=1 << 60))
    assert "disk space" in (journal.probe() or "")
    with pytest.raises(Retryable, match="disk space"):
        journal.append([entry(rng)], NOW)
    journal._config = CONFIG
    assert journal.append([entry(rng)], NOW)


def test_a_record_larger_than_a_file_gets_a_file_of_its_own(tmp_path: Path) -> None:
    big = Entry(Signal.LOGS, rows(Signal.LOGS, [{"body": random.Random(7).randbytes(1 << 20).hex()}] * 3), [])
    journal, _ = opened(tmp_path, JournalConfig(codec="none", file_bytes=1 << 20, reserve_bytes=0))
    (record,) = journal.append([big], NOW)
    assert records.read(record).equals(big.rows)


def test_a_file_that_is_no_journal_stops_the_start_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "0000000001.journal").write_bytes(b"something else" * 4000)
    with pytest.raises(CannotStart, match=r"0000000001.journal: not a journal file"):
        opened(tmp_path)


def test_a_file_that_was_being_made_when_power_failed_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "0000000001.journal").write_bytes(bytes(1 << 20))
    assert opened(tmp_path)[1] == []


def test_a_header_that_arrived_in_part_when_power_failed_is_ignored(tmp_path: Path) -> None:
    journal, _ = opened(tmp_path)
    (record,) = journal.append([entry(random.Random(8))], NOW)
    whole = Path(record.path).read_bytes()[:HEADER_BYTES]
    (tmp_path / "0000000002.journal").write_bytes(whole[:4096].ljust(1 << 20, b"\0"))
    assert opened(tmp_path)[1] == [record]


def test_what_is_read_back_is_fsynced_before_anyone_relies_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After kill -9 a record may be in the page cache only: its resend is acknowledged, so it must survive a power cut from now on."""
    journal, _ = opened(tmp_path)
    (record,) = journal.append([entry(random.Random(9))], NOW)
    synced: list[str] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), fsync(fd))[1])
    opened(tmp_path)
    assert record.path in synced


def test_what_recovery_cuts_off_is_cut_durably(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next file's header, which says the same, may be gone after this start: bytes of a refused write would come back."""
    journal, _ = opened(tmp_path)
    (record,) = journal.append([entry(random.Random(10))], NOW)
    sizes: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (sizes.append(os.fstat(fd).st_size), fsync(fd))[1])
    opened(tmp_path)
    assert Path(record.path).stat().st_size in sizes


def test_files_of_failed_writes_are_deleted_with_the_records_before_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails for an hour must not leave a file for every attempt."""
    rng = random.Random(11)
    journal, _ = opened(tmp_path)
    journal.append([entry(rng)], NOW)

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        for _ in range(3):
            with pytest.raises(Retryable):
                journal.append([entry(rng)], NOW)
    journal.release(0)
    assert journal.files == len(list(tmp_path.glob("*.journal"))) == 3, "their headers say where the first one ends"
    (last,) = journal.append([entry(rng)], NOW)
    journal.release(last.seq)
    assert [str(path) for path in tmp_path.glob("*.journal")] == [last.path]
