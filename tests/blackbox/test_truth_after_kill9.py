"""Sums of calls equal what the provider saw, also when the server is killed while calls and the spans around them arrive."""

from __future__ import annotations

import http.client
from decimal import Decimal
from pathlib import Path
from typing import Any

from child import questions, wait_until
from restless import configuration
from test_truth import CAPTURES, NAMES

from observatory.testing.server import ServerProcess

SUMS = "count(*), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(total_cost_usd)"
BODIES = [path for name in NAMES for path in sorted((CAPTURES / name).glob("*.traces.*"))]


def send(running: ServerProcess, paths: list[Path]) -> None:
    connection = http.client.HTTPConnection(running.addresses["otlp_http"], timeout=30)
    for path in paths:
        kind = "application/json" if path.suffix == ".json" else "application/x-protobuf"
        connection.request("POST", "/v1/traces", path.read_bytes(), {"Content-Type": kind})
        answer = connection.getresponse()
        assert answer.status == 200, f"{path}: {answer.status} {answer.read()!r}"
        answer.read()
    connection.close()


def sums(running: ServerProcess) -> list[Any]:
    """Calls, tokens and cost, once everything is measured; the same from calls and from sums by minute."""
    asked = questions(running)
    spans = asked.sql("SELECT count(*) FROM spans")[0][0]
    wait_until(lambda: asked.sql("SELECT sum(count) FROM span_rollups")[0][0] == spans, "every span is measured")
    calls = asked.sql(f"SELECT {SUMS} FROM llm_metrics")[0]
    rolled = asked.sql(f"SELECT {SUMS.replace('count(*)', 'sum(calls)')} FROM llm_rollups")[0]
    asked.close()
    assert [Decimal(str(x)) for x in calls] == [Decimal(str(x)) for x in rolled]
    return calls


def test_sums_are_the_same_with_and_without_kills(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "calm", "--config", configuration(tmp_path, "[cut]\nsegment_age_s = 3600\n")) as running:
        send(running, BODIES)
        expected = sums(running)
    # a cut every moment: kills fall before, in and after cuts; parents, children and twins lie on both sides
    config = configuration(tmp_path, "[cut]\nsegment_age_s = 0.2\n")
    for first in range(0, len(BODIES), 25):
        with ServerProcess(tmp_path / "killed", "--config", config) as running:
            send(running, BODIES[max(0, first - 2) : first + 25])  # two again, as clients do whose reply was lost
            running.kill9()
    with ServerProcess(tmp_path / "killed", "--config", config) as running:
        assert sums(running) == expected
