"""Bounds at the door: bytes that are here count, nothing leaks, a peak of memory does not shut the door for ever."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, strategies as st
from prometheus_client import CollectorRegistry

from observatory.errors import Retryable
from observatory.model.memory import anonymous_bytes, give_back
from observatory.receivers.admission import Admission
from observatory.receivers.config import ReceiversConfig

MIB = 1024 * 1024
CONFIG = ReceiversConfig(max_request_bytes=1024, max_in_flight_bytes=4096, memory_limit_bytes=100 * MIB, retry_after_s=7)


class World:
    """A process whose memory and time are set by the test."""

    def __init__(self, memory: int = 0) -> None:
        self.memory, self.time, self.gave_back = memory, 0.0, threading.Event()
        self.registry = CollectorRegistry()
        self.admission = Admission(CONFIG, self.registry, lambda: self.memory, self.gave_back.set, lambda: self.time)

    def refused(self, reason: str) -> float:
        return self.registry.get_sample_value("observatory_receiver_refused_total", {"reason": reason}) or 0.0


@given(sizes=st.lists(st.lists(st.integers(0, 3000), max_size=5), max_size=12))
def test_bytes_held_never_exceed_the_limit_and_all_come_back(sizes):
    world = World()
    held = []
    for growth in sizes:
        try:
            one = world.admission.admit(growth[-1] if growth else 0).__enter__()
        except Retryable as error:
            assert error.after == 7
            continue
        held.append(one)
        for size in growth:
            before = world.admission.bytes
            try:
                one.resize(size)
            except Retryable:
                assert world.admission.bytes == before  # a refusal changes nothing
            assert 0 <= world.admission.bytes <= 4096
    assert world.admission.requests == len(held)
    for one in held:
        one.__exit__(None, None, None)
    assert (world.admission.bytes, world.admission.requests) == (0, 0)


def test_what_is_announced_is_checked_but_takes_no_room():
    world = World()
    with world.admission.admit(1024) as first, world.admission.admit(1024):
        first.resize(4096)
        with pytest.raises(Retryable, match="4,096 bytes of requests"):
            world.admission.admit(1)
    assert world.refused("in_flight") == 1
    world.admission.admit(4096)


def test_over_the_memory_limit_exports_are_refused_until_it_is_under_again():
    world = World(memory=200 * MIB)
    with pytest.raises(Retryable, match="memory is short"):
        world.admission.admit()
    assert world.gave_back.wait(5)
    world.memory = 50 * MIB
    with pytest.raises(Retryable):
        world.admission.admit()  # still the old reading
    world.time += 0.3
    world.admission.admit()
    assert world.refused("memory") == 2


def test_memory_is_given_back_at_most_once_a_second():
    world = World(memory=200 * MIB)
    for _ in range(5):
        world.gave_back.clear()
        with pytest.raises(Retryable):
            world.admission.admit()
        assert world.gave_back.wait(5)
        world.gave_back.clear()
        world.time += 0.5
        with pytest.raises(Retryable):
            world.admission.admit()
        assert not world.gave_back.is_set()
        world.time += 0.6


def test_zero_switches_the_memory_limit_off():
    config = CONFIG.model_copy(update={"memory_limit_bytes": 0})
    Admission(config, CollectorRegistry(), lambda: 10**12).admit()


def test_the_real_reading_follows_what_is_held_and_given_back():
    before = anonymous_bytes()
    held = b"x" * (64 * MIB)
    with_it = anonymous_bytes()
    assert 60 * MIB < with_it - before < 80 * MIB
    assert len(held) == 64 * MIB
    del held
    give_back()
    assert anonymous_bytes() < with_it - 50 * MIB
