"""The OpenTelemetry side of the demo: one provider of each kind per service, exporting by the real OTLP exporters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if TYPE_CHECKING:
    from opentelemetry._logs import Logger
    from opentelemetry.metrics import Histogram
    from opentelemetry.trace import Tracer

EXPORT_EVERY_MS = 1000  # the SDK's default of 5 s would make a demo look slow
QUEUE = 16_384  # the history is written faster than it happened
SCOPE = "observatory.demo"


@dataclass(frozen=True, slots=True)
class Service:
    """One application and its instruments."""

    name: str
    tracer: Tracer
    logger: Logger
    duration: Histogram
    tokens: Histogram


class Telemetry:
    """The services of the demo, made when they are first heard of. `url` is the base of OTLP/HTTP. `close` sends what waits."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._services: dict[str, Service] = {}
        self._traces: list[TracerProvider] = []
        self._others: list[LoggerProvider | MeterProvider] = []

    def service(self, name: str, version: str = "1.0.0", environment: str = "production") -> Service:
        """The instruments of a service; the same ones for the same name."""
        if name not in self._services:
            resource = Resource.create({"service.name": name, "service.version": version, "deployment.environment.name": environment})
            traces = TracerProvider(resource=resource)
            spans = OTLPSpanExporter(f"{self._url}/v1/traces")
            traces.add_span_processor(BatchSpanProcessor(spans, max_queue_size=QUEUE, schedule_delay_millis=EXPORT_EVERY_MS))
            logs = LoggerProvider(resource=resource)
            records = OTLPLogExporter(f"{self._url}/v1/logs")
            logs.add_log_record_processor(BatchLogRecordProcessor(records, max_queue_size=QUEUE, schedule_delay_millis=EXPORT_EVERY_MS))
            points = PeriodicExportingMetricReader(OTLPMetricExporter(f"{self._url}/v1/metrics"), export_interval_millis=10_000)
            metrics = MeterProvider([points], resource)
            meter = metrics.get_meter(SCOPE)
            self._services[name] = Service(
                name,
                traces.get_tracer(SCOPE, "1.0.0"),
                logs.get_logger(SCOPE, "1.0.0"),
                meter.create_histogram("gen_ai.client.inference.duration", "s", "Duration of calls to a model"),
                meter.create_histogram("gen_ai.client.token.usage", "{token}", "Tokens of calls to a model"),
            )
            self._traces.append(traces)
            self._others += [logs, metrics]
        return self._services[name]

    def flush(self) -> None:
        """Send the spans that wait; blocks."""
        for provider in self._traces:
            provider.force_flush(10_000)

    def close(self) -> None:
        """Send what waits and stop; blocks, a few seconds at most when nothing listens."""
        for provider in [*self._traces, *self._others]:
            provider.shutdown()
