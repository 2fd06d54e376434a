"""Trace, session and user go from a web request to the call of a model, in each framework; and from a process to a job of Celery's."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sdk_stage import APPS, Stage, python_of

pytestmark = pytest.mark.slow
FRAMEWORKS = ("flask", "django", "aiohttp")


def trace_of(framework: str) -> str:
    return f"{FRAMEWORKS.index(framework) + 1:032x}"


@pytest.fixture(scope="module")
def asked(stage: Stage) -> Iterator[dict[str, dict[str, Any]]]:
    """One request to each framework, and the call it made, by framework."""
    command = [python_of("clients"), str(APPS / "web_frameworks.py")]
    child = subprocess.Popen(command, env=stage.env("web"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    addresses = json.loads(child.stdout.readline())
    for framework in FRAMEWORKS:
        headers = {"traceparent": f"00-{trace_of(framework)}-00000000000000aa-01", "baggage": "session.id=visit-1,user.id=ada"}
        with urllib.request.urlopen(urllib.request.Request(f"{addresses[framework]}/ask", headers=headers), timeout=60) as answer:
            assert answer.read().startswith(b"word0")
    child.communicate(timeout=60)
    assert child.returncode == 0
    calls = stage.calls("web", len(FRAMEWORKS))
    yield {framework: call for framework in FRAMEWORKS for call in calls if call["trace_id"] == trace_of(framework)}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_request_s_trace_session_and_user_reach_the_call(stage: Stage, asked: dict[str, dict[str, Any]], framework: str) -> None:
    call = asked[framework]
    assert (call["session_id"], call["user_id"]) == ("visit-1", "ada")
    (request,) = stage.sql(f"SELECT * FROM spans WHERE trace_id = '{trace_of(framework)}' AND kind = 'server'")
    assert request["parent_span_id"] == "00000000000000aa"
    assert request["session_id"] == "visit-1"


def test_the_providers_of_models_are_not_told(stage: Stage, asked: dict[str, dict[str, Any]]) -> None:
    assert not [call for call in stage.provider.calls if {"baggage", "traceparent"} & set(call.headers)]


def test_a_job_goes_on_with_the_trace_session_and_user_of_who_handed_it_over(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "control").mkdir()
    stage.run("clients", str(APPS / "celery_job.py"), str(tmp_path), service="celery-shop")
    (call,) = stage.calls("celery-worker", 1)
    assert (call["session_id"], call["user_id"]) == ("visit-1", "ada")
    services = stage.sql(f"SELECT DISTINCT service_name FROM spans WHERE trace_id = '{call['trace_id']}' ORDER BY 1")
    assert [row["service_name"] for row in services] == ["celery-shop", "celery-worker"]
