from __future__ import annotations

import contextlib
import gzip
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from child import questions
from google.rpc.status_pb2 import Status

from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker

GOOD = Maker(seed=1).trace().protobuf
PROTOBUF = "application/x-protobuf"

# what is sent, and what the answer's message must name
BAD = [
    ("cut short", PROTOBUF, None, GOOD[:-5], 400, "byte"),
    ("random bytes", PROTOBUF, None, b"\xff" * 100, 400, "byte"),
    ("not gzip", PROTOBUF, "gzip", GOOD, 400, "gzip"),
    ("gzip cut short", PROTOBUF, "gzip", gzip.compress(GOOD)[:-9], 400, "gzip"),
    ("gzip with something behind", PROTOBUF, "gzip", gzip.compress(GOOD) + b"more", 400, "gzip"),
    ("unknown encoding", PROTOBUF, "br", GOOD, 415, "br"),
    ("unknown type", "text/plain", None, GOOD, 415, "text/plain"),
    ("no JSON", "application/json", None, b'{"resourceSpans": [', 400, ""),
    ("JSON of another shape", "application/json", None, b'{"resourceSpans": {"scopeSpans": 1}}', 400, "resourceSpans"),
    ("a time that is no number", "application/json", None,
     b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"soon"}]}]}]}', 400,
     "resourceSpans[0].scopeSpans[0].spans[0].startTimeUnixNano"),
    ("a zip bomb", PROTOBUF, "gzip", gzip.compress(bytes(200 << 20)), 413, "67,108,864 bytes"),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("malformed") / "data") as running:
        yield running
        assert running.running
        assert "Traceback" not in running.stderr


@pytest.mark.parametrize(("content_type", "encoding", "body", "status", "names"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_malformed_request_gets_an_answer_that_says_where(
    server: ServerProcess, content_type: str, encoding: str | None, body: bytes, status: int, names: str
) -> None:
    connection = http.client.HTTPConnection(server.addresses["otlp_http"], timeout=30)
    headers = {"Content-Type": content_type, **({"Content-Encoding": encoding} if encoding else {})}
    connection.request("POST", "/v1/traces", body, headers)
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == status
    if content_type == PROTOBUF:
        assert answer.headers["Content-Type"] == PROTOBUF
        message = Status.FromString(said).message
    else:
        message = said.decode()
    assert names in message
    assert message.strip()
    connection.close()
    _still_takes(server)


def test_grpc_says_where_too(server: ServerProcess) -> None:
    with grpc.insecure_channel(server.otlp_grpc) as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        with pytest.raises(grpc.RpcError) as error:
            export(GOOD[:-5], timeout=10)
        assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
        assert "byte" in error.value.details()  # type: ignore[attr-defined]
    _still_takes(server)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/traces HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"\0" * 70000,
    ],
    ids=["odd version", "TLS", "negative length", "zeros"],
)
@pytest.mark.parametrize("door", ["listen", "otlp_http", "otlp_grpc"])
def test_bytes_of_no_protocol_harm_nobody(server: ServerProcess, raw: bytes, door: str) -> None:
    host, _, port = server.addresses[door].rpartition(":")
    # it may hang up as soon as it has seen enough
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    _still_takes(server)


def _still_takes(server: ServerProcess) -> None:
    payload = Maker(seed=None).trace()
    connection = http.client.HTTPConnection(server.addresses["otlp_http"], timeout=30)
    connection.request("POST", "/v1/traces", payload.protobuf, {"Content-Type": PROTOBUF})
    assert connection.getresponse().status == 200
    connection.close()
    asked = questions(server)
    assert asked.get(f"/api/v1/traces/{payload.all_spans[0].trace_id.hex()}")["span_count"] == len(payload.all_spans)
    asked.close()


def test_nothing_of_the_malformed_was_stored(server: ServerProcess, tmp_path: Path) -> None:
    names = questions(server).sql("select distinct name from spans where trace_id = '" + "0" * 32 + "'")
    assert names == []
