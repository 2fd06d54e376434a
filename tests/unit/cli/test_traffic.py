"""The demo's applications: believable traces by the real SDK, the same ones for the same seed."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from observatory.cli.traffic import stories
from observatory.cli.traffic.scene import Failed, Past, Scene
from observatory.cli.traffic.telemetry import Service

NOON = 1_795_435_200_000_000_000


class Recorded:
    """Takes the place of `Telemetry`: the same providers, kept in memory instead of exported."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self._provider = TracerProvider()
        self._provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self._logs, self._meter = LoggerProvider(), MeterProvider().get_meter("test")

    def service(self, name: str, version: str = "", environment: str = "") -> Service:
        histogram = self._meter.create_histogram
        return Service(name, self._provider.get_tracer(name), self._logs.get_logger(name), histogram("duration"), histogram("tokens"))


def play(count: int, seed: int, story: stories.Story | None = None) -> list[list[ReadableSpan]]:
    """The spans of `count` stories, by trace."""
    recorded, dice = Recorded(), random.Random(seed)

    async def all_of_them() -> None:
        for _ in range(count):
            chosen = story or dice.choices([s for s, _ in stories.STORIES], [w for _, w in stories.STORIES])[0]
            scene = Scene(recorded, recorded.service("shop-gateway"), Past(NOON), random.Random(dice.random()))  # type: ignore[arg-type]
            await stories.play(scene, chosen)

    asyncio.run(all_of_them())
    traces: dict[int, list[ReadableSpan]] = defaultdict(list)
    for span in recorded.spans.get_finished_spans():
        traces[span.context.trace_id].append(span)
    return list(traces.values())


@pytest.fixture(scope="module")
def traces() -> list[list[ReadableSpan]]:
    return play(200, seed=7)


def spans_of(traces: list[list[ReadableSpan]]) -> Iterator[ReadableSpan]:
    return (span for trace in traces for span in trace)


def test_every_trace_is_one_tree_and_children_lie_within_their_parents(traces: list[list[ReadableSpan]]) -> None:
    assert len(traces) == 200
    for trace in traces:
        by_id = {span.context.span_id: span for span in trace}
        assert sum(span.parent is None for span in trace) == 1
        for span in trace:
            assert NOON <= span.start_time <= span.end_time
            if span.parent is not None:
                parent = by_id[span.parent.span_id]
                assert parent.start_time <= span.start_time
                assert span.end_time <= parent.end_time


def test_shapes_models_users_and_errors_vary(traces: list[list[ReadableSpan]]) -> None:
    spans = list(spans_of(traces))

    def values(key: str) -> set[object]:
        return {(span.attributes or {})[key] for span in spans if key in (span.attributes or {})}

    assert {len(trace) for trace in traces} >= {1, 8}
    assert max(len(trace) for trace in traces) > 30
    assert len(values("gen_ai.request.model")) >= 7
    assert len(values("gen_ai.provider.name")) >= 4
    assert len(values("user.id")) >= 8
    assert values("gen_ai.operation.name") == {"chat", "embeddings", "execute_tool", "invoke_agent", "invoke_workflow", "retrieval"}
    errors = sum(span.status.status_code is StatusCode.ERROR for span in spans)
    assert 0.005 < errors / len(spans) < 0.15
    assert len({span.instrumentation_scope.name for span in spans if span.instrumentation_scope}) >= 7


def test_calls_that_succeeded_say_what_they_cost_and_what_was_said(traces: list[list[ReadableSpan]]) -> None:
    chats = [s for s in spans_of(traces) if (s.attributes or {}).get("gen_ai.operation.name") == "chat"]
    assert len(chats) > 100
    for span in chats:
        said = span.attributes or {}
        if span.status.status_code is StatusCode.ERROR:
            assert said["error.type"]
            assert [event.name for event in span.events] == ["exception"]
            continue
        assert said["gen_ai.usage.input_tokens"] >= said.get("gen_ai.usage.cache_read.input_tokens", 0)  # type: ignore[operator]
        assert said["gen_ai.usage.output_tokens"] >= said.get("gen_ai.usage.reasoning.output_tokens", 0)  # type: ignore[operator]
        assert said["gen_ai.input.messages"]
        assert said["gen_ai.output.messages"]
        if "gen_ai.response.time_to_first_chunk" in said:
            assert 0 < float(str(said["gen_ai.response.time_to_first_chunk"])) <= (span.end_time - span.start_time) / 1e9 + 1e-6


@pytest.mark.parametrize(("story", "_weight"), stories.STORIES, ids=lambda part: getattr(part, "__name__", ""))
def test_every_story_can_be_told_a_hundred_times(story: stories.Story, _weight: int) -> None:
    assert len(play(100, seed=3, story=story)) == 100


def test_the_same_seed_plays_the_same_stories() -> None:
    def essence(traces: list[list[ReadableSpan]]) -> list[object]:
        return [[(s.name, s.start_time, s.end_time, dict(s.attributes or {})) for s in trace] for trace in traces]

    assert essence(play(20, seed=5)) == essence(play(20, seed=5))
    assert essence(play(20, seed=5)) != essence(play(20, seed=6))


def test_a_branch_that_fails_leaves_the_others_alone() -> None:
    recorded = Recorded()
    scene = Scene(recorded, recorded.service("a"), Past(NOON), random.Random(1))  # type: ignore[arg-type]

    async def fails(part: Scene) -> None:
        with part.span("fails"):
            await part.pace.spend(3)
            raise Failed("Broken", "it broke")

    async def works(part: Scene) -> None:
        with part.span("works"):
            await part.pace.spend(1)

    async def both() -> None:
        with scene.span("root"):
            await scene.together(fails, works)

    asyncio.run(both())
    spans = {span.name: span for span in recorded.spans.get_finished_spans()}
    assert spans["fails"].start_time == spans["works"].start_time == NOON
    assert spans["root"].end_time == spans["fails"].end_time == NOON + 3_000_000_000
    assert spans["fails"].status.status_code is StatusCode.ERROR
    assert spans["root"].status.status_code is StatusCode.UNSET
