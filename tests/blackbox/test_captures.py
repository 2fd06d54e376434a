"""What real instrumentations sent: each recorded request is accepted, stored, and read back with all its attributes."""

from __future__ import annotations

import base64
import http.client
import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from child import questions, wait_until
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from restless import configuration

from observatory.model import anyvalue
from observatory.testing.server import ServerProcess

CAPTURES = Path(__file__).parent.parent / "data" / "captures"
MESSAGES = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}
FILES = sorted(path for signal in MESSAGES for path in CAPTURES.glob(f"*/*/*.{signal}.*") if path.suffix in (".pb", ".json"))
EVER = {"from": 0, "to": 2**63 - 1}


def _message(path: Path) -> Any:
    kind = MESSAGES[path.name.split(".")[1]]
    body = path.read_bytes()
    return json_format.ParseDict(_base64_ids(json.loads(body)), kind()) if path.suffix == ".json" else kind.FromString(body)


def _base64_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    ids = ("traceId", "spanId", "parentSpanId")
    return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in ids and isinstance(v, str) else _base64_ids(v) for k, v in value.items()}


@pytest.fixture(scope="module", params=["journal", "segments"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that took every capture; its rows are still in the journal, or all in segments."""
    home = tmp_path_factory.mktemp("captures")
    age = {"journal": 3600.0, "segments": 0.3}[request.param]
    config = configuration(home, f"[cut]\nsegment_age_s = {age}\n")
    with ServerProcess(home / "data", "--config", config) as running:
        connection = http.client.HTTPConnection(running.addresses["otlp_http"], timeout=30)
        for path in FILES:
            signal = path.name.split(".")[1]
            content_type = "application/json" if path.suffix == ".json" else "application/x-protobuf"
            connection.request("POST", f"/v1/{signal}", path.read_bytes(), {"Content-Type": content_type})
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status == 200, f"{path}: {answer.status} {said!r}"
            assert said in (b"", b"{}"), f"{path}: something was rejected: {said!r}"
        connection.close()
        if request.param == "segments":
            asked = questions(running)
            wait_until(lambda: asked.get("/api/v1/status")["journal"]["open_rows"] == 0, "all rows are in segments")
        yield running


def test_the_captures_are_there() -> None:
    assert len(FILES) > 400


def test_every_span_is_read_back_whole(server: ServerProcess) -> None:
    expected: dict[str, dict[str, dict[str, Any]]] = {}
    for path in FILES:
        if ".traces." in path.name:
            for resource in _message(path).resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        expected.setdefault(span.trace_id.hex(), {}).setdefault(span.span_id.hex(), _span(resource, scope, span))
    assert sum(len(spans) for spans in expected.values()) > 500
    asked = questions(server)
    for trace_id, spans in expected.items():
        answer = asked.get(f"/api/v1/traces/{trace_id}")
        found = {span["span_id"]: span for span in answer["spans"]}
        assert found.keys() == spans.keys()
        assert answer["span_count"] == len(spans)
        for span_id, wanted in spans.items():
            got = found[span_id]
            assert {key: _plain(got.get(key)) for key in wanted} == {key: _plain(value) for key, value in wanted.items()}, (
                f"{trace_id} {span_id}"
            )
    listed = {item["trace_id"] for item in _pages(asked, "/api/v1/traces")}
    assert listed == expected.keys()


def test_every_log_record_is_read_back_whole(server: ServerProcess) -> None:
    expected: Counter[str] = Counter()
    for path in {path.read_bytes(): path for path in FILES if ".logs." in path.name}.values():
        for resource in _message(path).resource_logs:
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    expected[_log(record.time_unix_nano, record.severity_number, record.severity_text, _json(record.body), record)] += 1
    assert expected.total() > 50
    found: Counter[str] = Counter()
    for item in _pages(questions(server), "/api/v1/logs"):
        fields = [item[key] for key in ("time_ns", "severity_number", "severity_text", "body", "attributes")]
        found[json.dumps([*fields, item["trace_id"] or "", item["span_id"] or ""], sort_keys=True)] += 1
    assert found == expected


def test_every_metric_point_is_found(server: ServerProcess) -> None:
    expected: Counter[str] = Counter()
    for path in {path.read_bytes(): path for path in FILES if ".metrics." in path.name}.values():
        for resource in _message(path).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in getattr(metric, metric.WhichOneof("data")).data_points:
                        expected[metric.name] += 1 + 1000 * len(point.attributes)
    rows = questions(server).sql("select name, count(*) + 1000 * sum(cardinality(attributes)) from metric_points group by 1")
    assert {name: int(total) for name, total in rows} == dict(expected)


def _pages(asked: Any, path: str) -> Iterator[dict[str, Any]]:
    query: dict[str, Any] = {**EVER, "limit": 1000}
    while True:
        page = asked.get(path, **query)
        yield from page["items"]
        if not page.get("next_cursor"):
            return
        query["cursor"] = page["next_cursor"]


def _span(resource: Any, scope: Any, span: Any) -> dict[str, Any]:
    return {
        "parent_span_id": span.parent_span_id.hex() or None,
        "name": span.name,
        "kind": ["unspecified", "internal", "server", "client", "producer", "consumer"][span.kind],
        "start_ns": str(span.start_time_unix_nano),
        "duration_ns": str(span.end_time_unix_nano - span.start_time_unix_nano),
        "status": {"code": ["unset", "ok", "error"][span.status.code], **({"message": span.status.message} if span.status.message else {})},
        "flags": span.flags,
        "attributes": _attributes(span.attributes),
        "events": [
            {
                "time_ns": str(e.time_unix_nano),
                "name": e.name,
                "attributes": _attributes(e.attributes),
                "attribute_types": _types(e.attributes),
            }
            for e in span.events
        ],
        "links": [
            {"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex(), "attributes": _attributes(link.attributes)}
            | {"attribute_types": _types(link.attributes), "flags": link.flags}
            | ({"trace_state": link.trace_state} if link.trace_state else {})
            for link in span.links
        ],
        "resource": _attributes(resource.resource.attributes, nested=True),
        "attribute_types": _types(span.attributes),
    }


def _log(time_ns: int, number: int, severity: str, body: Any, record: Any) -> str:
    ids = [record.trace_id.hex(), record.span_id.hex()]
    return json.dumps([str(time_ns), number, severity, _plain(body), _plain(_attributes(record.attributes)), *ids], sort_keys=True)


def _value(value: AnyValue) -> Any:
    """As `model.anyvalue` holds it."""
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return anyvalue.KeyValues((pair.key, _value(pair.value)) for pair in value.kvlist_value.values)
        case name:
            return getattr(value, name)


def _json(value: AnyValue) -> Any:
    """As the API shows it: integers beyond 2^53 and bytes as text, non-finite doubles by name."""
    held = _value(value)
    if isinstance(held, bytes):
        return base64.b64encode(held).decode()
    if isinstance(held, bool) or held is None or isinstance(held, str):
        return held
    if isinstance(held, int):
        return held if abs(held) < 2**53 else str(held)
    if isinstance(held, float):
        return held if math.isfinite(held) else anyvalue.double_text(held)
    return json.loads(anyvalue.to_json(held))


def _attributes(pairs: Any, *, nested: bool = False) -> dict[str, Any]:
    seen: Counter[str] = Counter()
    known: dict[str, Any] = {}
    pair: KeyValue
    for pair in pairs:
        seen[pair.key] += 1
        name = pair.key if seen[pair.key] == 1 else f"{pair.key}#{seen[pair.key]}"
        known[name] = json.loads(anyvalue.to_json(_value(pair.value))) if nested else _json(pair.value)
    return known


def _types(pairs: Any) -> str:
    seen: set[str] = set()
    letters = ""
    for pair in pairs:
        letter = anyvalue.letter(_value(pair.value))
        letters += letter.upper() if pair.key in seen else letter
        seen.add(pair.key)
    return letters


def _plain(value: Any) -> Any:
    """Equal when equal as JSON."""
    return json.loads(json.dumps(value))
