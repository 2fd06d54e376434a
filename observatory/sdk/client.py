"""What runs in a process: providers, what they send to, and how it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits

from observatory.sdk import guard, settings, spans
from observatory.sdk.config import Config
from observatory.sdk.context import ContextOnSpans
from observatory.sdk.export import Sending, SpanExport, log_export, metric_export
from observatory.sdk.feedback import FeedbackExport
from observatory.sdk.outbox import Counts, Outbox
from observatory.sdk.propagation import DiscreetPropagator, know_calls_that_are_left_out
from observatory.sdk.sampling import HeadSampler


@dataclass
class Client:
    """The running SDK: `observatory.init()` gives it, `observatory.flush()` and the others use it."""

    config: Config
    sending: Sending
    feedback: FeedbackExport
    outboxes: dict[str, Outbox] = field(default_factory=dict)
    meters: Any = None
    closed: bool = False
    joined: bool = False
    """There was a tracer provider already: its resource and its sampling stand, ours is one more place its spans go to."""

    def flush(self, timeout_s: float | None = None) -> bool:
        """Send what waits; true when all of it was taken (or spooled). Returns after the time-out at the latest, default
        `exit_timeout_s`."""
        deadline = time.monotonic() + (self.config.exit_timeout_s if timeout_s is None else timeout_s)
        done = [guard.safely(box.flush, otherwise=bool)(max(0.05, deadline - time.monotonic())) for box in self._boxes()]
        if self.meters is not None:  # last: OpenTelemetry's reader waits for its request however long that takes
            self._aside(self.meters.force_flush, deadline)
        return all(done)

    def close(self) -> None:
        """Send what waits and stop; what comes later is dropped. Takes `exit_timeout_s` at the longest; a second time nothing happens."""
        if self.closed:
            return
        self.closed = True
        deadline = time.monotonic() + self.config.exit_timeout_s
        self.flush()
        for box in self._boxes():
            guard.safely(box.close)(0.01)
        if self.meters is not None:
            self._aside(self.meters.shutdown, deadline)

    def _aside(self, work: Callable[[], object], deadline: float) -> None:
        """In a thread that is left behind when the time is over."""
        thread = threading.Thread(target=guard.safely(work), name="observatory-metrics-end", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # Python 3.12 starts none at the end of the process
            guard.safely(work)()
            return
        thread.join(max(0.05, min(1.0, deadline - time.monotonic())))

    def counts(self) -> dict[str, Counts]:
        """What became of every record, by signal: `put == sent + refused + dropped + waiting`."""
        return {**{name: box.counts for name, box in self.outboxes.items()}, "feedback": self.feedback.outbox.counts}

    def _boxes(self) -> list[Outbox]:
        return [*self.outboxes.values(), self.feedback.outbox]


def open_client(config: Config) -> Client:
    """Providers of the configured signals, or a place in those that are there."""
    sending = Sending(config)
    client = Client(config, sending, FeedbackExport(sending))
    resource = Resource.create(_resource(config))
    for signal, join in (("traces", _traces), ("logs", _logs), ("metrics", _metrics)):
        if signal in config.signals:
            guard.safely(join)(client, resource)
    if not isinstance(propagate.get_global_textmap(), DiscreetPropagator):
        propagate.set_global_textmap(DiscreetPropagator(propagate.get_global_textmap()))
    return client


def _resource(config: Config) -> dict[str, Any]:
    said = {
        "service.name": config.service_name,
        "service.version": config.service_version,
        "deployment.environment.name": config.environment,
        "process.pid": os.getpid(),
        "telemetry.distro.name": "llm-observatory",
        "telemetry.distro.version": settings.version(),
    }
    return {**{key: value for key, value in said.items() if value is not None}, **config.resource_attributes}


def _traces(client: Client, resource: Resource) -> None:
    config, export = client.config, SpanExport(client.sending)
    client.outboxes["traces"] = export.outbox
    there = trace.get_tracer_provider()
    client.joined = hasattr(there, "add_span_processor")
    if client.joined:
        if config.sample is not None:
            guard.say_once("there is a tracer provider already: its sampler decides, `sample` has no effect")
        guard.safely(know_calls_that_are_left_out)()
        provider: Any = there
    else:
        limits = SpanLimits(max_span_attributes=2048, max_span_attribute_length=None)
        sampler = HeadSampler(config.sample, http_spans=config.http_spans)
        provider = spans.provider(sampler=sampler, resource=resource, span_limits=limits, shutdown_on_exit=False)
        trace.set_tracer_provider(provider)
    provider.add_span_processor(ContextOnSpans())
    provider.add_span_processor(export)


def _logs(client: Client, resource: Resource) -> None:
    from opentelemetry import _logs
    from opentelemetry.sdk._logs import LoggerProvider

    export = log_export(client.sending)
    client.outboxes["logs"] = export.outbox
    there: Any = _logs.get_logger_provider()
    if not hasattr(there, "add_log_record_processor"):
        there = LoggerProvider(resource=resource, shutdown_on_exit=False)
        _logs.set_logger_provider(there)
    there.add_log_record_processor(export)


def _metrics(client: Client, resource: Resource) -> None:
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    if hasattr(metrics.get_meter_provider(), "_sdk_config"):  # the application measures already; readers cannot be added later
        return
    reader = PeriodicExportingMetricReader(metric_export(client.sending), export_timeout_millis=client.config.timeout_s * 1000)
    client.meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    metrics.set_meter_provider(client.meters)
