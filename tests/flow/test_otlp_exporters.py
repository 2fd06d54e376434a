"""The exporters that people use, as they come: OpenTelemetry's Python SDK and Node SDK, every signal over every transport they have."""

from __future__ import annotations

import asyncio
import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from house import House, until
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from observatory.model.signal import Signal

NODE = Path(__file__).parent / "node"


def python_program(door: str, address: str, compression: str) -> str:
    """What a program with the SDK does, start to end; returns its trace id."""
    module = {"http": "opentelemetry.exporter.otlp.proto.http", "grpc": "opentelemetry.exporter.otlp.proto.grpc"}[door]

    def exporter(part: str, name: str, path: str) -> Any:
        made = getattr(importlib.import_module(f"{module}.{part}"), name)
        if door == "http":
            kind = importlib.import_module(module).Compression(compression)
            return made(endpoint=f"http://{address}/v1/{path}", compression=kind)
        import grpc

        return made(
            endpoint=address, insecure=True, compression=grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
        )

    resource = Resource.create({"service.name": f"python-{door}", "deployment.environment.name": "test"})
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(exporter("trace_exporter", "OTLPSpanExporter", "traces")))
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(exporter("_log_exporter", "OTLPLogExporter", "logs")))
    meters = MeterProvider(
        resource=resource,
        metric_readers=[PeriodicExportingMetricReader(exporter("metric_exporter", "OTLPMetricExporter", "metrics"), 3_600_000)],
    )

    logger = loggers.get_logger("program")
    counter = meters.get_meter("program").create_counter("calls")
    tracer = tracers.get_tracer("program", "1")
    with tracer.start_as_current_span("GET /ask", kind=SpanKind.SERVER) as root:
        with tracer.start_as_current_span("chat", kind=SpanKind.CLIENT) as chat:
            chat.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "anthropic",
                    "gen_ai.request.model": "claude",
                    "gen_ai.usage.input_tokens": 1234,
                    "gen_ai.response.finish_reasons": ["stop"],
                    "ratio": 0.5,
                }
            )
            chat.add_event("first token", {"index": 0})
            logger.emit(body="slow: ü🙂", severity_number=SeverityNumber.WARN, severity_text="WARN")
            counter.add(2, {"model": "claude"})
        with tracer.start_as_current_span("tool") as tool:
            tool.set_status(StatusCode.ERROR, "no such article")
            tool.record_exception(ValueError("no such article"))
    for provider in (tracers, loggers, meters):
        provider.shutdown()
    return f"{root.get_span_context().trace_id:032x}"


@pytest.mark.parametrize(
    ("door", "compression"), [("http", "none"), ("http", "gzip"), ("http", "deflate"), ("grpc", "none"), ("grpc", "gzip")]
)
async def test_python(house: House, door: str, compression: str):
    trace_id = await asyncio.to_thread(python_program, door, house.app.addresses[f"otlp_{door}"], compression)
    spans = {row["name"]: row for row in await house.stored(3)}
    assert {row["trace_id"].hex() for row in spans.values()} == {trace_id}
    assert {row["service_name"] for row in spans.values()} == {f"python-{door}"}
    chat, root, tool = spans["chat"], spans["GET /ask"], spans["tool"]
    assert chat["parent_span_id"] == tool["parent_span_id"] == root["span_id"]
    assert (chat["provider"], chat["request_model"], chat["input_tokens"], chat["kind"]) == ("anthropic", "claude", 1234, 3)
    assert chat["attributes"]["ratio"] == ("d", "0.5")
    assert [event["name"] for event in chat["events"]] == ["first token"]
    assert (tool["status_code"], tool["status_message"], tool["events"][0]["name"]) == (2, "no such article", "exception")
    (log,) = await house.stored(1, Signal.LOGS)
    assert (log["body"], log["severity_text"], log["span_id"]) == ("slow: ü🙂", "WARN", chat["span_id"])
    (point,) = await house.stored(1, Signal.METRIC_POINTS)
    assert (point["name"], point["int_value"], point["attributes"]) == ("calls", 2, {"model": ("s", "claude")})


async def node_program(door: str, address: str, compression: str) -> dict[str, Any]:
    node = shutil.which("node")
    assert node is not None, "node is not installed: these tests need it (Debian: apt-get install nodejs)"
    assert (NODE / "node_modules").is_dir(), "the Node exporters are not installed: run `make setup`"
    url = address if door == "grpc" else f"http://{address}"
    child = await asyncio.create_subprocess_exec(
        node, str(NODE / "export.mjs"), door, f"http://{url}" if door == "grpc" else url, compression, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 0
    return json.loads(out)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("door", ["json", "proto", "grpc"])
async def test_node(house: House, door: str, compression: str):
    said = await node_program(door, house.app.addresses["otlp_grpc" if door == "grpc" else "otlp_http"], compression)
    assert (said["traces"], said["logs"], said["metrics"]) == ("SUCCESS", "SUCCESS", "SUCCESS")
    spans = await house.stored(3)
    assert {row["trace_id"].hex() for row in spans} == {said["traceId"]}
    assert {row["span_id"].hex() for row in spans} == set(said["spanIds"])
    named = {row["name"]: row for row in spans}
    root, chat, tool = named["GET /ask"], named["chat gpt-4.1-mini"], named["execute_tool lookup"]
    assert root["attributes"]["big"] == ("i", "9007199254740991")
    assert root["attributes"]["ratio"] == ("d", "0.5")
    assert (chat["request_model"], chat["input_tokens"], chat["parent_span_id"]) == ("gpt-4.1-mini", 1234, root["span_id"])
    assert "Größe? 🙂" in chat["attributes"]["gen_ai.input.messages"][1]
    assert [link["span_id"] for link in chat["links"]] == [root["span_id"]]
    assert (tool["status_code"], tool["events"][0]["name"]) == (2, "exception")
    plain, nested = sorted(await house.stored(2, Signal.LOGS), key=lambda row: row["body_type"], reverse=True)
    assert (plain["body"], plain["span_id"]) == ("plain", root["span_id"])
    assert (nested["event_name"], nested["body"]) == ("gen_ai.choice", '{"nested":[1,"two",null]}')
    points = {row["name"]: row for row in await house.stored(2, Signal.METRIC_POINTS)}
    assert (points["calls"]["kind"], points["seconds"]["count"]) == ("sum", 1)


async def test_python_exporters_wait_and_resend_when_told_to(house: House, monkeypatch: pytest.MonkeyPatch):
    """A full disk answers 503 and UNAVAILABLE; the real exporters send again by themselves, and nothing is lost or doubled."""
    full: str | None = "the disk is full"
    monkeypatch.setattr(house.app.pipeline.journal, "probe", lambda: full)
    house.app.pipeline.ingest.refuse(full)
    doors = [(door, house.app.addresses[f"otlp_{door}"]) for door in ("http", "grpc")]
    programs = [asyncio.create_task(asyncio.to_thread(python_program, door, address, "gzip")) for door, address in doors]
    await until(lambda: house.metric("observatory_ingest_requests_total", outcome="refused") >= 3)
    full = None  # the appliance looks four times a second and takes exports again by itself
    await asyncio.gather(*programs)
    await house.stored(6)
    await house.stored(2, Signal.LOGS)
    await house.stored(2, Signal.METRIC_POINTS)
    assert house.metric("observatory_otlp_http_requests_total", signal="spans", status="503") >= 1
    assert house.metric("observatory_otlp_grpc_requests_total", signal="spans", status="UNAVAILABLE") >= 1
