from __future__ import annotations

import math
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from otlp_messages import captures

from observatory.errors import Malformed
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp.decode import decoders

DECODE = decoders().metric_points


def rows(*metrics: pb.Metric, project: str | None = None) -> list[dict[str, Any]]:
    request = ExportMetricsServiceRequest(resource_metrics=[pb.ResourceMetrics(scope_metrics=[pb.ScopeMetrics(metrics=metrics)])])
    answer = DECODE([request.SerializeToString()], 9, [project])
    answer.rows.validate(full=True)
    assert answer.rows.schema == schema(Signal.METRIC_POINTS)
    assert answer.outcomes[0].error is None and answer.outcomes[0].rows == answer.rows.num_rows
    return answer.rows.to_pylist()


def test_every_capture_is_read() -> None:
    bodies = [path.read_bytes() for path in captures(Signal.METRIC_POINTS)]
    answer = DECODE(bodies, 9, [None] * len(bodies))
    assert all(outcome.error is None for outcome in answer.outcomes)
    assert answer.rows.num_rows > 1000
    assert None not in answer.rows.column("service_name").to_pylist()


def test_64_bits_are_exact() -> None:
    most = 2**64 - 1
    (point,) = rows(
        pb.Metric(histogram=pb.Histogram(data_points=[pb.HistogramDataPoint(count=most, bucket_counts=[most, 0], time_unix_nano=most)]))
    )
    assert (point["count"], point["bucket_counts"], point["time_ns"]) == (most, [most, 0], -1)
    (point,) = rows(pb.Metric(sum=pb.Sum(data_points=[pb.NumberDataPoint(as_int=-(2**63))], is_monotonic=True, aggregation_temporality=2)))
    assert (point["int_value"], point["double_value"], point["is_monotonic"], point["temporality"]) == (-(2**63), None, True, 2)


def test_absent_is_null_and_zero_is_zero() -> None:
    empty, zero = rows(pb.Metric(histogram=pb.Histogram(data_points=[pb.HistogramDataPoint(), pb.HistogramDataPoint(sum=0, min=0, max=0)])))
    assert (empty["sum"], empty["min"], empty["max"], empty["count"]) == (None, None, None, 0)
    assert (zero["sum"], zero["min"], zero["max"]) == (0.0, 0.0, 0.0)
    buckets = pb.ExponentialHistogramDataPoint.Buckets()
    (point,) = rows(
        pb.Metric(exponential_histogram=pb.ExponentialHistogram(data_points=[pb.ExponentialHistogramDataPoint(positive=buckets)]))
    )
    assert (point["positive_offset"], point["negative_offset"], point["scale"], point["zero_threshold"]) == (0, None, 0, 0.0)


def test_a_point_without_a_recorded_value_is_kept_with_its_flag() -> None:
    (point,) = rows(pb.Metric(name="m", gauge=pb.Gauge(data_points=[pb.NumberDataPoint(flags=pb.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK)])))
    assert (point["flags"], point["int_value"], point["double_value"], point["kind"]) == (1, None, None, "gauge")


def test_metrics_without_points_give_no_rows() -> None:
    assert rows(pb.Metric(name="m"), pb.Metric(name="n", gauge=pb.Gauge())) == []


def test_quantiles_and_exemplars() -> None:
    quantile = pb.SummaryDataPoint.ValueAtQuantile(quantile=0.99, value=math.inf)
    (point,) = rows(pb.Metric(summary=pb.Summary(data_points=[pb.SummaryDataPoint(count=3, sum=1.5, quantile_values=[quantile])])))
    assert (point["sum"], point["quantiles"], point["exemplars"]) == (1.5, [{"quantile": 0.99, "value": math.inf}], [])
    exemplar = pb.Exemplar(as_int=4, span_id=b"12345678", trace_id=b"t" * 16, time_unix_nano=6)
    (point,) = rows(pb.Metric(gauge=pb.Gauge(data_points=[pb.NumberDataPoint(as_double=1, exemplars=[exemplar])])))
    assert point["exemplars"][0]["int_value"] == 4 and point["exemplars"][0]["double_value"] is None
    assert (point["exemplars"][0]["trace_id"], point["exemplars"][0]["span_id"]) == (b"t" * 16, b"12345678")


@pytest.mark.parametrize("body", [b"\x0a\x05abc", b"\xff", b"\x0a\x04\x1a\x02\xff\xfe"])
def test_what_protobuf_refuses_is_malformed_and_others_are_whole(body: bytes) -> None:
    good = captures(Signal.METRIC_POINTS)[0].read_bytes()
    answer = DECODE([body, good], 9, [None, "p"])
    assert isinstance(answer.outcomes[0].error, Malformed)
    assert f"cannot decode metrics of {len(body)} bytes" in str(answer.outcomes[0].error)
    assert answer.outcomes[1].rows == answer.rows.num_rows > 0
    assert set(answer.rows.column("project").to_pylist()) == {"p"}
