"""How the SDK starts: every signal, the oldest OpenTelemetry, gRPC, a provider that is there already, content off, import without cost."""

from __future__ import annotations

import json

import pytest
from sdk_stage import APPS, Stage, agree

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("group", "protocol"), [("oldest", "http/protobuf"), ("clients", "http/protobuf"), ("clients", "grpc")])
def test_every_signal_arrives(stage: Stage, group: str, protocol: str) -> None:
    service = f"everything-{group}-{protocol[:4]}"
    endpoint = f"http://{stage.server.otlp_grpc}" if protocol == "grpc" else stage.server.otlp_http
    stage.run(group, str(APPS / "everything.py"), protocol, service=service, OBSERVATORY_ENDPOINT=endpoint)
    spans = stage.spans(service, 2)
    assert {(span["name"], span["session_id"], span["user_id"]) for span in spans} == {("outer", "s", "u"), ("work", "s", "u")}
    work = next(span for span in spans if span["name"] == "work")
    logs = stage.settled(f"SELECT body, trace_id, span_id FROM logs WHERE service_name = '{service}'", 1, quiet_s=0.2)
    assert logs == [{"body": "worked", "trace_id": work["trace_id"], "span_id": work["span_id"]}]
    points = stage.settled(f"SELECT name FROM metric_points WHERE service_name = '{service}' AND name = 'app.jobs'", 1, quiet_s=0.2)
    assert points
    said = stage.settled(f"SELECT name, score FROM feedback WHERE trace_id = '{work['trace_id']}'", 1, quiet_s=0.2)
    assert said == [{"name": "quality", "score": 0.5}]


def test_a_provider_that_is_there_is_joined_and_init_twice_is_once(stage: Stage) -> None:
    seen = stage.play("clients", "joined.py", "unused")
    assert len(seen) == 6
    assert not [call for call in seen if {"traceparent", "tracestate", "baggage"} & set(call.headers)]
    agree(stage.calls("joined", 3), [call for call in seen if "AlwaysOn" in call.prompt])
    spans = stage.spans("joined", 5)
    assert {"our span", "their span", "inside a trace"} < {span["name"] for span in spans}
    assert {span["session_id"] for span in spans} == {"s"}


@pytest.mark.parametrize("how", ["off", "redact"])
def test_what_may_not_leave_does_not_reach_the_server(stage: Stage, how: str) -> None:
    service = f"private-{how}"
    before = len(stage.provider.calls)
    stage.run("clients", str(APPS / "private.py"), how, service=service)
    agree(stage.calls(service, 2), stage.provider.calls[before:])
    stored = json.dumps(stage.sql(f"SELECT * FROM spans WHERE service_name = '{service}'"), default=str)
    assert "4711" not in stored
    assert ("[card]" in stored) is (how == "redact")


def test_importing_loads_nothing_and_starting_little(stage: Stage) -> None:
    script = (
        "import sys, json; before = set(sys.modules); import observatory; face = set(sys.modules) - before;"
        "observatory.init(signals=['traces']); print(json.dumps([sorted(face), sorted(sys.modules)]))"
    )
    face, started = json.loads(stage.run("clients", "-c", script, service="import").stdout)
    assert not [name for name in face if name.startswith(("opentelemetry", "observatory.sdk"))]
    tops = {name.partition(".")[0] for name in started}
    assert not tops & {"openai", "anthropic", "httpx", "requests", "aiohttp", "google.protobuf", "grpc", "pydantic", "numpy", "pyarrow"}
    assert not [name for name in started if name.startswith("observatory.") and not name.startswith("observatory.sdk")]
