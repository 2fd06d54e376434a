"""From OpenTelemetry's providers to the outboxes: processors that weigh and put, and what encodes and sends."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span as SdkSpan, SpanProcessor

from observatory.sdk import guard, wire
from observatory.sdk.config import Config
from observatory.sdk.outbox import Outbox, Outcome
from observatory.sdk.scrub import Scrubber
from observatory.sdk.spans import Deferred, LeanSpan
from observatory.sdk.spool import Spool
from observatory.sdk.transport import Transport, open_transport

_EACH = 600
"""Bytes of a record without its texts: ids, times, the objects around them."""
_PIECE = 40


class Sending:
    """What the outboxes of all signals share: one transport, opened by the first who sends, and one spool."""

    def __init__(self, config: Config) -> None:
        self.config, self.scrubber = config, Scrubber(config)
        self._opened: Transport | None = None
        self._lock = threading.Lock()
        self.spool = self._open_spool()
        me = weakref.ref(self)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: (sending := me()) is not None and sending._forked())

    def _open_spool(self) -> Spool | None:
        return guard.safely(Spool)(self.config.spool, self.config.spool_bytes) if self.config.spool else None

    def _forked(self) -> None:
        """A child opens a connection and a spool of its own: the parent's are in use, its lock perhaps held."""
        self._lock, self._opened, self.spool = threading.Lock(), None, self._open_spool()

    @property
    def transport(self) -> Transport:
        """Opened late: what it imports takes longer than all the rest of `init`."""
        with self._lock:
            if self._opened is None:
                self._opened = open_transport(self.config)
            return self._opened

    def scrubber_of(self, largest: int) -> Scrubber | None:
        """What looks at a batch, whose largest record has this many bytes, before it is sent; None where nothing can have to change. JSON
        that is yet to be written may become twice as long as what it is written of weighs."""
        return self.scrubber if self.scrubber.needed(2 * largest) else None

    def post(self, signal: str, body: bytes) -> Outcome:
        """Offer it; what the receiver does not take goes to the spool where there is one."""
        outcome = self.transport.post(signal, body)
        if self.spool is None:
            return outcome
        if outcome in (Outcome.LATER, Outcome.DOWN):
            return Outcome.SENT if self.spool.add(signal, body) else outcome
        self.spool.drain(self.transport)
        return outcome

    def idle(self) -> None:
        """Nothing new is to be sent: a chance for what was spooled."""
        if self.spool is not None and self.spool.waiting:
            self.spool.drain(self.transport, most=1_000_000)

    def outbox(self, signal: str, deliver: Any) -> Outbox:
        """A queue of the configured size."""
        config = self.config
        return Outbox(
            signal,
            deliver,
            max_items=config.queue_items,
            max_bytes=config.queue_bytes,
            batch_items=config.batch_items,
            delay_s=config.delay_s,
            idle=self.idle,
        )


class SpanExport(SpanProcessor):
    """Puts every span that ends into the outbox; sends at once when the last local span of a trace ends and the process may be frozen
    then."""

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self.outbox = sending.outbox("traces", self._deliver)
        if sending.spool is not None and sending.spool.waiting:  # what the last process left
            self.outbox.wake()

    def on_start(self, span: SdkSpan, parent_context: Any = None) -> None:
        """Nothing to do."""

    @guard.safely
    def on_end(self, span: ReadableSpan) -> None:
        """Weigh and put; a few microseconds."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return
        self.outbox.put(span, weigh_span(span))
        if self._sending.config.serverless and (span.parent is None or span.parent.is_remote):
            self.outbox.flush(self._sending.config.exit_timeout_s)

    def _deliver(self, batch: list[Any], largest: int) -> Outcome:
        return self._sending.post("traces", wire.spans(batch, self._sending.scrubber_of(largest)))

    @guard.safely(otherwise=bool)
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See SpanProcessor."""
        return self.outbox.flush(timeout_millis / 1000)

    @guard.safely
    def shutdown(self) -> None:
        """See SpanProcessor."""
        self.outbox.close(self._sending.config.exit_timeout_s)


def weigh_span(span: ReadableSpan) -> int:
    """About how many bytes a span keeps in memory."""
    size = _EACH
    attributes = span.said if isinstance(span, LeanSpan) else span.attributes
    if attributes:
        size += weigh_values(attributes)
    for event in span.events:
        size += _PIECE + weigh_values(event.attributes or {})
    return size


def weigh_values(values: Any) -> int:
    """About how many bytes a mapping keeps."""
    size = 0
    for value in values.copy().values():  # OpenTelemetry's mapping runs Python for each value read; its copy is a dict
        size += _PIECE + len(value) if type(value) is str and value.isascii() else _weigh(value)
    return size


def _weigh(value: Any) -> int:
    kind = type(value)
    if kind is str:
        return _PIECE + (len(value) if value.isascii() else 3 * len(value))
    if kind is Deferred:
        return _weigh(value.value)
    if kind is tuple or kind is list:
        return _PIECE + sum(map(_weigh, value))
    return _PIECE + weigh_values(value) if isinstance(value, dict) else _PIECE


def log_export(sending: Sending) -> Any:
    """A LogRecordProcessor of the installed OpenTelemetry: its interface was renamed in 1.38, so it is made when it is needed."""
    from opentelemetry.sdk._logs import LogRecordProcessor

    class LogExport(LogRecordProcessor):
        def __init__(self) -> None:
            self.outbox = sending.outbox("logs", self._deliver)

        @guard.safely
        def on_emit(self, log_record: Any) -> None:
            record = log_record.log_record
            body = record.body
            texts = weigh_values(body) if isinstance(body, dict) else len(body) if isinstance(body, str) else _PIECE
            self.outbox.put(log_record, _EACH + texts + weigh_values(record.attributes or {}))

        emit = on_emit

        def _deliver(self, batch: list[Any], largest: int) -> Outcome:
            return sending.post("logs", wire.logs(batch, sending.scrubber_of(largest)))

        @guard.safely(otherwise=bool)
        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return self.outbox.flush(timeout_millis / 1000)

        @guard.safely
        def shutdown(self) -> None:
            self.outbox.close(sending.config.exit_timeout_s)

    return LogExport()


def metric_export(sending: Sending) -> Any:
    """A MetricExporter for OpenTelemetry's periodic reader, which has a thread of its own."""
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult

    class MetricExport(MetricExporter):
        @guard.safely(otherwise=lambda: MetricExportResult.FAILURE)
        def export(self, metrics_data: Any, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
            from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

            for told in metrics_data.resource_metrics:
                own = Resource(wire.of_this_process(told.resource.attributes), told.resource.schema_url)
                object.__setattr__(told, "resource", own)
            outcome = sending.post("metrics", encode_metrics(metrics_data).SerializeToString())
            return MetricExportResult.SUCCESS if outcome is Outcome.SENT else MetricExportResult.FAILURE

        def force_flush(self, timeout_millis: float = 10_000) -> bool:
            return True

        def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
            return None

    return MetricExport()
