"""Every process decides alike, and says with which chance it kept a trace; the server reads that back."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState, set_span_in_context, use_span

from observatory.sdk.context import ContextOnSpans
from observatory.sdk.propagation import DiscreetPropagator, know_calls_that_are_left_out
from observatory.sdk.sampling import HeadSampler
from observatory.semconv.sampled import adjusted_count


def kept(sampler: HeadSampler, trace_id: int, context: Context | None = None):
    return sampler.should_sample(context or Context(), trace_id, "root")


@pytest.mark.parametrize("share", [0.01, 0.25, 0.5, 0.9])
def test_the_share_is_kept_and_its_chance_is_what_the_server_reads(share: float) -> None:
    dice, sampler = random.Random(17), HeadSampler(share)
    results = [kept(sampler, dice.getrandbits(128)) for _ in range(20_000)]
    taken = [result for result in results if result.decision.is_sampled()]
    assert abs(len(taken) / len(results) - share) < 0.015
    said = taken[0].trace_state.to_header()
    assert adjusted_count(pa.array([said])).values[0] == pytest.approx(1 / share, rel=1e-6)


def test_a_quarter_is_written_as_opentelemetry_writes_it() -> None:
    result = kept(HeadSampler(0.25), (1 << 56) - 1)
    assert result.trace_state.to_header() == "ot=th:c"
    result = HeadSampler(0.25).should_sample(Context(), (1 << 56) - 1, "x", trace_state=TraceState([("ot", "rv:1;th:0"), ("other", "1")]))
    assert result.trace_state["ot"] == "th:c;rv:1"


def test_lower_shares_are_subsets_of_higher_ones() -> None:
    dice = random.Random(17)
    few, many = HeadSampler(0.1), HeadSampler(0.3)
    for _ in range(2000):
        trace_id = dice.getrandbits(128)
        assert not kept(few, trace_id).decision.is_sampled() or kept(many, trace_id).decision.is_sampled()


@pytest.mark.parametrize("sampled", [True, False])
def test_a_trace_from_elsewhere_keeps_its_decision_and_its_chance(sampled: bool) -> None:
    state = TraceState([("ot", "th:8")])
    parent = SpanContext(1, 1, True, TraceFlags(TraceFlags.SAMPLED if sampled else 0), state)
    result = kept(HeadSampler(0.01), 1, set_span_in_context(NonRecordingSpan(parent), Context()))
    assert result.decision.is_sampled() is sampled
    assert result.trace_state == state


def test_no_share_keeps_all_and_claims_nothing() -> None:
    result = kept(HeadSampler(None), 0)
    assert result.decision.is_sampled()
    assert not result.trace_state
    assert not kept(HeadSampler(0), (1 << 128) - 1).decision.is_sampled()


def test_the_provider_is_told_nothing_of_a_call_that_is_not_kept_either() -> None:
    tracer = TracerProvider(sampler=HeadSampler(0), shutdown_on_exit=False).get_tracer("test")
    propagator = DiscreetPropagator(propagate.get_global_textmap())
    carrier: dict[str, str] = {}
    with tracer.start_as_current_span("chat", Context(), attributes={"gen_ai.operation.name": "chat"}) as call:
        assert not call.is_recording()
        with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT, attributes={"http.request.method": "POST"}):
            propagator.inject(carrier)
        assert not carrier
    with tracer.start_as_current_span("work", Context()):
        propagator.inject(carrier)
    assert not int(carrier["traceparent"][-2:], 16) & TraceFlags.SAMPLED


def test_the_request_of_a_model_s_call_has_no_span_and_carries_nothing() -> None:
    tracer = TracerProvider(sampler=HeadSampler(None), shutdown_on_exit=False).get_tracer("test")
    propagator = DiscreetPropagator(propagate.get_global_textmap())
    http = {"http.request.method": "POST"}
    with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
        with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT, attributes=http) as request:
            assert not request.is_recording()
            carrier: dict[str, str] = {}
            propagator.inject(carrier)
            assert not carrier
        propagator.inject(carrier)
        assert not carrier
        assert tracer.start_span("work", attributes=http).is_recording()
    with tracer.start_as_current_span("tool"), tracer.start_as_current_span("POST", kind=SpanKind.CLIENT, attributes=http) as request:
        assert request.is_recording()
        propagator.inject(carrier)
        assert int(carrier["traceparent"][-2:], 16) & TraceFlags.SAMPLED


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
def test_a_provider_that_is_joined_tells_nothing_of_a_call_either_kept_or_not(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tracer, "start_span", Tracer.start_span)
    know_calls_that_are_left_out()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(ContextOnSpans())
    client, http = (provider.get_tracer(f"opentelemetry.instrumentation.{name}") for name in ("groq", "urllib"))
    propagator = DiscreetPropagator(propagate.get_global_textmap())
    carrier: dict[str, str] = {}
    for call in (client.start_span("groq"), http.start_span("own", attributes={"openinference.span.kind": "LLM"})):
        with (
            use_span(call),
            http.start_as_current_span("GET", kind=SpanKind.CLIENT),
            http.start_as_current_span("GET", kind=SpanKind.CLIENT),
        ):
            propagator.inject(carrier)
    assert not carrier
    with http.start_as_current_span("GET", kind=SpanKind.CLIENT):
        propagator.inject(carrier)
    assert carrier
