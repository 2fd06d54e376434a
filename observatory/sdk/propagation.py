"""Who is told which trace, session and user this is: other services of the application, but not the provider of a model."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter
from opentelemetry.trace import get_current_span

from observatory.sdk import guard
from observatory.sdk.calls import calling, is_model_call
from observatory.sdk.sampling import InsideCall


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
        span = get_current_span(context)
        if isinstance(span.get_span_context().trace_state, InsideCall) or is_model_call(span) or calling():
            return
        self.inner.inject(carrier, context, setter)

    @property
    def fields(self) -> set[str]:
        """See TextMapPropagator."""
        return self.inner.fields
