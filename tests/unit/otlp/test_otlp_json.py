"""OTLP/JSON becomes the protobuf message it stands for; conformance cases 13 to 22 of the specification; nothing crashes."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import random
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, given, settings, strategies as st
from otlp_messages import REQUESTS, captures, metric_requests, requests
from uncompiled import uncompiled

from observatory.errors import Malformed
from observatory.model.signal import BY_OTLP, Signal
from observatory.otlp import json as otlp_json, jsonwire
from observatory.otlp.decode import decoders

PLAIN = uncompiled(jsonwire)


@pytest.fixture(params=["installed", "plain"], autouse=True)
def writer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain":
        monkeypatch.setattr(otlp_json, "jsonwire", PLAIN)
        monkeypatch.setattr(otlp_json, "Wrong", PLAIN.Wrong)


def to_message(signal: Signal, body: bytes | str | Any) -> Any:
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    return REQUESTS[signal].FromString(otlp_json.to_protobuf(signal, body.encode() if isinstance(body, str) else body))


def as_json(message: Any) -> Any:
    """OTLP's dialect: ids in hex, enums as numbers."""

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(each) for each in value]
        if not isinstance(value, dict):
            return value
        ids = ("traceId", "spanId", "parentSpanId")
        return {key: base64.b64decode(each).hex() if key in ids else walk(each) for key, each in value.items()}

    return walk(MessageToDict(message, use_integers_for_enums=True))


def span(**fields: Any) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}


def first(message: Any) -> Any:
    return message.resource_spans[0].scope_spans[0].spans[0]


def attribute(value: Any) -> Any:
    return first(to_message(Signal.SPANS, span(attributes=[{"key": "k", "value": value}]))).attributes[0].value


def refused(body: Any, signal: Signal = Signal.SPANS) -> str:
    with pytest.raises(Malformed) as caught:
        to_message(signal, body)
    return str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), signal=st.sampled_from(BY_OTLP))
def test_random_messages(data: st.DataObject, signal: Signal) -> None:
    message = data.draw({**requests, Signal.METRIC_POINTS: metric_requests}[signal])
    assert repr(to_message(signal, as_json(message))) == repr(message)


@pytest.mark.parametrize("signal", BY_OTLP)
def test_recorded_json(signal: Signal) -> None:
    for path in captures(signal, "json"):
        body = path.read_bytes()
        decoded = decoders().of(signal)([otlp_json.to_protobuf(signal, body)], 0, [None])
        assert decoded.outcomes[0].error is None and decoded.outcomes[0].rejected == 0
        if signal is Signal.SPANS:
            sent = [each for rs in json.loads(body)["resourceSpans"] for ss in rs["scopeSpans"] for each in ss["spans"]]
            assert [row.as_py().hex() for row in decoded.rows.column("span_id")] == [each["spanId"] for each in sent]
            assert [len(row) for row in decoded.rows.column("attributes").to_pylist()] == [len(each.get("attributes", [])) for each in sent]


def test_13_unknown_fields_are_ignored() -> None:
    assert first(to_message(Signal.SPANS, span(name="x", nonsense={"a": [1]}))).name == "x"


def test_14_snake_case_is_unknown() -> None:
    assert first(to_message(Signal.SPANS, span(trace_id="00" * 16, start_time_unix_nano="5"))).start_time_unix_nano == 0


def test_15_hex_of_any_case() -> None:
    read = first(to_message(Signal.SPANS, span(traceId="0aBcDeF0" * 4, spanId="AB" * 8)))
    assert (read.trace_id, read.span_id) == (bytes.fromhex("0abcdef0" * 4), b"\xab" * 8)


@pytest.mark.parametrize("id_", ["q83vq83vq83vq83vq83vqw==", "xyz", "abc", "ab cd", "0x12", "aé", 12, [], True, {}])
def test_16_ids_that_are_not_hex_are_refused(id_: Any) -> None:
    assert refused(span(traceId=id_)).startswith("resourceSpans[0].scopeSpans[0].spans[0].traceId: expected hexadecimal digits, got ")


def test_ids_of_a_wrong_length_are_left_to_the_decoder() -> None:
    body = otlp_json.to_protobuf(Signal.SPANS, json.dumps(span(traceId="abcd", spanId="00" * 8)).encode())
    outcome = decoders().spans([body], 0, [None]).outcomes[0]
    assert (outcome.rejected, outcome.message) == (1, "span 0: trace_id must be 16 bytes and not all zero, got 2")


@pytest.mark.parametrize("kind", ["SPAN_KIND_SERVER", "2", 2.5, True, 2**31])
def test_17_enums_are_numbers(kind: Any) -> None:
    assert refused(span(kind=kind)).startswith("resourceSpans[0].scopeSpans[0].spans[0].kind: expected an enum's number, got ")


@pytest.mark.parametrize(("value", "meant"), [("-5", -5), (-5, -5), (str(2**63 - 1), 2**63 - 1), (-(2**63), -(2**63)), (7.0, 7), ("0", 0)])
def test_18_int64_as_text_and_as_number(value: Any, meant: int) -> None:
    assert attribute({"intValue": value}).int_value == meant


@pytest.mark.parametrize("value", [2**63, str(2**63), "1.5", 1.5, "", " 1", "1_0", "x", True, [], "9" * 5000, 10**400, "٣"])
def test_integers_that_are_none_are_refused(value: Any) -> None:
    path = "resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value.intValue"
    assert refused(span(attributes=[{"key": "k", "value": {"intValue": value}}])).startswith(
        f"{path}: expected a signed 64-bit integer, got"
    )


@pytest.mark.parametrize("nanos", [2**53 + 1, 2**63 + 1, 2**64 - 1])
@pytest.mark.parametrize("as_text", [False, True])
def test_19_fixed64_is_exact(nanos: int, as_text: bool) -> None:
    assert first(to_message(Signal.SPANS, span(startTimeUnixNano=str(nanos) if as_text else nanos))).start_time_unix_nano == nanos
    assert refused(span(endTimeUnixNano=nanos + 2**64))


@pytest.mark.parametrize(("text", "meant"), [("Infinity", math.inf), ("-Infinity", -math.inf), ("1.5", 1.5), (3, 3.0), (1e-300, 1e-300)])
def test_20_doubles(text: Any, meant: float) -> None:
    assert attribute({"doubleValue": text}).double_value == meant


def test_20_nan() -> None:
    assert math.isnan(attribute({"doubleValue": "NaN"}).double_value)
    assert "is not a number in JSON" in refused('{"resourceSpans": NaN}')


@pytest.mark.parametrize("value", ["nan", "inf", "1e", "", "0x1", True, {}, 10**400])
def test_doubles_that_are_none_are_refused(value: Any) -> None:
    assert "doubleValue: expected a number, got" in refused(span(attributes=[{"key": "k", "value": {"doubleValue": value}}]))


@pytest.mark.parametrize("text", ["+/8=", "-_8=", "-_8", "+/8"])
def test_21_bytes_are_base64(text: str) -> None:
    assert attribute({"bytesValue": text}).bytes_value == b"\xfb\xff"


@pytest.mark.parametrize("text", ["a", "a*b=", "é", 5, "YQ=a"])
def test_bytes_that_are_no_base64_are_refused(text: Any) -> None:
    assert "bytesValue: expected base64, got" in refused(span(attributes=[{"key": "k", "value": {"bytesValue": text}}]))


def test_22_nested_and_empty_values() -> None:
    read = attribute(
        {"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": [{"stringValue": ""}, {}, None]}}}, {"key": "b"}]}}
    )
    array = read.kvlist_value.values[0].value.array_value.values
    assert [each.WhichOneof("value") for each in array] == ["string_value", None, None]
    assert attribute({"arrayValue": {}}).WhichOneof("value") == "array_value"
    assert attribute({"stringValue": None, "intValue": 0}).WhichOneof("value") == "int_value"


def test_null_is_absent() -> None:
    assert to_message(Signal.SPANS, {"resourceSpans": None}) == REQUESTS[Signal.SPANS]()
    assert (
        first(to_message(Signal.SPANS, span(name=None, events=None, status=None, flags=None)))
        == type(first(to_message(Signal.SPANS, span())))()
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "the body: expected an object, got an array"),
        ("5", "the body: expected an object, got 5"),
        ("null", "the body: expected an object, got null"),
        ({"resourceSpans": {}}, "resourceSpans: expected an array, got an object"),
        ({"resourceSpans": [None]}, "resourceSpans[0]: expected an object, got null"),
        ({"resourceSpans": [{"scopeSpans": [{"spans": [1]}]}]}, "resourceSpans[0].scopeSpans[0].spans[0]: expected an object, got 1"),
        (span(name=5), "resourceSpans[0].scopeSpans[0].spans[0].name: expected a string, got 5"),
        (
            span(droppedEventsCount=-1),
            "resourceSpans[0].scopeSpans[0].spans[0].droppedEventsCount: expected an unsigned 32-bit integer, got -1",
        ),
        (
            span(attributes=[{"value": {"boolValue": 1}}]),
            "resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value.boolValue: expected true or false, got 1",
        ),
        (span(name=["x" * 100]), "resourceSpans[0].scopeSpans[0].spans[0].name: expected a string, got an array"),
    ],
)
def test_wrong_types_are_told_with_their_path(body: Any, message: str) -> None:
    assert refused(body) == message


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": }', b"\xff", b'{"resourceSpans": [}', b"{'a': 1}", b"\xef\xbb\xbf{}", b"[1,", b'"'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed, match="the body is not JSON"):
        otlp_json.to_protobuf(Signal.SPANS, body)


@pytest.mark.parametrize("opening", ['{"resourceSpans":', "[", '{"a":'])
@pytest.mark.parametrize("depth", [300, 5_000, 500_000])
def test_deep_nesting_is_refused_or_ignored(opening: str, depth: int) -> None:
    with contextlib.suppress(Malformed):
        otlp_json.to_protobuf(Signal.SPANS, (opening * depth).encode())


@pytest.mark.parametrize("depth", [60, 300, 3000])
def test_deep_values(depth: int) -> None:
    body = '{"arrayValue":{"values":[' * depth + "{}" + "]}}" * depth
    body = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":' + body + "}]}]}]}]}"
    if depth == 60:
        assert len(otlp_json.to_protobuf(Signal.SPANS, body.encode())) > 60
    else:
        assert "nested" in refused(body) or "inside each other" in refused(body) or "recursion" in refused(body)


def test_text_is_repaired() -> None:
    half = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a\\ud83d|\\ud83d\\ude00|\\udc00"}]}]}]}'
    assert first(to_message(Signal.SPANS, half)).name == "a\ufffd|😀|\ufffd"
    assert (
        first(to_message(Signal.SPANS, half.replace("\\ud83d|", "|").encode().replace(b"\\udc00", b"\xff\xfe"))).name == "a|😀|\ufffd\ufffd"
    )


def test_of_repeated_keys_the_last_counts() -> None:
    body = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a","name":"b"}]}]}]}'
    assert first(to_message(Signal.SPANS, body)).name == "b"


def test_any_damage_gives_an_answer() -> None:
    rng = random.Random(5)
    bodies = [path.read_bytes() for signal in BY_OTLP for path in captures(signal, "json")]
    refusals = 0
    for _ in range(300):
        data = bytearray(rng.choice(bodies)[:4000])
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(data))
            data[at : at + rng.choice((0, 1, 30))] = rng.choice(
                (b"", b"null", b"[]", b"{}", b'"', b"\xff", b"1e999", b"-", b"\\ud800", b",", b"}]")
            )
        try:
            otlp_json.to_protobuf(Signal.SPANS, bytes(data))
        except Malformed:
            refusals += 1
    assert refusals > 100


def test_both_writers_write_the_same_bytes() -> None:
    for signal in BY_OTLP:
        for path in captures(signal, "json"):
            request = orjson.loads(path.read_bytes())
            fields = otlp_json._fields(signal)
            assert jsonwire.write(request, fields) == PLAIN.write(request, fields)
