"""A segment gives back exactly what it was given, says what it is, and is there whole or not at all."""

from __future__ import annotations

import errno
import random
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from isal import isal_zlib
from storage_makers import NOW, rows, values

from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.storage import traceindex
from observatory.storage.files import Files
from observatory.storage.segment import INDEXED, SegmentWriter, from_json, index_path, read_about, to_json


class FullDisk(Files):
    """Has room for so many writes, renames and fsyncs."""

    def __init__(self, room: int) -> None:
        self._left = room

    def _use(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, fd: int, data: bytes | memoryview) -> None:
        self._use()
        super().write(fd, data)

    def sync(self, fd: int) -> None:
        self._use()
        super().sync(fd)

    def rename(self, source: Path, target: Path) -> None:
        self._use()
        super().rename(source, target)


@pytest.mark.parametrize("signal", list(Signal))
def test_what_goes_in_comes_out(signal: Signal, tmp_path: Path) -> None:
    rng = random.Random(1)
    batches = [rows(signal, n, rng) for n in (1, 50, 7, 200)]
    writer = SegmentWriter(tmp_path, 7, signal, tier="skewed", replaces=(3, 4), row_group_rows=64, journal_upto=12)
    for batch in batches:
        writer.write(batch)
    segment = writer.finish()
    assert segment is not None

    path = tmp_path / segment.uri
    read = pq.read_table(path)
    assert read.schema.equals(schema(signal)), "types come back, dictionaries inside maps too"
    written = pa.Table.from_batches(batches)
    assert read.to_pylist() == written.to_pylist(), "in the order written"
    assert (segment.rows, segment.bytes) == (written.num_rows, path.stat().st_size)
    assert segment.crc32 == isal_zlib.crc32(path.read_bytes())
    groups = pq.read_metadata(path)
    assert all(groups.row_group(i).num_rows == 64 for i in range(groups.num_row_groups - 1))

    about = read_about(path)
    assert (about["id"], about["signal"], about["tier"], about["replaces"], about["journal_upto"]) == (7, signal, "skewed", [3, 4], 12)
    assert about["window"] == [segment.start_ns, segment.end_ns]
    received = [row["received_at"] for row in written.to_pylist()]
    assert (segment.received_from, segment.received_to) == (min(received), max(received))
    assert from_json(to_json(segment)) == segment
    assert index_path(path).exists() == (signal in INDEXED)


@pytest.mark.parametrize("signal", INDEXED)
def test_the_index_knows_every_row_group_of_every_trace(signal: Signal, tmp_path: Path) -> None:
    rng = random.Random(2)
    ids = [rng.randbytes(16) for _ in range(20)]
    writer = SegmentWriter(tmp_path, 1, signal, row_group_rows=16)
    writer.write(rows(signal, 200, rng, ids))
    segment = writer.finish()
    assert segment is not None
    path = tmp_path / segment.uri
    with pq.ParquetFile(path) as file:
        held = [set(file.read_row_group(g, columns=["trace_id"]).column(0).to_pylist()) for g in range(file.num_row_groups)]
    for trace_id in [*ids, rng.randbytes(16), bytes(16)]:
        assert traceindex.lookup(index_path(path), trace_id) == [g for g, here in enumerate(held) if trace_id in here]


def test_no_rows_no_segment(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 1, Signal.LOGS)
    writer.write(schema(Signal.LOGS).empty_table())
    assert writer.finish() is None
    assert list(tmp_path.rglob("*.*")) == []


def test_an_aborted_segment_leaves_nothing(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 1, Signal.SPANS, row_group_rows=16)
    writer.write(rows(Signal.SPANS, 40, random.Random(3)))
    assert writer.bytes > 0
    writer.abort()
    assert list(tmp_path.rglob("*.*")) == []


def test_a_full_disk_at_any_step_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    batch = rows(Signal.SPANS, 40, random.Random(4))
    for room in count(step=3):
        writer = SegmentWriter(tmp_path, 1, Signal.SPANS, row_group_rows=16, files=FullDisk(room))
        try:
            writer.write(batch)
            segment = writer.finish()
        except OSError as error:
            assert error.errno == errno.ENOSPC
            writer.abort()
            assert list(tmp_path.rglob("*.*")) == []
            continue
        assert room > 10, "the disk was full at many different steps before"
        assert segment is not None and values([pq.read_table(tmp_path / segment.uri)]) == values([batch])
        return


def test_a_damaged_page_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 1, Signal.SPANS)
    writer.write(rows(Signal.SPANS, 500, random.Random(5), at=NOW))
    segment = writer.finish()
    assert segment is not None
    path = tmp_path / segment.uri
    raw = bytearray(path.read_bytes())
    page = pq.read_metadata(path).row_group(0).column(7)  # start_ns, behind its page header
    raw[page.data_page_offset + page.total_compressed_size - 9] ^= 0x40
    path.write_bytes(raw)
    with pytest.raises((OSError, pa.ArrowException)):
        pq.ParquetFile(path, page_checksum_verification=True).read()


def test_not_a_segment(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("no Parquet at all")
    for name in ("other.parquet", "text.parquet"):
        with pytest.raises(ValueError, match=f"{name}: not a segment"):
            read_about(tmp_path / name)
