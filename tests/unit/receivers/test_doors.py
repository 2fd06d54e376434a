"""The doors without a house: a bug is not the client's fault, sentences fit, a port in use is said, stopping lets run what runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from hypothesis import given, strategies as st
from prometheus_client import CollectorRegistry

from observatory.contracts import Signal, Sink
from observatory.errors import CannotStart, Malformed, Rejected, Retryable, TooLarge, Unauthenticated, Unsupported
from observatory.receivers.admission import Admission
from observatory.receivers.config import ReceiversConfig
from observatory.receivers.grpc import OtlpGrpc
from observatory.receivers.http import OtlpHttp
from observatory.receivers.refusal import refusal
from observatory.testing.clients import METHODS, GrpcClient, HttpClient
from observatory.testing.clock import NOON, StepClock
from observatory.testing.sinks import ListSink, RefusingSink, SlowSink
from observatory.testing.spans import Maker

PAYLOAD = Maker(now=NOON).trace()


class Doors:
    def __init__(self, sink: Sink) -> None:
        config, self.registry = ReceiversConfig(), CollectorRegistry()
        self.admission = Admission(config, self.registry)
        self.http = OtlpHttp(sink, self.admission, config, self.registry, StepClock())
        self.grpc = OtlpGrpc(sink, self.admission, config, self.registry, StepClock())


@contextlib.asynccontextmanager
async def opened(sink: Sink) -> AsyncIterator[tuple[Doors, HttpClient, GrpcClient]]:
    doors = Doors(sink)
    _, http = await doors.http.start("127.0.0.1", 0)
    _, grpc = await doors.grpc.start("127.0.0.1", 0)
    try:
        async with HttpClient(f"http://127.0.0.1:{http}") as web, GrpcClient(f"127.0.0.1:{grpc}") as rpc:
            yield doors, web, rpc
    finally:
        await doors.http.stop()
        await doors.grpc.stop()


async def test_exports_arrive_as_bytes_with_the_clock_s_time_and_leave_nothing_behind():
    sink = ListSink()
    async with opened(sink) as (doors, web, rpc):
        for compression in ("identity", "gzip"):
            assert (await web.export(PAYLOAD, "protobuf", compression)).ok
            assert (await rpc.export(PAYLOAD, compression)).ok
        assert (await web.export(PAYLOAD, "json", "zstd")).ok
        assert (doors.admission.bytes, doors.admission.requests) == (0, 0)
    assert [(export.signal, export.received_at, export.project) for export in sink.exports] == [(Signal.SPANS, NOON, None)] * 5
    assert {export.body for export in sink.exports[:4]} == {PAYLOAD.protobuf}


@pytest.mark.parametrize(
    ("error", "http", "code"),
    [
        (Retryable("full", after=1.2), 503, "UNAVAILABLE"),
        (Malformed("bad"), 400, "INVALID_ARGUMENT"),
        (TooLarge("big"), 413, "RESOURCE_EXHAUSTED"),
        (Unsupported("what"), 415, "INVALID_ARGUMENT"),
        (Unauthenticated("who"), 401, "UNAUTHENTICATED"),
        (Rejected("no"), 400, "INVALID_ARGUMENT"),
        (ZeroDivisionError("a bug"), 503, "UNAVAILABLE"),
        (TimeoutError(), 503, "UNAVAILABLE"),
    ],
)
async def test_every_error_has_its_words_in_both_protocols_and_only_those_that_pass_are_retryable(error: Exception, http: int, code: str):
    async with opened(RefusingSink(error)) as (doors, web, rpc):
        over_http, json, over_grpc = await web.export(PAYLOAD), await web.export(PAYLOAD, "json"), await rpc.export(PAYLOAD)
        assert (over_http.status, json.status, over_grpc.status) == (http, http, code)
        assert over_http.retryable == json.retryable == over_grpc.retryable == (http == 503)
        assert over_http.error == json.error == over_grpc.error
        assert (over_http.retry_after_s is not None) == (http == 503)
        assert (doors.admission.bytes, doors.admission.requests) == (0, 0)
        labels = {"signal": "spans", "status": str(http)}
        assert doors.registry.get_sample_value("observatory_otlp_http_requests_total", labels) == 2


async def test_a_bug_is_logged_with_its_place_and_not_told_to_the_client(caplog: pytest.LogCaptureFixture):
    async with opened(RefusingSink(ZeroDivisionError("secret"))) as (_, web, _rpc):
        answer = await web.export(PAYLOAD)
    assert "secret" not in answer.message and "ZeroDivisionError" in answer.message
    assert "secret" in caplog.text and "Traceback" in caplog.text


@given(message=st.text(max_size=30) | st.builds(lambda part, times: part * times, st.text(min_size=1, max_size=3), st.integers(1, 3000)))
def test_a_refusal_s_sentence_fits_into_trailers(message: str):
    short = refusal(Malformed(message), 1).short()
    assert len(short.message.encode("utf-8", "replace")) <= 600
    assert len(short.status()) < 2000


async def test_a_very_long_sentence_reaches_grpc_clients_cut():
    async with opened(RefusingSink(Malformed("ü" * 100_000))) as (_, web, rpc):
        over_grpc, over_http = await rpc.export(PAYLOAD), await web.export(PAYLOAD)
    assert over_grpc.status == "INVALID_ARGUMENT"
    assert over_grpc.message.startswith("üüü") and over_grpc.message.endswith("…")
    assert over_http.status == 400 and len(over_http.body) < 4 << 20


@pytest.mark.parametrize("door", ["http", "grpc"])
async def test_a_port_in_use_is_one_clear_sentence(door: Any):
    async with opened(ListSink()) as (_, web, rpc):
        port = int((web.url if door == "http" else rpc.target).rpartition(":")[2])
        other = Doors(ListSink())
        with pytest.raises(CannotStart, match=rf"cannot listen on 127.0.0.1:{port} for OTLP/.*in use.*--otlp-{door}"):
            await (other.http if door == "http" else other.grpc).start("127.0.0.1", port)


@pytest.mark.parametrize("door", ["http", "grpc"])
async def test_an_address_of_another_machine_is_one_clear_sentence(door: Any):
    doors = Doors(ListSink())
    with pytest.raises(CannotStart, match=r"192\.0\.2\.1:4318.*no such address"):
        await (doors.http if door == "http" else doors.grpc).start("192.0.2.1", 4318)


async def test_stopping_answers_what_is_under_way_and_takes_nothing_new():
    sink = SlowSink()
    async with opened(sink) as (doors, web, rpc):
        over_http = asyncio.create_task(web.export(PAYLOAD))
        over_grpc = asyncio.create_task(rpc.export(PAYLOAD))
        async with asyncio.timeout(10):
            while sink.waiting < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        stopping = asyncio.gather(doors.http.stop(), doors.grpc.stop())
        async with asyncio.timeout(10):
            while True:
                try:
                    async with HttpClient(web.url) as late:
                        assert (await late.export(PAYLOAD)).retryable
                except OSError:
                    break
        sink.gate.set()
        assert (await over_http).ok and (await over_grpc).ok
        await stopping
        assert (await rpc.export(PAYLOAD)).status == "UNAVAILABLE"


async def test_a_call_without_a_message_is_malformed_and_leaves_nothing_behind(caplog: pytest.LogCaptureFixture):
    async def no_messages() -> AsyncIterator[bytes]:
        for never in ():
            yield never

    async with opened(ListSink()) as (doors, _, rpc), grpc.aio.insecure_channel(rpc.target) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.stream_unary(METHODS[Signal.SPANS])(no_messages())
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "the call ended without a message")
        assert (doors.admission.bytes, doors.admission.requests) == (0, 0)
    assert not caplog.records
