"""The queue between the journal and the stages: in order, bounded by rows, and nobody waits for ever."""

from __future__ import annotations

import queue
import threading

import pytest

from observatory.pipeline.handover import Handover


def test_items_come_out_in_the_order_they_went_in() -> None:
    handover: Handover[int] = Handover(100)
    for item in range(5):
        handover.put(item, rows=10)
    assert [handover.get(1) for _ in range(5)] == list(range(5))


def test_who_takes_from_an_empty_one_is_told_so_after_a_time() -> None:
    with pytest.raises(queue.Empty):
        Handover[int](1).get(0.01)


def test_who_puts_waits_while_it_is_full_and_not_longer() -> None:
    handover: Handover[str] = Handover(100)
    handover.put("a", rows=60)
    passed = threading.Event()

    def more() -> None:
        handover.put("b", rows=60)
        passed.set()

    thread = threading.Thread(target=more)
    thread.start()
    assert not passed.wait(0.05), "60 of 100 rows are taken"
    assert handover.get(1) == "a"
    assert passed.wait(10) and handover.get(1) == "b"
    thread.join()


def test_an_item_of_more_rows_than_the_bound_passes_alone() -> None:
    handover: Handover[str] = Handover(100)
    handover.put("huge", rows=1000)
    assert handover.get(1) == "huge"


def test_every_item_arrives_once_while_both_sides_run() -> None:
    handover: Handover[int] = Handover(7)
    thread = threading.Thread(target=lambda: [handover.put(item, rows=item % 5) for item in range(2000)])
    thread.start()
    assert [handover.get(10) for _ in range(2000)] == list(range(2000))
    thread.join()
