"""The load generator says the truth: checked against a sink that keeps every byte."""

from __future__ import annotations

import array
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from benchmarks.load import sender


class Sink:
    """Takes OTLP over HTTP and gRPC, keeps the bodies it acknowledged, refuses every `refuse_every`-th request and breaks others."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.refuse_every = self.break_every = self.reject = 0
        self._requests = 0
        self._lock = threading.Lock()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                verdict = sink.judge(body)
                if verdict == "break":
                    self.close_connection = True
                    return
                reply = sink.reply() if verdict == "take" else b"full"
                self.send_response(200 if verdict == "take" else 503)
                self.send_header("Retry-After", "0.02")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.http_port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self._grpc = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", 1 << 28)])
        method = grpc.unary_unary_rpc_method_handler(self._export)
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": method}),))
        self.grpc_port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()

    def judge(self, body: bytes) -> str:
        with self._lock:
            self._requests += 1
            if self.break_every and self._requests % self.break_every == 0:
                return "break"
            if self.refuse_every and self._requests % self.refuse_every == 0:
                return "refuse"
            self.bodies.append(body)
            return "take"

    def reply(self) -> bytes:
        answer = ExportTraceServiceResponse()
        if self.reject:
            answer.partial_success.rejected_spans = self.reject
            answer.partial_success.error_message = "x" * 200
        return answer.SerializeToString()

    def _export(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        if self.judge(body) != "take":
            context.abort(grpc.StatusCode.UNAVAILABLE, "full")
        return self.reply()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._grpc.stop(0)


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


def _spans(body: bytes) -> Iterator[tuple[str, str, str, int]]:
    if body.startswith(b"{"):
        for resource in orjson.loads(body)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    yield span["traceId"], span["spanId"], span.get("parentSpanId", ""), int(span["endTimeUnixNano"])
        return
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.end_time_unix_nano


@pytest.mark.parametrize(("shape", "proto"), [("full", "http"), ("full", "grpc"), ("small", "http"), ("small", "grpc"), ("json", "http")])
def test_every_id_is_new_and_known_and_every_time_is_now(sink: Sink, tmp_path: Path, shape: sender.Shape, proto: str) -> None:
    sink.refuse_every, sink.break_every = 7, 11 if proto == "http" else 0
    corpus = sender.prepare(shape, 4)
    port = sink.http_port if proto == "http" else sink.grpc_port
    with sender.Sending(
        corpus,
        port,
        proto=proto,
        seconds=30,
        requests=60,
        acknowledged=tmp_path / "acknowledged",  # type: ignore[arg-type]
    ) as load:
        said = load.result()
    assert said["requests"] == 60 == len(sink.bodies)
    assert said["resent"] > 0
    spans = [span for body in sink.bodies for span in _spans(body)]
    assert said["spans"] == len(spans)
    assert said["unanswered_spans"] == said["refused_requests"] == 0
    assert set(Counter(span_id for _, span_id, _, _ in spans).values()) == {1}
    numbers = array.array("Q", (tmp_path / "acknowledged").read_bytes()).tolist()
    assert sorted(numbers) == list(range(60))
    assert {one for number in numbers for one in corpus.span_ids(load.seed, number)} == {span_id for _, span_id, _, _ in spans}
    assert {one for number in numbers for one in corpus.trace_ids(load.seed, number)} == {trace_id for trace_id, _, _, _ in spans}
    assert all(abs(time.time_ns() - end) < 60e9 for _, _, _, end in spans)
    if shape == "full":
        ids = {span_id for _, span_id, _, _ in spans}
        assert all(parent in ids for _, _, parent, _ in spans if parent)
        assert len({span[0] for span in spans}) * 8 == len(spans)


def test_spans_the_server_rejects_are_not_counted_as_acknowledged(sink: Sink) -> None:
    sink.reject = 300
    corpus = sender.prepare("full", 4)
    for proto, port in (("http", sink.http_port), ("grpc", sink.grpc_port)):
        with sender.Sending(corpus, port, proto=proto, seconds=30, requests=5) as load:  # type: ignore[arg-type]
            said = load.result()
        assert said["rejected_spans"] == 5 * 300
        assert said["spans"] == 5 * (512 - 300)


def test_a_stated_rate_is_kept(sink: Sink) -> None:
    corpus = sender.prepare("small", 4)
    with sender.Sending(corpus, sink.http_port, seconds=2, rate=500, connections=8) as load:
        said = load.result()
    assert 900 <= said["spans"] <= 1100


def test_nobody_there_is_said_and_ends_in_time() -> None:
    corpus = sender.prepare("small", 4)
    with sender.Sending(corpus, 9, seconds=0.5, grace=0.5) as load:
        said = load.result()
    assert said["requests"] == said["spans"] == 0
    assert said["unanswered_requests"] == 4
    assert "refused" in said["first_error"]
