"""The table of places is a dict, compiled or not, and the compiled one is what runs."""

from __future__ import annotations

import random
from types import ModuleType
from typing import cast

import numpy as np
import pytest
from hypothesis import given, strategies as st
from uncompiled import uncompiled

from observatory.model import hashtable

FEW = st.lists(st.integers(0, 40), max_size=40)
"""Keys that are no hashes at all: neighbours, so that places are taken and ways are long."""

PLAIN = uncompiled(cast(ModuleType, hashtable))
BOTH = pytest.mark.parametrize("code", [cast(ModuleType, hashtable), PLAIN], ids=["compiled", "plain"])


def numbers(keys: list[int]) -> np.ndarray:
    return np.array(keys, np.uint64)


def found(code: ModuleType, places: np.ndarray, key: np.ndarray, low: np.ndarray, keys: list[int], lows: list[int]) -> list[int]:
    slots = np.empty(len(keys), np.int64)
    code.find(places, key, low, numbers(keys), numbers(lows), slots)
    return slots.tolist()


def test_the_compiled_one_is_what_runs() -> None:
    assert hashtable.__file__.endswith(".so")


@BOTH
@given(st.lists(FEW, max_size=6))
def test_a_key_keeps_the_slot_it_was_given(code: ModuleType, steps: list[list[int]]) -> None:
    places, key, count = code.table(41), np.empty(41, np.uint64), 0
    known: dict[int, int] = {}
    for keys in steps:
        slots = np.empty(len(keys), np.int64)
        count = code.put(places, key, key, count, numbers(keys), numbers(keys), slots)
        assert slots.tolist() == [known.setdefault(each, len(known)) for each in keys]
        assert count == len(known)
    asked = list(range(45))
    assert found(code, places, key, key, asked, asked) == [known.get(each, -1) for each in asked]


@BOTH
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=30))
def test_both_words_of_a_key_count(code: ModuleType, keys: list[tuple[int, int]]) -> None:
    key, low, slots = np.empty(30, np.uint64), np.empty(30, np.uint64), np.empty(len(keys), np.int64)
    one, two = (numbers([each[word] for each in keys]) for word in (0, 1))
    count = code.put(code.table(30), key, low, 0, one, two, slots)
    firsts = list(dict.fromkeys(keys))
    assert [(int(a), int(b)) for a, b in zip(key[:count], low[:count], strict=True)] == firsts
    assert slots.tolist() == [firsts.index(each) for each in keys]


@BOTH
@given(st.lists(st.integers(0, 4), max_size=30), st.randoms())
def test_rows_of_a_group_come_together_and_as_they_came(code: ModuleType, groups: list[int], chance: random.Random) -> None:
    rows = list(range(len(groups)))
    chance.shuffle(rows)
    begins = np.cumsum([0, *(groups.count(group) for group in range(4))])
    order = np.empty(len(rows), np.int64)
    code.together(np.array(groups, np.int64), np.array(rows, np.int64), begins, order)
    assert order.tolist() == sorted(rows, key=lambda row: groups[row])


@BOTH
@given(st.lists(st.tuples(st.sampled_from(["insert", "remove"]), st.integers(0, 12), st.integers(0, 2)), max_size=60))
def test_what_is_removed_is_found_no_more_and_hides_nothing(code: ModuleType, steps: list[tuple[str, int, int]]) -> None:
    places, key, low = code.table(128), np.zeros(64, np.uint64), np.zeros(64, np.uint64)
    known: dict[tuple[int, int], int] = {}
    for slot, (what, first, second) in enumerate(steps):
        if what == "insert" and (first, second) not in known:
            key[slot], low[slot] = first, second
            code.insert(places, key, np.array([slot]))
            known[first, second] = slot
        elif what == "remove" and (first, second) in known:
            gone = np.array([known.pop((first, second))])
            code.remove(places, key, gone)
            code.remove(places, key, gone)  # it is gone already
        pairs = [(a, b) for a in range(14) for b in range(3)]
        assert found(code, places, key, low, *map(list, zip(*pairs, strict=True))) == [known.get(pair, -1) for pair in pairs]


@BOTH
@given(st.lists(st.text(max_size=12), max_size=20), st.integers(0, 3))
def test_texts_are_hashed_by_their_bytes_alone(code: ModuleType, texts: list[str], before: int) -> None:
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([before, *map(len, encoded)]).astype(np.int32)
    letters, keys = memoryview(b"x" * before + b"".join(encoded)), np.empty(len(texts), np.uint64)
    code.hash_texts(letters, offsets, keys)
    assert keys.tolist() == [fnv1a(text) for text in encoded]


def fnv1a(text: bytes) -> int:
    state = 0xCBF29CE484222325
    for letter in text:
        state = (state ^ letter) * 0x100000001B3 % 2**64
    return state


@pytest.mark.parametrize(("text", "is_"), [(b"", 0xCBF29CE484222325), (b"a", 0xAF63DC4C8601EC8C), (b"foobar", 0x85944171F73967E8)])
def test_it_is_the_published_hash(text: bytes, is_: int) -> None:
    assert fnv1a(text) == is_
