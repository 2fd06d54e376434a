"""OTLP metrics to flat rows, one for each data point, through google.protobuf: they are few, and their five shapes many.

A metric without data points gives no row. Points marked NO_RECORDED_VALUE are kept, with their flag and without a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2

from observatory.errors import Malformed
from observatory.model import anyvalue
from observatory.model.anyvalue import KeyValues
from observatory.model.batch import Decoded, Outcome
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp import columns
from observatory.otlp.routing import Router, attribute_columns
from observatory.semconv.routes import Route

KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


class MetricsDecoder:
    """A `contracts.Decoder` of metric points."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._schema = schema(Signal.METRIC_POINTS)
        self._router = Router(self._schema, routes, "resource")

    def __call__(self, bodies: Sequence[bytes], received_at: int, projects: Sequence[str | None]) -> Decoded:
        """See `contracts.Decoder`."""
        rows: list[dict[str, Any]] = []
        outcomes: list[Outcome] = []
        for body, project in zip(bodies, projects, strict=True):
            before = len(rows)
            request = ExportMetricsServiceRequest()
            try:
                request.ParseFromString(body)
            except DecodeError as wrong:
                outcomes.append(Outcome(error=Malformed(f"cannot decode metrics of {len(body)} bytes: {wrong}")))
                continue
            for each in request.resource_metrics:
                rows.extend(self._resource(each, received_at, project))
            outcomes.append(Outcome(rows=len(rows) - before))
        names = self._schema.names
        return Decoded(columns.batch(self._schema, [[row.get(name) for name in names] for row in rows]), outcomes)

    def _resource(self, each: metrics_pb2.ResourceMetrics, received_at: int, project: str | None) -> Iterable[dict[str, Any]]:
        attributes = pairs(each.resource.attributes)
        routed = self._router.values(attributes)
        origin = {
            "resource": anyvalue.to_json(attributes),
            "resource_dropped_attributes_count": each.resource.dropped_attributes_count,
            "resource_schema_url": each.schema_url,
            "service_name": routed.get("service_name"),
            "environment": routed.get("environment"),
            "received_at": received_at,
            "project": project if project is not None else routed.get("project", "default"),
        }
        for part in each.scope_metrics:
            scope = {
                "scope_name": part.scope.name,
                "scope_version": part.scope.version,
                "scope_attributes": anyvalue.to_json(pairs(part.scope.attributes)),
                "scope_dropped_attributes_count": part.scope.dropped_attributes_count,
                "scope_schema_url": part.schema_url,
            }
            for metric in part.metrics:
                yield from (origin | scope | row for row in _points(metric))


def _points(metric: metrics_pb2.Metric) -> Iterable[dict[str, Any]]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    about = {
        "name": metric.name,
        "description": metric.description,
        "unit": metric.unit,
        "metadata": anyvalue.to_json(pairs(metric.metadata)),
        "kind": kind,
        "temporality": data.aggregation_temporality if kind in ("sum", "histogram", "exponential_histogram") else 0,
        "is_monotonic": kind == "sum" and data.is_monotonic,
    }
    for point in data.data_points:
        texts, types = attribute_columns(pairs(point.attributes))
        row: dict[str, Any] = {
            "start_ns": _signed(point.start_time_unix_nano),
            "time_ns": _signed(point.time_unix_nano),
            "flags": point.flags,
            "attributes": texts,
            "attribute_types": types,
            "bucket_counts": [],
            "explicit_bounds": [],
            "positive_counts": [],
            "negative_counts": [],
            "quantiles": [],
            "exemplars": [] if kind == "summary" else [_exemplar(each) for each in point.exemplars],
        }
        yield about | row | _SHAPES[kind](point)


def _number(point: metrics_pb2.NumberDataPoint) -> dict[str, Any]:
    return {"double_value": _present(point, "as_double"), "int_value": _present(point, "as_int")}


def _histogram(point: metrics_pb2.HistogramDataPoint) -> dict[str, Any]:
    return {
        "count": point.count,
        "sum": _present(point, "sum"),
        "min": _present(point, "min"),
        "max": _present(point, "max"),
        "bucket_counts": list(point.bucket_counts),
        "explicit_bounds": list(point.explicit_bounds),
    }


def _exponential(point: metrics_pb2.ExponentialHistogramDataPoint) -> dict[str, Any]:
    return {
        "count": point.count,
        "sum": _present(point, "sum"),
        "min": _present(point, "min"),
        "max": _present(point, "max"),
        "scale": point.scale,
        "zero_count": point.zero_count,
        "zero_threshold": point.zero_threshold,
        "positive_offset": point.positive.offset if point.HasField("positive") else None,
        "positive_counts": list(point.positive.bucket_counts),
        "negative_offset": point.negative.offset if point.HasField("negative") else None,
        "negative_counts": list(point.negative.bucket_counts),
    }


def _summary(point: metrics_pb2.SummaryDataPoint) -> dict[str, Any]:
    return {"count": point.count, "sum": point.sum, "quantiles": [(each.quantile, each.value) for each in point.quantile_values]}


_SHAPES = {"gauge": _number, "sum": _number, "histogram": _histogram, "exponential_histogram": _exponential, "summary": _summary}


def _exemplar(each: metrics_pb2.Exemplar) -> tuple[Any, ...]:
    texts, types = attribute_columns(pairs(each.filtered_attributes))
    numbers = _present(each, "as_double"), _present(each, "as_int")
    return _signed(each.time_unix_nano), *numbers, each.trace_id, each.span_id, texts, types


def _present(message: Any, name: str) -> Any:
    return getattr(message, name) if message.HasField(name) else None


def pairs(attributes: Iterable[KeyValue]) -> KeyValues:
    """Attributes as Python values."""
    return KeyValues((each.key, value_of(each.value)) for each in attributes)


def value_of(value: AnyValue) -> Any:
    """An AnyValue as the Python value that `model.anyvalue` speaks of."""
    match value.WhichOneof("value"):
        case "array_value":
            return [value_of(each) for each in value.array_value.values]
        case "kvlist_value":
            return pairs(value.kvlist_value.values)
        case "string_value" | "bool_value" | "int_value" | "double_value" | "bytes_value" as which:
            return getattr(value, which)
        case _:
            return None


def _signed(value: int) -> int:
    return value - (value >> 63 << 64)
