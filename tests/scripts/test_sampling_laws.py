"""Laws of the sampler: a crash at any moment changes nothing, nor does how spans arrive; no trace is torn; every span is accounted for."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from hypothesis import given, settings, strategies as st
from story import SECOND, Story

from observatory.model.signal import Signal

STATELESS = {
    "quiet_s": 3,
    "policies": [
        {"name": "errors", "type": "status"},
        {"name": "slow", "type": "latency", "above_s": 4},
        {"name": "half", "type": "probabilistic", "percent": 50},
        {"name": "never", "type": "drop", "policies": [{"type": "model", "models": ["gpt-4o-mini"]}]},
    ],
}
STATEFUL = {
    "quiet_s": 3,
    "policies": [
        {"name": "limit", "type": "rate_limiting", "spans_per_second": 2},
        {"name": "everyone", "type": "quota", "by": "user", "traces": 1},
        {"name": "budget", "type": "budget", "max_spans_per_second": 1},
        {"name": "new", "type": "first_seen", "for_s": 5},
    ],
}
Steps = list[tuple[int, list[str]]]


def arrivals(rng: random.Random) -> Steps:
    """Some traces of some spans, in requests at times; a trace's root may come first, last or in between."""
    steps: Steps = []
    for number in range(rng.randrange(1, 9)):
        trace = f"trace={chr(97 + number)} r={rng.random():.3f}"
        at, spans = rng.randrange(0, 10 * SECOND), rng.randrange(1, 5)
        root = rng.randrange(spans)
        for i in range(spans):
            said = [trace, f"name=n{rng.randrange(3)}", f"took={rng.choice(['1s', '2s', '5s'])}", f"user=u{rng.randrange(3)}"]
            said += [] if i == root else ["child"]
            said += rng.choices([["error"], ["model=gpt-4o-mini in=5 out=1"], []], [1, 1, 6])[0]
            steps.append((at, [" ".join(said)]))
            at += rng.randrange(0, 2 * SECOND)
    return sorted(steps)


def told(config: dict, steps: Steps, crashes: dict[int, bool]) -> list[str]:
    """What is kept in the end; before some of the steps there is a crash, with a flush right before it or not."""
    with tempfile.TemporaryDirectory() as directory:
        story = Story(Path(directory), config)
        for number, (at, lines) in enumerate(steps):
            story.until(at)
            if number in crashes:
                if crashes[number]:
                    story.flush()
                story.restart()
            story.load(Signal.SPANS, lines)
        story.until(40 * SECOND)
        counts = story.sampler.counts()
        assert counts.taken == counts.given + sum(counts.dropped.values()) and not counts.held
        return story.answer("traces")


CRASHES = st.dictionaries(st.integers(0, 30), st.booleans(), min_size=1, max_size=3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), CRASHES, st.sampled_from([STATELESS, STATEFUL]))
def test_a_crash_at_any_moment_changes_nothing(seed: int, crashes: dict[int, bool], config: dict) -> None:
    steps = arrivals(random.Random(seed))
    assert told(config, steps, crashes) == told(config, steps, {})


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_how_spans_arrive_does_not_matter(seed: int) -> None:
    """Spans of one moment in one request or in many, in any order."""
    rng = random.Random(seed)
    steps = [(at // (2 * SECOND) * 2 * SECOND, lines) for at, lines in arrivals(rng)]
    merged: dict[int, list[str]] = {}
    for at, lines in steps:
        merged.setdefault(at, []).extend(lines)
    shuffled = [(at, rng.sample(lines, len(lines))) for at, lines in merged.items()]
    assert told(STATELESS, shuffled, {}) == told(STATELESS, sorted(steps), {})
