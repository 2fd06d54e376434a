"""What OTLP asks of a receiver, case by case, against the real doors and the real journal."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house, until
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from observatory.model.signal import BY_OTLP, Signal
from observatory.testing.clients import CONTENT_TYPES, PATHS, HttpClient, compress
from observatory.testing.spans import Maker, Payload

MIB = 1024 * 1024
INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAUTHENTICATED = 3, 8, 12, 16

signals = pytest.mark.parametrize("signal", BY_OTLP)
encodings = pytest.mark.parametrize("encoding", ["protobuf", "json"])


def payload_of(signal: Signal) -> Payload:
    make = Maker()
    return {Signal.SPANS: make.trace(), Signal.LOGS: make.logs("a", {"b": 1}), Signal.METRIC_POINTS: make.metrics(3)}[signal]


ROWS = {Signal.SPANS: 8, Signal.LOGS: 2, Signal.METRIC_POINTS: 3}


def span_json(**fields: Any) -> bytes:
    span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "x", **fields}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


async def stored_json(house: House, **fields: Any) -> dict[str, Any]:
    answer = await house.http.send(Signal.SPANS, span_json(**fields), "json")
    assert (answer.status, answer.partial) == (200, False), answer
    return (await house.stored(1))[0]


def attribute(value: dict[str, Any]) -> dict[str, Any]:
    return {"attributes": [{"key": "it", "value": value}]}


@signals
async def test_01_binary_is_taken(house: House, signal: Signal):
    answer = await house.http.export(payload_of(signal))
    assert (answer.status, answer.partial, answer.body) == (200, False, b"")
    await house.stored(ROWS[signal], signal)


@signals
async def test_01_binary_over_grpc_is_taken(house: House, signal: Signal):
    answer = await house.grpc.export(payload_of(signal))
    assert (answer.status, answer.partial, answer.body) == ("OK", False, b"")
    await house.stored(ROWS[signal], signal)


@signals
async def test_02_json_is_taken_and_means_the_same_as_binary(house: House, signal: Signal, tmp_path: Path):
    payload = payload_of(signal)
    answer = await house.http.export(payload, "json")
    assert (answer.status, answer.partial, json.loads(answer.body)) == (200, False, {})
    async with open_house(tmp_path / "other") as other:
        await other.http.export(payload)
        binary = await other.stored(ROWS[signal], signal)
    assert [row | {"received_at": 0} for row in await house.stored(ROWS[signal], signal)] == [row | {"received_at": 0} for row in binary]


@signals
@encodings
@pytest.mark.parametrize("compression", ["gzip", "zstd", "deflate", "raw-deflate"])
async def test_03_compressed_is_taken(house: House, signal: Signal, encoding: Any, compression: Any):
    assert (await house.http.export(payload_of(signal), encoding, compression)).status == 200
    await house.stored(ROWS[signal], signal)


@encodings
@pytest.mark.parametrize("compression", ["gzip", "zstd", "deflate"])
async def test_03_compressed_and_large_is_taken(house: House, encoding: Any, compression: Any):
    assert (await house.http.export(Maker().flat(300, size=5000), encoding, compression)).status == 200
    await house.stored(300)


@encodings
@pytest.mark.parametrize("encoded_as", ["gzip", "zstd", "deflate"])
async def test_04_what_is_not_what_its_encoding_says_is_400(house: House, encoding: Any, encoded_as: str):
    answer = await house.http.send(Signal.SPANS, b"\x0b not compressed", encoding, content_encoding=encoded_as)
    assert (answer.status, answer.error and answer.error.code) == (400, INVALID_ARGUMENT)
    assert f"cannot decompress {encoded_as}" in answer.message
    assert not answer.retryable


@pytest.mark.parametrize("door", ["http", "grpc"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "deflate"])
async def test_05_a_bomb_is_refused_with_bounded_memory(tmp_path: Path, door: str, compression: Any):
    if door == "grpc" and compression == "zstd":
        return  # grpcio's client does not send it
    bomb = bytes(256 * MIB)
    async with open_house(tmp_path, receivers={"max_request_bytes": 4 * MIB}) as house:
        if door == "http":
            packed = compress(compression, bomb)
            assert len(packed) < 2 * MIB
            before = high_water_mib(start_again=True)
            headers = {"Content-Type": CONTENT_TYPES["protobuf"], "Content-Encoding": compression}
            answer = await house.http.request("POST", "/v1/traces", packed, headers)
            assert answer.status == 413
            # over gRPC the client copies the bomb in this same process; test_body measures the code both share in a process of its own
            assert high_water_mib() - before < 30
        else:
            answer = await house.grpc.send(Signal.SPANS, bomb, compression)
            assert answer.status == "RESOURCE_EXHAUSTED"
        assert not answer.retryable
        assert answer.error is not None and answer.error.code == RESOURCE_EXHAUSTED
        assert "4,194,304 bytes" in answer.message


def high_water_mib(start_again: bool = False) -> float:
    if start_again:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@encodings
@pytest.mark.parametrize("chunked", [False, True])
async def test_06_over_the_limit_is_413(tmp_path: Path, encoding: Any, chunked: bool):
    async def chunks() -> Any:
        for _ in range(3):
            yield bytes(MIB)

    async with open_house(tmp_path, receivers={"max_request_bytes": 2 * MIB}) as house:
        headers = {"Content-Type": CONTENT_TYPES[encoding]}
        answer = await house.http.request("POST", "/v1/traces", chunks() if chunked else bytes(3 * MIB), headers)
        assert (answer.status, answer.error and answer.error.code) == (413, RESOURCE_EXHAUSTED)
        assert "2,097,152 bytes" in answer.message
        assert answer.retry_after_s is None and answer.retry_info_s is None
        assert (await house.http.export(Maker().trace(), encoding)).ok  # the next one is not harmed


@pytest.mark.parametrize("compression", ["identity", "gzip"])
async def test_06_json_has_a_limit_of_its_own(tmp_path: Path, compression: Any):
    async with open_house(tmp_path, receivers={"max_json_bytes": MIB}) as house:
        large = Maker().flat(100, size=12_000)
        answer = await house.http.export(large, "json", compression)
        assert (answer.status, answer.headers["content-type"]) == (413, CONTENT_TYPES["json"])
        assert "1,048,576 bytes" in answer.message
        assert (await house.http.export(large, "protobuf", compression)).ok


async def test_07_grpc_over_the_limit_is_resource_exhausted_without_retry_info(tmp_path: Path):
    async with open_house(tmp_path, receivers={"max_request_bytes": 2 * MIB}) as house:
        answer = await house.grpc.send(Signal.SPANS, bytes(3 * MIB))
        assert answer.status == "RESOURCE_EXHAUSTED"
        assert answer.retry_info_s is None and not answer.retryable
        assert (await house.grpc.export(Maker().flat(100, size=10_000))).ok
        await house.stored(100)


@signals
@pytest.mark.parametrize("compression", ["gzip", "deflate"])
async def test_08_grpc_compressed_is_taken(house: House, signal: Signal, compression: Any):
    assert (await house.grpc.export(payload_of(signal), compression)).ok
    await house.stored(ROWS[signal], signal)


async def test_08_grpc_gzip_that_is_damaged_is_invalid_argument(house: House):
    answer = await house.grpc.send(Signal.SPANS, b"\x1f\x8b and then nothing like it")
    assert answer.status == "INVALID_ARGUMENT"
    assert "cannot decompress gzip" in answer.message


@signals
async def test_09_an_empty_request_is_taken(house: House, signal: Signal):
    for answer in (
        await house.http.send(signal, b""),
        await house.http.send(signal, b"{}", "json"),
        await house.grpc.send(signal, b""),
    ):
        assert answer.ok and not answer.partial and answer.message == ""


async def test_10_envelopes_without_spans_are_taken(house: House):
    empty = Maker().spans()
    empty.message.resource_spans.extend([ResourceSpans(), ResourceSpans(scope_spans=[ScopeSpans()])])
    for answer in (await house.http.export(empty), await house.http.export(empty, "json"), await house.grpc.export(empty)):
        assert answer.ok and not answer.partial
    assert (await house.http.export(Maker().trace())).ok
    await house.stored(8)


@signals
async def test_11_truncated_protobuf_is_400_with_a_status_in_protobuf(house: House, signal: Signal):
    body = payload_of(signal).protobuf[:-3]
    answer = await house.http.send(signal, body)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/x-protobuf")
    assert answer.error is not None and answer.error.code == INVALID_ARGUMENT
    assert "cannot decode" in answer.message
    over_grpc = await house.grpc.send(signal, body)
    assert over_grpc.status == "INVALID_ARGUMENT"
    assert over_grpc.message == answer.message
    assert over_grpc.error is not None and over_grpc.error.code == INVALID_ARGUMENT


@signals
@pytest.mark.parametrize(
    "body", [b'{"resourceSpans": [', b"[]", b"", b'"text"', b"\xff\xfe", b'{"resourceSpans": {}, "resourceLogs": 1, "resourceMetrics": 2}']
)
async def test_12_bad_json_is_400_with_a_status_in_json(house: House, signal: Signal, body: bytes):
    answer = await house.http.send(signal, body, "json")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    said = json.loads(answer.body)
    assert said["code"] == INVALID_ARGUMENT and said["message"]


async def test_13_unknown_json_fields_are_ignored(house: House):
    row = await stored_json(house, futureField={"a": [1, {"b": None}]}, name="kept")
    assert row["name"] == "kept"


async def test_14_snake_case_is_unknown(house: House):
    row = await stored_json(house, start_time_unix_nano="5", startTimeUnixNano="7", parent_span_id="b7ad6b7169203332")
    assert (row["start_ns"], row["parent_span_id"]) == (7, None)


@pytest.mark.parametrize("spelling", [str.upper, str.lower, str.swapcase])
async def test_15_ids_are_hex_in_any_case(house: House, spelling: Any):
    row = await stored_json(house, traceId=spelling("0af7651916CD43dd8448eb211c80319c"), parentSpanId=spelling("b7AD6b7169203332"))
    assert (row["trace_id"].hex(), row["parent_span_id"].hex()) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203332")


@pytest.mark.parametrize("field", ["traceId", "spanId", "parentSpanId"])
async def test_16_base64_ids_are_rejected(house: House, field: str):
    answer = await house.http.send(Signal.SPANS, span_json(**{field: "CvdlGRbNQ92ESOshHIAxnA=="}), "json")
    assert answer.status == 400
    assert f"resourceSpans[0].scopeSpans[0].spans[0].{field}" in answer.message


@pytest.mark.parametrize("fields", [{"kind": "SPAN_KIND_SERVER"}, {"status": {"code": "STATUS_CODE_ERROR"}}])
async def test_17_enums_by_name_are_rejected(house: House, fields: dict[str, Any]):
    assert (await house.http.send(Signal.SPANS, span_json(**fields), "json")).status == 400


@pytest.mark.parametrize("value", ["-9007199254740993", -9007199254740993, "9223372036854775807", 9223372036854775807, "0", 0])
async def test_18_int64_is_text_or_number(house: House, value: str | int):
    row = await stored_json(house, **attribute({"intValue": value}))
    assert row["attributes"]["it"] == ("i", str(value))


@pytest.mark.parametrize("value", [9007199254740993, 1_800_000_000_123_456_789, 2**64 - 1])
@pytest.mark.parametrize("kind", [str, int])
async def test_19_large_times_are_exact(house: House, value: int, kind: Any):
    row = await stored_json(house, startTimeUnixNano=kind(value), endTimeUnixNano=kind(value))
    assert row["start_ns"] % 2**64 == value


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", 0.1, "0.1", 1e300, 5])
async def test_20_doubles_may_be_words(house: House, value: Any):
    row = await stored_json(house, **attribute({"doubleValue": value}))
    said = str(value) if isinstance(value, str) else repr(float(value))
    assert row["attributes"]["it"] == ("d", said)


async def test_21_bytes_are_base64(house: House):
    row = await stored_json(house, **attribute({"bytesValue": "AP8Q/w=="}))
    assert row["attributes"]["it"] == ("y", "AP8Q/w==")


@encodings
async def test_22_values_may_be_nested_and_empty(house: House, encoding: Any):
    make = Maker()
    value = {"list": [1, "two", None, [3.5], b"\x00\xff"], "map": {"deep": {"er": True}}, "none": None}
    span = make.span(attributes={"it": value, "empty": None, "nothing": [], "no": {}})
    assert (await house.http.export(make.spans(span), encoding)).status == 200
    attributes = (await house.stored(1))[0]["attributes"]
    assert attributes["it"] == ("k", '{"list":[1,"two",null,[3.5],{"$bytes":"AP8="}],"map":{"deep":{"er":true}},"none":null}')
    assert (attributes["empty"], attributes["nothing"], attributes["no"]) == (("e", ""), ("a", "[]"), ("k", "{}"))


@encodings
@pytest.mark.parametrize(
    "bad",
    [
        {"trace_id": bytes(16)},
        {"trace_id": b"short"},
        {"span_id": bytes(8)},
        {"span_id": b"much too long"},
        {"trace_id": b""},
        {"parent": b"odd"},
    ],
)
async def test_23_bad_ids_are_rejected_and_counted(house: House, encoding: Any, bad: dict[str, bytes]):
    make = Maker()
    answer = await house.http.export(make.spans(make.span(**bad), make.span("good")), encoding)
    assert (answer.status, answer.partial, answer.rejected) == (200, True, 1)
    assert "span 0" in answer.message
    assert [row["name"] for row in await house.stored(1)] == ["good"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-protobuf-but-not-really", ""])
async def test_24_other_content_types_are_415(house: House, content_type: str):
    answer = await house.http.request("POST", "/v1/traces", b"x", {"Content-Type": content_type})
    assert answer.status == 415
    assert "application/x-protobuf or application/json" in answer.message


async def test_24_no_content_type_is_415(house: House):
    answer = await house.http.request("POST", "/v1/traces", b"x")
    assert answer.status == 415
    assert "no Content-Type" in answer.message


async def test_24_other_encodings_are_415(house: House):
    answer = await house.http.send(Signal.SPANS, b"x", content_encoding="br")
    assert answer.status == 415
    assert "gzip, zstd, deflate" in answer.message


@signals
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_25_other_methods_are_405(house: House, signal: Signal, method: str):
    answer = await house.http.request(method, PATHS[signal])
    assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")
    assert answer.error is not None and answer.error.code == UNIMPLEMENTED


async def test_25_other_paths_are_404_and_other_grpc_methods_unimplemented(house: House):
    answer = await house.http.request("POST", "/v1/trace", b"")
    assert answer.status == 404
    assert "/v1/traces" in answer.message
    over_grpc = await house.grpc.send(Signal.SPANS, b"", method="/opentelemetry.proto.collector.trace.v1.TraceService/Import")
    assert (over_grpc.status, over_grpc.retryable) == ("UNIMPLEMENTED", False)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;charset=UTF-8"])
async def test_26_charset_and_case_of_the_content_type_do_not_matter(house: House, content_type: str):
    assert (await house.http.send(Signal.SPANS, Maker().trace().json, content_type=content_type)).status == 200
    await house.stored(8)


@signals
@encodings
async def test_27_the_answer_has_the_content_type_of_the_request(house: House, signal: Signal, encoding: Any):
    for answer, status in (
        (await house.http.export(payload_of(signal), encoding), 200),
        (await house.http.send(signal, b"\xff", encoding), 400),
    ):
        assert (answer.status, answer.headers["content-type"]) == (status, CONTENT_TYPES[encoding])


def locked(directory: Path) -> AbstractAsyncContextManager[House]:
    return open_house(directory, receivers={"api_keys": ["sesame", "second"]})


@encodings
async def test_34_without_a_key_it_is_401(tmp_path: Path, encoding: Any):
    async with locked(tmp_path) as house:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"x_api_key": "wrong"}):
            answer = await house.http.export(Maker().trace(), encoding, **headers)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert answer.error is not None and answer.error.code == UNAUTHENTICATED
            assert not answer.retryable
        for headers in ({"authorization": "Bearer sesame"}, {"x_api_key": "second"}):
            assert (await house.http.export(Maker(seed=len(headers)).trace(), encoding, **headers)).ok


async def test_34_without_a_key_it_is_unauthenticated(tmp_path: Path):
    async with locked(tmp_path) as house:
        for metadata in ({}, {"authorization": "Bearer wrong"}, {"x-api-key": "wrong"}):
            answer = await house.grpc.send(Signal.SPANS, Maker().trace().protobuf, metadata=metadata)
            assert (answer.status, answer.retryable) == ("UNAUTHENTICATED", False)
            assert answer.error is not None and answer.error.code == UNAUTHENTICATED
        for metadata in ({"authorization": "Bearer second"}, {"x-api-key": "sesame"}):
            assert (await house.grpc.send(Signal.SPANS, b"", metadata=metadata)).ok


async def test_35_unknown_protobuf_fields_are_ignored(house: House):
    make = Maker()
    span = make.span("known")
    of_every_wire_type = b"\xc0\x3e\x05\xc1\x3e12345678\xc2\x3e\x03abc\xc5\x3e1234"  # field 1000
    stranger = Span.FromString(span.SerializeToString() + of_every_wire_type)
    assert stranger.SerializeToString() != span.SerializeToString()
    payload = make.spans(stranger)
    for body in (payload.protobuf + of_every_wire_type, of_every_wire_type + payload.protobuf):
        assert (await house.http.send(Signal.SPANS, body)).ok
        assert (await house.grpc.send(Signal.SPANS, body)).ok
    assert {row["name"] for row in await house.stored(2)} == {"known"}  # each body was sent twice and stored once


async def test_a_hundred_continue_is_sent_once_the_body_is_wanted(house: House):
    answer = await house.http.request(
        "POST", "/v1/traces", Maker().trace().protobuf, {"Content-Type": CONTENT_TYPES["protobuf"], "Expect": "100-continue"}
    )
    assert answer.status == 200
    await house.stored(8)


@pytest.mark.parametrize("origin", ["http://localhost:5173", "https://evil.example"])
async def test_browsers_learn_by_preflight_whether_a_page_may_export(house: House, origin: str):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = await house.http.request("OPTIONS", "/v1/traces", headers=asked)
    post = await house.http.send(Signal.SPANS, b"", origin=origin)
    allowed = origin if "localhost" in origin else None
    assert (preflight.status, preflight.headers.get("access-control-allow-origin")) == (204, allowed)
    assert (post.status, post.headers.get("access-control-allow-origin")) == (200 if allowed else 403, allowed)


async def test_a_client_that_hangs_up_in_the_middle_harms_nobody(house: House):
    port = int(house.http.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500
    )
    await writer.drain()
    await until(lambda: house.metric("observatory_receiver_in_flight_bytes"))
    writer.close()
    await until(lambda: not house.metric("observatory_receiver_in_flight_requests"))
    assert (await house.http.export(Maker().trace())).ok


async def test_a_body_that_does_not_come_is_given_up_and_may_be_sent_again(tmp_path: Path):
    async with open_house(tmp_path, receivers={"request_timeout_s": 0.05}) as house:
        port = int(house.http.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1\r\n" in head.lower()
        writer.close()


async def test_headers_reach_a_second_connection(house: House):
    async with HttpClient(house.http.url, {"X-Anything": "goes"}) as client:
        assert (await client.export(Maker().trace())).ok
