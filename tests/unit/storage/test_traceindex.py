"""The index answers like a dictionary, for any ids, and never wrongly after damage."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, strategies as st

from observatory.storage.traceindex import BLOCK, PER_BLOCK, DamagedIndex, IndexBuilder, holders, lookup, verify

RANDOM = st.binary(min_size=16, max_size=16)
COUNTED = st.integers(0, 5000).map(lambda n: n.to_bytes(16, "big"))  # as tests and hand-made ids are
LOW_HALF = st.integers(0, 5000).map(lambda n: n.to_bytes(8, "big") + bytes(8))
CROWDED = st.integers(0, 255).map(lambda n: b"\xff" * 15 + bytes([n]))


@given(
    groups=st.lists(st.lists(st.one_of(RANDOM, COUNTED, LOW_HALF, CROWDED), max_size=40, unique=True), max_size=12),
    asked=st.lists(st.one_of(RANDOM, COUNTED, CROWDED), max_size=20),
)
def test_like_a_dictionary(groups: list[list[bytes]], asked: list[bytes]) -> None:
    builder, held = IndexBuilder(), defaultdict(list)
    for number, ids in enumerate(groups):
        builder.add(b"".join(ids), number)
        for id in ids:
            if id != bytes(16):
                held[id].append(number)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "x.ids"
        path.write_bytes(builder.encode(3))
        assert verify(path) == sum(map(len, held.values()))
        for id in [*held, *asked]:
            assert lookup(path, id) == held[id] if id in held else lookup(path, id) == []


@pytest.mark.parametrize("kind", ["random", "counted", "crowded"])
def test_many_blocks(kind: str, tmp_path: Path) -> None:
    rng = random.Random(kind)
    make = {
        "random": lambda n: rng.randbytes(16),
        "counted": lambda n: n.to_bytes(16, "big"),
        "crowded": lambda n: bytes(8) + rng.randbytes(8) if n % 2 else b"\xff" * 8 + rng.randbytes(8),
    }[kind]
    ids = sorted({make(n) for n in range(1, 30 * PER_BLOCK)})
    builder = IndexBuilder()
    builder.add(b"".join(ids), 1)
    builder.add(b"".join(ids[::3]), 2)
    path = tmp_path / "x.ids"
    path.write_bytes(builder.encode(1))
    assert path.stat().st_size % BLOCK == 0
    for at in rng.sample(range(len(ids)), 300):
        assert lookup(path, ids[at]) == ([1, 2] if at % 3 == 0 else [1])
    assert lookup(path, bytes(16)) == []


def test_a_trace_in_more_row_groups_than_a_block_holds(tmp_path: Path) -> None:
    rng, long = random.Random(9), b"\x80" + bytes(14) + b"\x01"
    builder = IndexBuilder()
    for group in range(3 * PER_BLOCK):
        builder.add(long + rng.randbytes(16), group)
    path = tmp_path / "x.ids"
    path.write_bytes(builder.encode(1))
    assert lookup(path, long) == list(range(3 * PER_BLOCK))


def test_any_flipped_bit_is_noticed(tmp_path: Path) -> None:
    rng = random.Random(5)
    ids = [rng.randbytes(16) for _ in range(3 * PER_BLOCK)]
    builder = IndexBuilder()
    builder.add(b"".join(ids), 4)
    path = tmp_path / "x.ids"
    good = builder.encode(1)
    header_used = 28
    for _ in range(300):
        raw = bytearray(good)
        at = rng.choice([rng.randrange(header_used), rng.randrange(BLOCK, len(raw))])
        raw[at] ^= 1 << rng.randrange(8)
        path.write_bytes(raw)
        with pytest.raises(DamagedIndex):
            verify(path)
        for id in rng.sample(ids, 5):
            with suppress(DamagedIndex):
                assert lookup(path, id) == [4], "a wrong answer would hide a trace"
    path.write_bytes(good[:-BLOCK])
    with pytest.raises(DamagedIndex):
        verify(path)


def test_holders_pass_over_what_is_damaged_or_gone(tmp_path: Path) -> None:
    id = bytes(range(16))
    builder = IndexBuilder()
    builder.add(id, 0)
    bad, good = tmp_path / "bad.ids", tmp_path / "good.ids"
    bad.write_bytes(b"nonsense")
    good.write_bytes(builder.encode(1))
    assert holders([tmp_path / "gone.ids", bad, good], id) == good
    assert holders([bad], id) is None
