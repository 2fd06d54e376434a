from __future__ import annotations

import array
import time
from collections import Counter
from pathlib import Path

import pytest
from child import questions, wait_until

from benchmarks.load import sender
from observatory.testing.server import ServerProcess


def _numbers(path: Path) -> list[int]:
    return array.array("Q", path.read_bytes()).tolist()


@pytest.mark.parametrize("proto", ["http", "grpc"])
def test_sigterm_under_load_ends_cleanly_and_loses_nothing(tmp_path: Path, proto: str) -> None:
    corpus = sender.prepare(payloads_wanted=8)
    with ServerProcess(tmp_path / "data") as server:
        port = int(server.addresses[f"otlp_{proto}"].rpartition(":")[2])
        with sender.Sending(
            corpus, port, proto=proto, seconds=60, rate=60_000, resend=False, grace=5, acknowledged=tmp_path / "acknowledged"
        ) as load:  # type: ignore[arg-type]
            asked = questions(server)
            wait_until(lambda: asked.count() >= 20_000, "the load is under way")
            began = time.monotonic()
            server.terminate()
            assert server.wait(10) == 0
            assert time.monotonic() - began < 10
            load.end()
            sent = load.result()
    assert sent["spans"] > 0
    acknowledged = _numbers(tmp_path / "acknowledged")
    assert len(acknowledged) == sent["requests"]
    with ServerProcess(tmp_path / "data") as server:
        found = Counter(questions(server).arrow("select span_id from spans").column(0).to_pylist())
    assert set(found.values()) == {1}
    for number in acknowledged:
        ids = corpus.span_ids(load.seed, number)
        assert all(found[one] for one in ids), f"acknowledged request {number} is not whole"
    for number in set(range(sent["issued_requests"])) - set(acknowledged):
        there = sum(found[one] for one in corpus.span_ids(load.seed, number))
        assert there in (0, corpus.spans[number % len(corpus.spans)]), f"request {number}, which was not acknowledged, is half there"


@pytest.mark.timed
def test_an_idle_server_ends_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        began = time.monotonic()
        server.terminate()
        assert server.wait(10) == 0
        assert time.monotonic() - began < 3
    assert "Traceback" not in server.stderr
