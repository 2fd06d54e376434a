from __future__ import annotations

import json

import pytest
from google.protobuf.json_format import Parse
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from observatory.model.signal import BY_OTLP, Signal
from observatory.otlp.reply import failure, success

RESPONSES = {
    Signal.SPANS: (ExportTraceServiceResponse, "rejectedSpans"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejectedLogRecords"),
    Signal.METRIC_POINTS: (ExportMetricsServiceResponse, "rejectedDataPoints"),
}


@pytest.mark.parametrize("signal", BY_OTLP)
def test_success_leaves_partial_success_unset(signal: Signal) -> None:
    assert success(signal) == b""
    assert json.loads(success(signal, json=True)) == {}


@pytest.mark.parametrize("signal", BY_OTLP)
@pytest.mark.parametrize(("rejected", "message"), [(3, "span 3: no"), (0, "a warning"), (2**40, "")])
def test_partial_success_says_how_many_and_why(signal: Signal, rejected: int, message: str) -> None:
    response, name = RESPONSES[signal]
    parsed = response.FromString(success(signal, rejected, message))
    assert parsed.HasField("partial_success")
    said = json.loads(success(signal, rejected, message, json=True))["partialSuccess"]
    assert said == ({name: str(rejected)} if rejected else {}) | ({"errorMessage": message} if message else {})
    assert Parse(success(signal, rejected, message, json=True), response()) == parsed


def test_status_with_its_details_is_the_same_in_both_encodings() -> None:
    body = failure(14, "full", retry_after=1.5, violations={"resourceSpans[0]": "expected an object"})
    status = status_pb2.Status.FromString(body)
    assert (status.code, status.message) == (14, "full")
    retry, bad = error_details_pb2.RetryInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(retry) and status.details[1].Unpack(bad)
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (1, 500_000_000)
    assert bad.field_violations[0].field == "resourceSpans[0]"
    same = failure(14, "full", json=True, retry_after=1.5, violations={"resourceSpans[0]": "expected an object"})
    assert Parse(same, status_pb2.Status()) == status
    assert json.loads(same)["details"][0] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"}


def test_without_retry_there_is_no_detail() -> None:
    assert not status_pb2.Status.FromString(failure(8, "too large")).details


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("character", ["\x00", "😀", "\ud800"])
def test_no_answer_is_above_4_mib(as_json: bool, character: str) -> None:
    long = character * 1_500_000
    assert len(success(Signal.SPANS, 1, long, json=as_json)) < 4 << 20
    assert len(failure(3, long, json=as_json, violations={f"{i}{long[:2000]}": long[:20_000] for i in range(200)})) < 4 << 20
