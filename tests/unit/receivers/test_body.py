"""Laws of decompression: what was compressed comes back, nothing larger than the limit ever exists, damage is said."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib

import pytest
import zstandard
from hypothesis import given, strategies as st

from observatory.errors import Malformed, TooLarge, Unsupported
from observatory.receivers.body import Opener, opened
from observatory.testing.clients import compress

LIMIT = 1 << 20
NAMES = {"gzip": "gzip", "zstd": "zstd", "deflate": "deflate", "raw-deflate": "deflate", "identity": ""}
bodies = st.binary(max_size=4096) | st.builds(lambda part, times: part * times, st.binary(max_size=64), st.integers(1, 4000))


@pytest.mark.parametrize("compression", NAMES)
@given(body=bodies)
def test_what_was_compressed_comes_back(compression, body):
    assert opened(NAMES[compression], compress(compression, body), LIMIT) == body


@pytest.mark.parametrize("compression", ["gzip", "zstd", "deflate", "raw-deflate"])
@given(body=bodies, where=st.floats(0, 1, exclude_max=True))
def test_cut_short_is_malformed_wherever_it_is_cut(compression, body, where):
    packed = compress(compression, body)
    with pytest.raises(Malformed, match="cannot decompress"):
        opened(NAMES[compression], packed[: int(len(packed) * where)], LIMIT)


@pytest.mark.parametrize("compression", ["gzip", "zstd", "deflate", "raw-deflate"])
@given(body=bodies, garbage=st.binary(min_size=1, max_size=9).filter(lambda g: g[0] not in b"\x1f\x28" and not 0x50 <= g[0] < 0x60))
def test_something_behind_the_end_is_malformed(compression, body, garbage):
    with pytest.raises(Malformed, match="cannot decompress"):
        opened(NAMES[compression], compress(compression, body) + garbage, LIMIT)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@given(parts=st.lists(bodies, min_size=2, max_size=4))
def test_several_members_are_one_body(compression, parts):
    assert opened(compression, b"".join(compress(compression, part) for part in parts), LIMIT) == b"".join(parts)


@pytest.mark.parametrize("compression", NAMES)
def test_the_limit_is_exact(compression):
    for size, fits in ((LIMIT, True), (LIMIT + 1, False)):
        packed = compress(compression, b"x" * size)
        if fits:
            assert len(opened(NAMES[compression], packed, LIMIT)) == LIMIT
        else:
            with pytest.raises(TooLarge, match="1,048,576"):
                opened(NAMES[compression], packed, LIMIT)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_the_limit_counts_all_members(compression):
    half = compress(compression, b"x" * (LIMIT // 2 + 1))
    with pytest.raises(TooLarge):
        opened(compression, half + half, LIMIT)


def test_zstd_without_a_stated_size_is_bounded_too():
    stream = zstandard.ZstdCompressor(1).compressobj()
    packed = stream.compress(b"x" * 3 * LIMIT) + stream.flush()
    assert len(opened("zstd", packed, 3 * LIMIT)) == 3 * LIMIT
    with pytest.raises(TooLarge):
        opened("zstd", packed, LIMIT)


def test_zstd_may_not_ask_for_a_large_window():
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = stream.compress(b"x" * 100) + stream.flush()
    with pytest.raises(TooLarge, match="window"):
        opened("zstd", packed, LIMIT)


@pytest.mark.parametrize("body", [b"", b"\x0a", b"not compressed at all", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"])
@pytest.mark.parametrize("name", ["gzip", "zstd", "deflate"])
def test_what_is_not_compressed_is_malformed(name, body):
    with pytest.raises(Malformed):
        opened(name, body, LIMIT)


def test_a_wrong_checksum_is_malformed():
    packed = gzip.compress(b"hello")
    with pytest.raises(Malformed, match="checksum"):
        opened("gzip", packed[:-8] + bytes(4) + packed[-4:], LIMIT)
    with pytest.raises(Malformed, match="checksum"):
        opened("deflate", zlib.compress(b"hello")[:-4] + bytes(4), LIMIT)


def test_other_encodings_are_named_as_unsupported():
    with pytest.raises(Unsupported, match=r"'br'.*gzip, zstd, deflate"):
        opened("br", b"", LIMIT)


@pytest.mark.parametrize("compression", ["gzip", "zstd", "deflate", "raw-deflate"])
async def test_the_opener_answers_alike_for_small_and_large(compression):
    opener = Opener()
    for size in (0, 100, LIMIT // 2, LIMIT):
        body = bytes(i * i % 251 for i in range(1000)) * (size // 1000) + b"x" * (size % 1000)
        assert await opener.open(NAMES[compression], compress(compression, body), LIMIT) == body
    with pytest.raises(TooLarge):
        await opener.open(NAMES[compression], compress(compression, b"x" * (LIMIT + 1)), LIMIT)
    opener.close()


BOMB = """
import resource, sys, zlib, zstandard, gzip
sys.path[:0] = {path!r}
from observatory.errors import TooLarge
from observatory.receivers.body import opened
import opentelemetry.proto.common.v1.common_pb2
packer = zlib.compressobj(9, zlib.DEFLATED, {wbits}) if {wbits} else zstandard.ZstdCompressor(1).compressobj()
zeros = bytes(1 << 20)
bomb = b"".join([packer.compress(zeros) for _ in range(1024)]) + packer.flush()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    opened({name!r}, bomb, 16 << 20)
    print("taken")
except TooLarge:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize(("name", "wbits"), [("gzip", 31), ("deflate", 15), ("zstd", 0)])
def test_a_bomb_of_1_gib_holds_no_more_than_the_limit_and_its_copy(name, wbits):
    script = BOMB.format(name=name, wbits=wbits, path=sys.path)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    grown_kib = int(done.stdout)  # of a process of its own: the high-water mark never falls
    assert grown_kib < 2.5 * 16 * 1024


@pytest.mark.parametrize("compression", ["gzip", "zstd", "deflate", "raw-deflate"])
def test_a_refused_bomb_is_not_kept_alive_by_its_error(compression):
    with pytest.raises(TooLarge) as caught:
        opened(NAMES[compression], compress(compression, bytes(2 * LIMIT)), LIMIT)
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    frame = caught.value.__traceback__
    while frame is not None:
        assert not any(isinstance(local, (bytes, bytearray)) and len(local) >= LIMIT for local in frame.tb_frame.f_locals.values())
        frame = frame.tb_next
