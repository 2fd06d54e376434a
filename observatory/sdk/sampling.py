"""Head sampling: a trace is recorded or not by its id, so that every process decides alike, and says with which chance (`ot=th`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span

from observatory.sdk import guard
from observatory.sdk.calls import InsideCall, calling, is_model_call, says_model_call

_BITS = 56
_ALL = (1 << _BITS) - 1


class HeadSampler(Sampler):
    """Keeps `share` of the traces that begin here and follows the decision of those that come from elsewhere (W3C `sampled`).

    Unless `http_spans`, spans of HTTP clients inside a model's call are left out: they say what the call's span says.
    """

    def __init__(self, share: float | None, *, http_spans: bool = False) -> None:
        self.threshold = 0 if share is None else round((1 - share) * (1 << _BITS))
        self._said = None if share is None or share >= 1 or share <= 0 else f"th:{f'{self.threshold:014x}'.rstrip('0') or '0'}"
        self._http_spans = http_spans

    @guard.safely(otherwise=lambda: SamplingResult(Decision.RECORD_AND_SAMPLE))
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """See Sampler."""
        above = get_current_span(parent_context)
        parent = above.get_span_context()
        if not self._http_spans and kind is SpanKind.CLIENT and _is_http(attributes) and (calling() or is_model_call(above)):
            return SamplingResult(Decision.DROP, None, InsideCall(list(parent.trace_state.items())))
        kept = parent.trace_flags.sampled if parent.is_valid else (trace_id & _ALL) >= self.threshold
        state = parent.trace_state if parent.is_valid else trace_state
        if kept:
            state = state if parent.is_valid or not self._said else _with_threshold(state, self._said)
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
        if says_model_call(attributes):  # of what is not recorded nothing else can be asked later
            state = InsideCall(list((state or {}).items()))
        return SamplingResult(Decision.DROP, None, state)

    def get_description(self) -> str:
        """See Sampler."""
        return f"HeadSampler{{{self._said or 'all'}}}"


def _is_http(attributes: Mapping[str, Any] | None) -> bool:
    return attributes is not None and ("http.request.method" in attributes or "http.method" in attributes)


def _with_threshold(state: TraceState | None, said: str) -> TraceState:
    """OpenTelemetry's own entry of a trace state (`ot=`) with this threshold in place of an older one."""
    state = state or TraceState()
    others = [part for part in (state.get("ot") or "").split(";") if part and not part.startswith("th:")]
    value = ";".join([said, *others])
    return state.update("ot", value) if "ot" in state else state.add("ot", value)
