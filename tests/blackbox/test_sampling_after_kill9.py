"""kill -9 in the middle of sampling: everything is decided as if nothing had happened, traces are whole, sums exact."""

from __future__ import annotations

import http.client
import random
import threading
import time
from pathlib import Path

import pytest
from child import questions, wait_until
from restless import configuration

from benchmarks.payloads import SPANS_PER_TRACE, request
from observatory.testing.server import ServerProcess

CONFIG = """
[sampling]
quiet_s = 2
[[sampling.policies]]
name = "half"
type = "probabilistic"
percent = 50
[[sampling.policies]]
name = "errors"
type = "status"
statuses = ["error"]
[cut]
segment_age_s = 1
hold_after_s = 1.5
"""
REQUESTS, TRACES, KILLS = 60, 8, 4


def sent(server: ServerProcess, bodies: list[bytes]) -> None:
    """Each until it is acknowledged, by whichever process answers then."""
    for body in bodies:
        while True:
            try:
                connection = http.client.HTTPConnection(server.addresses["otlp_http"], timeout=10)
                connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
                status = connection.getresponse().status
                connection.close()
            except (OSError, http.client.HTTPException):
                status = 0
            if status == 200:
                break
            threading.Event().wait(0.05)
        threading.Event().wait(0.03)  # the load takes some seconds, so that kills fall into all of sampling's


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_traces_are_decided_as_if_nothing_had_happened(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OBSERVATORY_SAMPLING__PRESET")
    rng, now = random.Random(seed), time.time_ns()
    made = [request(TRACES, seed * 1000 + i, now) for i in range(REQUESTS)]
    spans = [s for one in made for resource in one.resource_spans for scope in resource.scope_spans for s in scope.spans]
    failed = {s.trace_id for s in spans if s.status.code == 2}
    chosen = {s.trace_id for s in spans if int.from_bytes(s.trace_id[9:], "big") >= 1 << 55}
    server = ServerProcess(tmp_path / "data", "--config", configuration(tmp_path, CONFIG))
    with server:
        load = threading.Thread(target=sent, args=(server, [one.SerializeToString() for one in made]))
        load.start()
        for _ in range(KILLS):
            load.join(rng.uniform(0.3, 1.2))
            server.kill9()
            server.start()
        load.join()
        asked = questions(server)
        measured = "SELECT sum(count)::BIGINT FROM span_rollups"
        wait_until(lambda: asked.sql(measured) == [[len(spans)]], "every span measured once")
        wait_until(lambda: asked.get("/api/v1/sampling")["spans"]["open"] == 0, "every trace decided")
        wait_until(lambda: asked.get("/api/v1/status")["journal"]["open_rows"] == 0, "what was dropped is out of the journal, too")
        expected = {id.hex() for id in failed | chosen}
        stored = "SELECT trace_id, count(DISTINCT span_id) FROM spans GROUP BY 1"
        wait_until(lambda: dict(asked.sql(stored)).keys() == expected, "what was dropped is out of held segments, a cut later")
        kept = dict(asked.sql(stored))
        assert set(kept) == expected
        assert set(kept.values()) == {SPANS_PER_TRACE}, "whole"
        assert {id for (id,) in asked.sql("SELECT trace_id FROM traces")} == set(kept)
        assert asked.sql(measured) == [[len(spans)]]
        rows, distinct = asked.sql("SELECT count(*), count(DISTINCT (trace_id, span_id)) FROM spans")[0]
        assert rows == distinct, "nothing twice"


def test_what_was_dropped_is_gone_although_nothing_more_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows were moved out of the journal before it was decided, and no later record makes a cut due."""
    monkeypatch.delenv("OBSERVATORY_SAMPLING__PRESET")
    config = CONFIG.replace("= 50", "= 0.001").replace("quiet_s = 2", "quiet_s = 5").replace("hold_after_s = 1.5", "hold_after_s = 0.1")
    made = request(1, 1, time.time_ns())
    for span in [s for resource in made.resource_spans for scope in resource.scope_spans for s in scope.spans]:
        span.ClearField("status")
    with ServerProcess(tmp_path / "data", "--config", configuration(tmp_path, config)) as server:
        sent(server, [made.SerializeToString()])
        asked = questions(server)
        wait_until(lambda: asked.get("/api/v1/status")["journal"]["open_rows"] == 0, "its rows are held")
        assert asked.get("/api/v1/sampling")["spans"]["open"] == SPANS_PER_TRACE
        wait_until(lambda: asked.get("/api/v1/sampling")["spans"]["open"] == 0, "it is decided", 30)
        wait_until(lambda: asked.sql("SELECT count(*) FROM spans") == [[0]], "it is gone")
