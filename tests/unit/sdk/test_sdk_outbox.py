"""Bounded in number and bytes, never waited for, and every record accounted for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from observatory.sdk.outbox import Outbox, Outcome


def outbox(deliver: Callable[[list[Any], int], Outcome], **more: Any) -> Outbox:
    return Outbox("test", deliver, **{"max_items": 100, "max_bytes": 10_000, "batch_items": 10, "delay_s": 60, **more})


def accounted(box: Outbox) -> bool:
    counts = box.counts
    return counts.put == counts.sent + counts.refused + counts.dropped + box._waiting()


def test_records_are_sent_in_order_and_in_batches() -> None:
    got: list[list[int]] = []
    box = outbox(lambda batch, size: got.append(batch) or Outcome.SENT)
    for i in range(25):
        box.put(i, 10)
    assert box.flush(5)
    assert [item for batch in got for item in batch] == list(range(25))
    assert max(map(len, got)) <= 10
    assert box.counts.sent == 25


def test_a_full_batch_goes_without_waiting_for_the_delay() -> None:
    went = threading.Event()
    box = outbox(lambda batch, size: went.set() or Outcome.SENT)
    for i in range(10):
        box.put(i, 10)
    assert went.wait(5)


@given(st.lists(st.integers(1, 12_000), max_size=200))
def test_what_waits_stays_within_its_bounds_and_adds_up(sizes: list[int]) -> None:
    hold = threading.Event()
    box = outbox(lambda batch, size: Outcome.SENT if hold.wait(10) else Outcome.LATER, batch_items=1000, max_bytes=10_000)
    try:
        for size in sizes:
            box.put(size, size)
            assert box.bytes <= 10_000
            assert len(box._items) <= 100
        assert accounted(box)
    finally:
        hold.set()
    assert box.flush(10)
    assert accounted(box)


@pytest.mark.timed
def test_putting_never_waits_for_a_receiver_that_hangs() -> None:
    hold = threading.Event()
    box = outbox(lambda batch, size: Outcome.SENT if hold.wait(10) else Outcome.LATER)
    start = time.perf_counter()
    for i in range(5000):
        box.put(i, 10)
    took = time.perf_counter() - start
    hold.set()
    assert took < 1
    assert box.flush(10)
    assert box.counts.dropped > 0
    assert accounted(box)


def test_what_was_not_taken_is_offered_again() -> None:
    answers = [Outcome.DOWN, Outcome.DOWN, Outcome.SENT]
    got: list[list[int]] = []
    box = outbox(lambda batch, size: got.append(list(batch)) or answers.pop(0))
    for i in range(3):
        box.put(i, 10)
    assert not box.flush(5)  # gives up at once, so that the end of a process does not wait where nobody listens
    assert not box.flush(5)
    assert box.flush(5)
    assert got == [[0, 1, 2]] * 3
    assert box.counts.sent == 3


def test_a_flush_tries_again_while_the_receiver_has_no_room() -> None:
    answers = [Outcome.LATER, Outcome.LATER, Outcome.SENT]
    box = outbox(lambda batch, size: answers.pop(0))
    box.put(1, 10)
    assert box.flush(10)
    assert box.counts.sent == 1


def test_a_flush_ends_with_its_time() -> None:
    box = outbox(lambda batch, size: Outcome.LATER)
    box.put(1, 10)
    start = time.monotonic()
    assert not box.flush(0.6)
    assert 0.5 < time.monotonic() - start < 5
    assert accounted(box)


def test_what_is_refused_for_good_is_counted_and_does_not_stop_what_follows() -> None:
    box = outbox(lambda batch, size: Outcome.REFUSED if 1 in batch else Outcome.SENT, batch_items=1)
    for i in range(3):
        box.put(i, 10)
    assert box.flush(5)
    assert (box.counts.sent, box.counts.refused) == (2, 1)


def test_a_delivery_that_raises_is_a_refusal() -> None:
    def broken(batch: list[Any], size: int) -> Outcome:
        raise RuntimeError("cannot encode")

    box = outbox(broken)
    box.put(1, 10)
    assert box.flush(5)
    assert box.counts.refused == 1


def test_what_is_put_after_the_end_is_dropped_and_counted() -> None:
    box = outbox(lambda batch, size: Outcome.SENT)
    box.put(1, 10)
    assert box.close(5)
    box.put(2, 10)
    assert (box.counts.sent, box.counts.dropped) == (1, 1)
    assert accounted(box)


def test_a_record_that_is_put_while_another_is_being_put_does_not_lock_up() -> None:
    """The garbage collector may end a span in the middle of a `put` of the same thread."""
    box = outbox(lambda batch, size: Outcome.SENT)

    class Ends:
        def __del__(self) -> None:
            box.put("ended by the collector", 10)

    with box._turn:
        Ends()
    assert box.flush(5)
    assert box.counts.sent == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_starts_empty_and_can_send() -> None:
    sent: list[int] = []
    box = outbox(lambda batch, size: sent.extend(batch) or Outcome.SENT)
    box.put(1, 10)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        box.put(2, 10)
        ok = box.flush(5) and sent == [2] and box.counts.put == 1
        os.write(writer, b"y" if ok else b"n")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 1) == b"y"
    assert box.flush(5)
    assert sent == [1]
