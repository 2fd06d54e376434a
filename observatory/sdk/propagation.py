"""Who is told which trace, session and user this is: other services of the application, but not the provider of a model."""

from __future__ import annotations

import functools
from typing import Any

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter
from opentelemetry.sdk.trace import Tracer
from opentelemetry.trace import SpanKind, get_current_span

from observatory.sdk import guard
from observatory.sdk.calls import calling, is_inside_call, left_out


class DiscreetPropagator(TextMapPropagator):
    """The propagator that was there (W3C trace context and baggage unless `OTEL_PROPAGATORS` says otherwise), silent inside a model's call.

    Baggage has the names of users and sessions: an HTTP client that carries context into every request would give them to the provider.
    """

    def __init__(self, inner: TextMapPropagator) -> None:
        self.inner = inner

    def extract(self, carrier: Any, context: Context | None = None, getter: Any = default_getter) -> Context:
        """See TextMapPropagator."""
        return guard.safely(self.inner.extract, otherwise=lambda: context if context is not None else Context())(carrier, context, getter)

    @guard.safely
    def inject(self, carrier: Any, context: Context | None = None, setter: Any = default_setter) -> None:
        """See TextMapPropagator."""
        if is_inside_call(get_current_span(context)) or calling():
            return
        self.inner.inject(carrier, context, setter)

    @property
    def fields(self) -> set[str]:
        """See TextMapPropagator."""
        return self.inner.fields


def know_calls_that_are_left_out() -> None:
    """Spans that the sampler of a joined provider drops have no scope and no attributes: those of models' calls are marked, so that the
    provider of the model is not told of them either."""
    start = Tracer.start_span
    if hasattr(start, "_observatory"):
        return

    @functools.wraps(start)
    def start_span(
        self: Any, name: str, context: Any = None, kind: Any = SpanKind.INTERNAL, attributes: Any = None, *args: Any, **more: Any
    ) -> Any:
        span = start(self, name, context, kind, attributes, *args, **more)
        return span if span.is_recording() else guard.safely(left_out, otherwise=lambda: span)(span, self, attributes)

    start_span._observatory = True  # type: ignore[attr-defined]
    Tracer.start_span = start_span  # type: ignore[method-assign]
