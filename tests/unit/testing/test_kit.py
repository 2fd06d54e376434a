"""The kit that tests others is tested by what it must catch."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

import pytest

from observatory.contracts import Batch, Export, Nanos, Signal, StageCounts
from observatory.errors import Retryable
from observatory.model.clock import SECOND
from observatory.otlp import json as otlp_json
from observatory.otlp.decode import decoders
from observatory.testing.clock import NOON, StepClock
from observatory.testing.contracts import check_stage
from observatory.testing.server import ServerEnded, ServerProcess
from observatory.testing.sinks import ListSink, RefusingSink
from observatory.testing.spans import Maker, any_value


class Pass:
    """A stage that keeps the law: it holds a batch until the next call, and drops rows without a parent when told to."""

    def __init__(self, drop: bool = False) -> None:
        self._drop, self._held = drop, []
        self._taken = self._given = self._dropped = 0

    def process(self, batch: Batch, now: Nanos) -> Iterable[Batch]:
        self._taken += batch.rows.num_rows
        if self._drop:
            kept = batch.rows.filter(batch.rows.column("parent_span_id").is_valid())
            self._dropped += batch.rows.num_rows - kept.num_rows
            batch = Batch(batch.signal, kept)
        self._held.append(batch)
        return []

    def tick(self, now: Nanos) -> Iterable[Batch]:
        return self.drain(now)

    def drain(self, now: Nanos) -> Iterable[Batch]:
        given, self._held = self._held, []
        self._given += sum(batch.rows.num_rows for batch in given)
        return given

    def counts(self) -> StageCounts:
        return StageCounts(self._taken, self._given, {"no parent": self._dropped}, sum(batch.rows.num_rows for batch in self._held))


class Loses(Pass):
    def drain(self, now: Nanos) -> Iterable[Batch]:
        return [Batch(batch.signal, batch.rows.slice(1)) for batch in super().drain(now)]


class Doubles(Pass):
    def drain(self, now: Nanos) -> Iterable[Batch]:
        return [twice for batch in super().drain(now) for twice in (batch, batch)]


class Keeps(Pass):
    def tick(self, now: Nanos) -> Iterable[Batch]:
        return []

    def drain(self, now: Nanos) -> Iterable[Batch]:
        return []


class Reshapes(Pass):
    def drain(self, now: Nanos) -> Iterable[Batch]:
        return [Batch(batch.signal, batch.rows.drop_columns(["name"])) for batch in super().drain(now)]


class Miscounts(Pass):
    def counts(self) -> StageCounts:
        counts = super().counts()
        return StageCounts(counts.taken, counts.given, {"made up": 1}, counts.held)


class Forgets(Pass):
    """Drops the last row of each batch: what it drops depends on how rows arrive."""

    def process(self, batch: Batch, now: Nanos) -> Iterable[Batch]:
        self._taken += min(1, batch.rows.num_rows)
        self._dropped += min(1, batch.rows.num_rows)
        return super().process(Batch(batch.signal, batch.rows.slice(0, max(0, batch.rows.num_rows - 1))), now)


def batches() -> list[Batch]:
    make = Maker(now=NOON)
    decode = decoders().spans
    return [Batch(Signal.SPANS, decode([make.trace(spans=n).protobuf], NOON, [None]).rows) for n in (2, 8, 5)]


@pytest.mark.parametrize("make", [Pass, lambda: Pass(drop=True)])
def test_a_lawful_stage_passes(make):
    check_stage(make, batches())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (Loses, "the stage counted"),
        (Doubles, "the stage counted"),
        (Keeps, "still held after drain"),
        (Reshapes, "columns are not those of"),
        (Miscounts, "made up|!="),
        (Forgets, "depend on how they arrive"),
    ],
)
def test_an_unlawful_stage_is_caught(make, says):
    with pytest.raises(AssertionError, match=says):
        check_stage(make, batches())


def test_a_clock_goes_when_told_and_never_back():
    clock = StepClock()
    assert clock.now() == clock.now() == NOON
    assert clock.advance(1.5) == clock.now() == NOON + 3 * SECOND // 2
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


@pytest.mark.parametrize("what", ["trace", "logs", "metrics", "flat"])
def test_the_same_seed_makes_the_same_bytes(what):
    def made(seed: int) -> bytes:
        maker = Maker(seed, NOON)
        return maker.flat(3).protobuf if what == "flat" else getattr(maker, what)().protobuf

    assert made(1) == made(1)
    if what in ("trace", "flat"):
        assert made(1) != made(2)


@pytest.mark.parametrize("payload", [Maker(3).trace(error="x"), Maker().logs("a", {"b": [1, None, b"c"]}, 5, None), Maker().metrics(6)])
def test_json_and_protobuf_say_the_same(payload):
    parsed = type(payload.message).FromString(otlp_json.to_protobuf(payload.signal, payload.json))
    assert parsed == payload.message
    assert json.loads(payload.json)


@pytest.mark.parametrize("spans", [2, 3, 8, 40])
def test_a_trace_is_one_tree_within_its_root(spans):
    payload = Maker(now=NOON).trace(spans, error="timeout")
    made = payload.all_spans
    assert len(made) == len(payload.span_ids) == spans and len(payload.trace_ids) == 1
    root = made[0]
    assert [span.parent_span_id for span in made].count(b"") == 1 and root.parent_span_id == b""
    for span in made:
        assert span is root or span.parent_span_id in payload.span_ids
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano <= root.end_time_unix_nano == NOON
    assert [span.status.message for span in made].count("timeout") == 2  # the root and the last


def test_a_value_otlp_does_not_have_is_named():
    with pytest.raises(TypeError, match="set"):
        any_value({1})


async def test_sinks_keep_and_refuse():
    export = Export(Signal.SPANS, Maker().trace().protobuf, NOON)
    kept = ListSink({Signal.SPANS: decoders().spans})
    assert (await kept.put(export)).accepted == 8
    refusing = RefusingSink(Retryable("full", after=3.0), kept)
    with pytest.raises(Retryable) as caught:
        await refusing.put(export)
    assert (caught.value.after, refusing.refused, len(kept.exports)) == (3.0, 1, 1)
    refusing.error = None
    await refusing.put(export)
    assert len(kept.exports) == 2


def program(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(text))
    return [sys.executable, str(path)]


def test_a_server_that_ends_early_says_why(tmp_path: Path):
    server = ServerProcess(tmp_path, binary=program(tmp_path, "import sys; print('no such port', file=sys.stderr); sys.exit(2)"))
    with pytest.raises(ServerEnded, match="no such port") as caught:
        server.start()
    assert caught.value.code == 2


def test_a_server_that_stays_silent_is_killed(tmp_path: Path):
    server = ServerProcess(tmp_path, binary=program(tmp_path, "import threading; threading.Event().wait()"), ready_timeout_s=0.2)
    with pytest.raises(RuntimeError, match="not ready after"):
        server.start()
    assert not server.running


def test_a_server_is_told_where_and_ended_at_the_end(tmp_path: Path):
    binary = program(
        tmp_path,
        """
        import json, os, signal, sys
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        print(" ".join(sys.argv[1:]), os.environ["GREETING"], file=sys.stderr, flush=True)
        print(json.dumps({"ready": True, "listen": "a:1", "otlp_grpc": "b:2", "otlp_http": "c:3"}), flush=True)
        signal.sigwait([signal.SIGTERM])
        """,
    )
    with ServerProcess(tmp_path / "data", "--otlp-http", "127.0.0.1:9", env={"GREETING": "hello"}, binary=binary) as server:
        assert (server.api, server.otlp_grpc, server.otlp_http) == ("http://a:1", "b:2", "http://c:3")
        assert server.running and server.pid != os.getpid()
    assert server.wait() == 0
    assert f"--data {tmp_path / 'data'}" in server.stderr and server.stderr.count("--otlp-http") == 1 and "hello" in server.stderr
