"""A trace told as OTLP/JSON is what was sent, each span once; a span says which attribute fed which column."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asking import Asked, open_asked
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from observatory.model.signal import Signal
from observatory.otlp import json as otlp_json
from observatory.testing.spans import Maker


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


@pytest.mark.parametrize("cut", [False, True])
async def test_what_was_sent_comes_back(asked: Asked, cut: bool):
    make = Maker(3)
    sent = make.trace(700, error="no")  # several pieces
    await asked.store(sent, cut=cut)
    await asked.store(make.spans(*sent.all_spans[:9], service="twice"))  # sent again by another way: each span once, as it came first
    (trace_id,) = sent.trace_ids
    said = await asked.get(f"/api/v1/traces/{trace_id.hex()}/otlp")
    back = ExportTraceServiceRequest.FromString(otlp_json.to_protobuf(Signal.SPANS, json.dumps(said).encode()))
    spans = [span for resource in back.resource_spans for scope in resource.scope_spans for span in scope.spans]
    by_id = {span.span_id: span for span in sent.all_spans}
    assert len(spans) == 700
    for span in spans:
        was = by_id[span.span_id]
        if was.status == Status():  # whether an empty status was there or missing is not stored
            was.ClearField("status")
        assert span == was
    request = ExportTraceServiceRequest.FromString(sent.protobuf)
    assert back.resource_spans[0].resource == request.resource_spans[0].resource
    assert back.resource_spans[0].scope_spans[0].scope == request.resource_spans[0].scope_spans[0].scope


async def test_an_unknown_trace_is_not_found(asked: Asked):
    assert (await asked.get(f"/api/v1/traces/{'ab' * 16}/otlp", 404))["error"]["code"] == "not_found"


async def test_a_span_says_what_fed_its_columns(asked: Asked):
    make = Maker(4)
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": "no number",  # not usable: the next key has its turn
        "gen_ai.usage.prompt_tokens": 12,
        "llm.token_count.prompt": 13,
    }
    span = make.span("chat", attributes=attributes)
    await asked.store(make.spans(span, service="shop"))
    said = await asked.get(f"/api/v1/traces/{span.trace_id.hex()}/spans/{span.span_id.hex()}")
    assert said["input_tokens"] == 12
    assert said["origins"]["input_tokens"] == {"where": "span", "key": "gen_ai.usage.prompt_tokens", "also": ["llm.token_count.prompt"]}
    assert said["origins"]["service_name"] == {"where": "resource", "key": "service.name"}
    assert said["origins"]["operation"]["key"] == "gen_ai.operation.name"
    assert set(said["origins"]) <= set(said) | {"ttft_ns"}
