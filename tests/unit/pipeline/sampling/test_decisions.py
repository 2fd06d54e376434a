"""Decisions are found wherever they are by now, exactly; what no swap made true is not."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from observatory.model.clock import DAY, SECOND
from observatory.model.traceids import Ids, ids_of
from observatory.pipeline.sampling.decisions import DROPPED, KEPT, NOTHING, Decisions

NOW = 1_795_000_000 * SECOND
MOST = 1 << 20


def ids(*names: int) -> Ids:
    return ids_of(pa.array([name.to_bytes(16, "big") for name in names], pa.binary(16)))


def decide(decisions: Decisions, names: list[int], kept: list[bool], by: str = "errors", now: int = NOW, upto: int = 1) -> None:
    what = np.where(kept, KEPT, DROPPED).astype(np.int8)
    decisions.add(ids(*names), what, np.full(len(names), 7, np.uint64), np.full(len(names), decisions.number(by)), upto, now)


def flush(decisions: Decisions, upto: int, now: int = NOW) -> None:
    recent = decisions.recent.frozen()
    decisions.adopt(decisions.write(recent, upto))
    decisions.recent = decisions.recent.without(len(recent.what))
    decisions.tidy(now)


def said(decisions: Decisions, *names: int) -> list[tuple[int, int, str]]:
    found = decisions.find(ids(*names))
    return [
        (int(what), int(threshold) if what == KEPT else 0, decisions.names[by] if what == KEPT else "")
        for what, threshold, by in zip(found.what, found.threshold, found.by, strict=True)
    ]


def test_decisions_are_found_in_memory_in_files_and_after_a_restart(tmp_path: Path) -> None:
    rng, truth = random.Random(1), {}
    decisions = Decisions(tmp_path, MOST)
    decisions.load(0)
    names = iter(rng.sample(range(1, 10**6), 600))
    for position in range(1, 31):
        some = [next(names) for _ in range(20)]
        kept = [rng.random() < 0.3 for _ in some]
        decide(decisions, some, kept, by=rng.choice(["errors", "slow", "errors,slow"]), upto=position)
        truth |= dict(zip(some, kept, strict=True))
        if position % 3:
            flush(decisions, position)
    everything = said(decisions, *truth)
    assert [what for what, _, _ in everything] == [KEPT if kept else DROPPED for kept in truth.values()]
    assert {threshold for what, threshold, _ in everything if what == KEPT} == {7}
    assert said(decisions, 10**7) == [(NOTHING, 0, "")]
    assert len(decisions.files) <= 17
    flush(decisions, 31)
    again = Decisions(tmp_path, MOST)
    again.load(31)
    assert said(again, *truth) == everything


def test_what_was_written_for_a_swap_that_never_was_is_gone(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path, MOST)
    decisions.load(0)
    decide(decisions, [1], [True])
    flush(decisions, 1)
    decide(decisions, [2], [True])
    flush(decisions, 2)
    again = Decisions(tmp_path, MOST)
    again.load(1)
    assert [what for what, _, _ in said(again, 1, 2)] == [KEPT, NOTHING]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000000000000000001-00000000000000000001.kept"]


def test_a_damaged_file_is_set_aside_and_the_others_serve(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path, MOST)
    decisions.load(0)
    decide(decisions, [1, 2], [True, False])
    flush(decisions, 1)
    dropped = next(tmp_path.glob("*.dropped"))
    raw = bytearray(dropped.read_bytes())
    raw[-1] ^= 1
    dropped.write_bytes(raw)
    again = Decisions(tmp_path, MOST)
    again.load(1)
    assert [what for what, _, _ in said(again, 1, 2)] == [KEPT, NOTHING]
    assert dropped.with_name(dropped.name + ".damaged").exists()


@pytest.mark.parametrize(("later", "most", "known"), [(DAY // 2, MOST, 1), (2 * DAY, MOST, 0), (0, 5000, 0)])
def test_decisions_are_forgotten_by_age_and_by_size(tmp_path: Path, later: int, most: int, known: int) -> None:
    decisions = Decisions(tmp_path, most)
    decisions.load(0)
    decide(decisions, [1], [False])
    flush(decisions, 1)
    decide(decisions, [2], [True], now=NOW + later)
    flush(decisions, 2, NOW + later)
    assert [what for what, _, _ in said(decisions, 1, 2)] == [DROPPED if known else NOTHING, KEPT]
    assert decisions.reaches == (NOW if known else NOW + later)


def test_dropped_traces_are_hidden_until_their_records_are_gone(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path, MOST)
    decide(decisions, [1, 2], [True, False], upto=5)
    decide(decisions, [3], [False], upto=9)
    assert decisions.hidden(0).key.tolist() == sorted(ids(2, 3).key.tolist())
    assert decisions.hidden(5).key.tolist() == ids(3).key.tolist()
    decisions.unhide(9)
    assert not len(decisions.hidden(0).key)
