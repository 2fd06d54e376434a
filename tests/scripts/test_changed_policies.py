"""A restart with other policies: what is open is decided by the new ones alone."""

from __future__ import annotations

from pathlib import Path

from story import SECOND, Story

from observatory.model.signal import Signal
from observatory.pipeline.sampling.config import SamplingConfig

PROBES = {"name": "probes", "type": "drop", "policies": [{"type": "string", "attribute": "http.route", "values": ["/health"]}]}
ERRORS = {"name": "errors", "type": "status"}
SLOW = {"name": "slow", "type": "latency", "above_s": 5}


def test_votes_of_policies_that_are_gone_do_not_count(tmp_path: Path) -> None:
    """`always` votes at the first sight of a trace, which is then open until `probes` can no longer forbid it."""
    story = Story(tmp_path, {"policies": [PROBES, {"name": "all", "type": "always"}, ERRORS]})
    story.load(Signal.SPANS, ["trace=a", "trace=b error"])
    story.until(2 * SECOND)
    story.flush()
    story.config = SamplingConfig.model_validate({"policies": [ERRORS, SLOW]})
    story.restart()
    story.until(20 * SECOND)
    assert story.answer("traces") == ["b  spans=1  kept by=errors count=1", "dropped 1 not_kept"]


def test_new_policies_that_vote_at_first_sight_are_asked_about_what_is_open(tmp_path: Path) -> None:
    story = Story(tmp_path, {"policies": [ERRORS]})
    story.load(Signal.SPANS, ["trace=a r=0.9", "trace=b r=0.1"])
    story.until(2 * SECOND)
    story.flush()
    story.config = SamplingConfig.model_validate({"policies": [{"name": "half", "type": "probabilistic", "percent": 50}]})
    story.restart()
    story.until(20 * SECOND)
    assert story.answer("traces") == ["a  spans=1  kept by=half count=2", "dropped 1 not_kept"]
