"""The kernel and the reference decoder give the same rows, the same counts and the same errors, whatever the bytes."""

from __future__ import annotations

import random
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings, strategies as st
from otlp_messages import REQUESTS, attribute, captures, mutate, plain, repeat_field, requests, span_body

from observatory.errors import CannotStart, TooLarge
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp.decode import decoders
from observatory.otlp.reference import ReferenceDecoder
from observatory.semconv.routes import routes

REFERENCE = decoders("reference")
try:
    NATIVE = decoders("native")
except CannotStart:
    pytest.skip("no native kernel was built here", allow_module_level=True)
TEXT_SIGNALS = (Signal.SPANS, Signal.LOGS)
NOW = 1_700_000_000_000_000_000


def both(signal: Signal, bodies: list[bytes], projects: list[str | None] | None = None) -> tuple[str, list[str]]:
    """The answer, when it is the same from both."""
    projects = projects if projects is not None else [None] * len(bodies)
    native = NATIVE.of(signal)(bodies, NOW, projects)
    native.rows.validate(full=True)
    assert native.rows.schema == schema(signal)
    answer = plain(native)
    assert answer == plain(REFERENCE.of(signal)(bodies, NOW, projects))
    assert sum(outcome.rows for outcome in native.outcomes) == native.rows.num_rows
    return answer


@pytest.mark.parametrize("signal", TEXT_SIGNALS)
def test_every_capture(signal: Signal) -> None:
    bodies = [path.read_bytes() for path in captures(signal)]
    assert len(bodies) > 50
    both(signal, bodies)


@pytest.mark.parametrize("signal", TEXT_SIGNALS)
def test_no_body_and_empty_bodies(signal: Signal) -> None:
    assert both(signal, []) == ("[]", [])
    assert both(signal, [b"", b""])[0] == "[]"


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from(TEXT_SIGNALS))
def test_random_messages(data: st.DataObject, signal: Signal) -> None:
    bodies = [each.SerializeToString() for each in data.draw(st.lists(requests[signal], max_size=3))]
    projects = data.draw(st.lists(st.none() | st.sampled_from(["x", "y", ""]), min_size=len(bodies), max_size=len(bodies)))
    both(signal, bodies, projects)


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from(TEXT_SIGNALS), st.randoms(use_true_random=False))
def test_what_protobuf_reads_we_read_alike(data: st.DataObject, signal: Signal, rng: random.Random) -> None:
    """Repeated and reordered fields mean what google.protobuf says: its own re-serialisation gives the same rows."""
    body = data.draw(requests[signal]).SerializeToString()
    for _ in range(rng.randint(1, 3)):
        body = repeat_field(body, rng)
    try:
        canonical = REQUESTS[signal].FromString(body).SerializeToString()
    except DecodeError:
        return
    assert both(signal, [body]) == both(signal, [canonical])


@pytest.mark.parametrize("signal", TEXT_SIGNALS)
@pytest.mark.parametrize("seed", range(2))
def test_mutated_captures(signal: Signal, seed: int) -> None:
    rng = random.Random(seed)
    bodies = [path.read_bytes() for path in captures(signal)]
    bodies = [body for body in bodies if len(body) < 8_000]
    refused = 0
    for _ in range(12):
        batch = [mutate(rng.choice(bodies), rng, bodies) if rng.random() < 0.8 else rng.choice(bodies) for _ in range(5)]
        answer = both(signal, batch)
        refused += sum("Malformed" in outcome for outcome in answer[1])
        for body, outcome in zip(batch, answer[1], strict=True):
            if "Malformed" in outcome and "nested" not in outcome:
                with pytest.raises(DecodeError):
                    REQUESTS[signal].FromString(body)
    assert refused


@pytest.mark.parametrize("signal", TEXT_SIGNALS)
def test_every_cut(signal: Signal) -> None:
    body = min((path.read_bytes() for path in captures(signal)), key=len)
    both(signal, [body[:size] for size in range(len(body))])


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(TEXT_SIGNALS), st.randoms(use_true_random=False))
def test_decoding_together_is_decoding_apart(data: st.DataObject, signal: Signal, rng: random.Random) -> None:
    bodies = [each.SerializeToString() for each in data.draw(st.lists(requests[signal], min_size=2, max_size=4))]
    bodies = [mutate(body, rng, bodies) if rng.random() < 0.3 else body for body in bodies]
    together = NATIVE.of(signal)(bodies, NOW, [None] * len(bodies))
    apart = [NATIVE.of(signal)([body], NOW, [None]) for body in bodies]
    assert plain(together)[1] == [plain(each)[1][0] for each in apart]
    rows = [row for each in apart for row in each.rows.to_pylist()]
    assert repr(together.rows.to_pylist()) == repr(rows)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(TEXT_SIGNALS), st.integers(0, 6000), st.randoms(use_true_random=False))
def test_the_same_budget_is_exceeded_by_the_same_bodies(data: st.DataObject, signal: Signal, budget: int, rng: random.Random) -> None:
    from observatory.otlp.native import NativeDecoder

    body = data.draw(requests[signal]).SerializeToString()
    bodies = [body, repeat_field(body, rng)]
    native = NativeDecoder(signal, routes(signal), budget)(bodies, NOW, [None, None])
    assert plain(native) == plain(ReferenceDecoder(signal, routes(signal), budget)(bodies, NOW, [None, None]))
    assert all(outcome.error is None or isinstance(outcome.error, TooLarge) for outcome in native.outcomes)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes(body: bytes) -> None:
    both(Signal.SPANS, [body])
    both(Signal.LOGS, [body])


def test_the_columns_outlive_the_decoder() -> None:
    body = captures(Signal.SPANS)[0].read_bytes()
    rows = decoders("native").spans([body], NOW, [None]).rows
    copy = pa.Table.from_batches([rows]).combine_chunks().to_pylist()
    assert copy == rows.to_pylist()


def test_one_decoder_serves_many_threads() -> None:
    bodies = [path.read_bytes() for path in captures(Signal.SPANS)][:40]
    alone = plain(NATIVE.spans(bodies, NOW, [None] * len(bodies)))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: NATIVE.spans(bodies, NOW, [None] * len(bodies)), range(24)))
    assert all(plain(answer) == alone for answer in answers[::6])
    assert all(answer.rows.num_rows == answers[0].rows.num_rows for answer in answers)


def test_memory_is_given_back() -> None:
    """Good, rejected and malformed bodies alike: three thousand batches fit where the first three hundred did."""
    body = min((path.read_bytes() for path in captures(Signal.SPANS)), key=len)
    batch = [body, body[:-3], body.replace(b"\x12\x08", b"\x12\x07"), b"\xff" * 50, span_body(attribute("k", b"\x2a\x00" * 40))]

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    def decode(times: int) -> int:
        for _ in range(times):
            NATIVE.spans(batch, NOW, [None] * len(batch))
        return resident()

    before = decode(300)
    assert decode(3000) - before < 8 << 20
