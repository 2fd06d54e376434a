"""What every `Stage` promises: rows in == rows out + dropped + held, however the rows arrive. A new stage is one line here."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import pyarrow.compute as pc
import pytest

from observatory.contracts import Batch, Stage, StageCounts
from observatory.model.signal import Signal
from observatory.otlp.decode import decoders
from observatory.pipeline.counting.counting import Counting
from observatory.pipeline.measure import Measure
from observatory.pipeline.rollup import RollupCalls, RollupSpans
from observatory.pipeline.sampling import build
from observatory.pipeline.sampling.config import SamplingConfig
from observatory.pipeline.summarize import Summarize
from observatory.semconv.pricing.config import PricesConfig
from observatory.semconv.pricing.prices import Prices
from observatory.semconv.pricing.source import load
from observatory.testing.clock import NOON
from observatory.testing.contracts import check_stage, row_count
from observatory.testing.spans import Maker

T = TypeVar("T")


def spans_summarised(batch: Batch) -> int:
    return sum(batch.rows.column("span_count").to_pylist())


def first_rows(batch: Batch) -> int:
    return pc.sum(pc.equal(batch.rows.column("revision"), 0)).as_py() or 0 if batch.signal is Signal.LLM_CALLS else 0


@cache
def bundled_prices() -> Prices:
    return load(PricesConfig(), Path("no data directory"))


def measure() -> Measure:
    return Measure(Counting(bundled_prices().price), RollupCalls(), lambda calls, signs: None)


class Sampled:
    """The sampler behind the stage whose rows it decides on: spans in, rows of kept traces out."""

    def __init__(self) -> None:
        config = SamplingConfig.model_validate({"policies": [{"name": "errors", "type": "status"}]})
        self._summarize, self._sampler = Summarize(), build.sampler(config, Path("no data directory"))

    def process(self, batch: Batch, now: int) -> Iterable[Batch]:
        self._summarize.process(batch, now)
        return self._sampler.process(batch, now)

    def tick(self, now: int) -> Iterable[Batch]:
        for rows in self._summarize.tick(now):
            self._sampler.process(rows, now)
        return self._sampler.tick(now)

    def drain(self, now: int) -> Iterable[Batch]:
        return [*self.tick(now), *self._sampler.drain(now)]

    def counts(self) -> StageCounts:
        return self._sampler.counts()


STAGES: dict[str, tuple[Callable[[], Stage], Callable[[Batch], int]]] = {
    "measure": (measure, first_rows),
    "rollup": (RollupSpans, lambda batch: sum(batch.rows.column("count").to_pylist())),
    "sample": (Sampled, spans_summarised),
    "summarize": (Summarize, lambda batch: spans_summarised(batch) if batch.signal is Signal.TRACES else row_count(batch)),
}


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("seed", range(5))
def test_rows_are_accounted_for(name: str, seed: int):
    make_stage, accounts_for = STAGES[name]
    check_stage(make_stage, believable(seed), accounts_for=accounts_for)


def believable(seed: int) -> list[Batch]:
    """Traces whole and torn apart, spans whose parent is elsewhere, empty requests, one body or several in a batch."""
    make, rng, decode = Maker(seed, NOON), random.Random(seed), decoders()
    spans = [span for _ in range(6) for span in make.trace(rng.randrange(2, 12), error=rng.choice([None, "timeout"])).all_spans]
    rng.shuffle(spans)
    bodies = [make.flat(rng.randrange(5)).protobuf, make.spans().protobuf]
    bodies += [make.spans(*some, service=rng.choice(["shop", "search"])).protobuf for some in pieces(rng, spans, 8)]
    rng.shuffle(bodies)
    return [
        Batch(Signal.SPANS, decode.spans(some, NOON, [None] * len(some)).rows, seq + 1) for seq, some in enumerate(pieces(rng, bodies, 4))
    ]


def pieces(rng: random.Random, whole: list[T], longest: int) -> Iterator[list[T]]:
    at = 0
    while at < len(whole):
        size = rng.randint(1, longest)
        yield whole[at : at + size]
        at += size
