"""What each byte of OTLP means, and what is said when it means nothing; the same of both decoders."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from otlp_messages import IDS, attribute, block, encode_varint, fixed64, span_body, values, varint

from observatory.contracts import Decoder
from observatory.errors import CannotStart, Malformed, TooLarge
from observatory.model import anyvalue
from observatory.model.anyvalue import KeyValues
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.otlp.decode import Decoders, decoders
from observatory.otlp.encode import value as any_value
from observatory.otlp.reference import ReferenceDecoder
from observatory.semconv.routes import Route, parse, routes

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@pytest.fixture(params=["native", "reference"])
def both(request: pytest.FixtureRequest) -> Decoders:
    try:
        return decoders(request.param)
    except CannotStart:
        pytest.skip("no native kernel was built here")


def rows(decoder: Decoder, *bodies: bytes, project: str | None = None) -> list[dict[str, Any]]:
    answer = decoder(bodies, 5, [project] * len(bodies))
    for outcome in answer.outcomes:
        assert outcome.error is None, outcome.error
    return answer.rows.to_pylist()


def row(decoder: Decoder, *fields: bytes, resource: bytes = b"", scope: bytes = b"") -> dict[str, Any]:
    (only,) = rows(decoder, span_body(*fields, resource=resource, scope=scope))
    return only


def text(decoder: Decoder, value: bytes) -> tuple[str, str]:
    """Letter and text of an attribute whose AnyValue has these bytes."""
    only = row(decoder, attribute("k", value))
    ((key, said),) = only["attributes"]
    assert key == "k"
    return only["attribute_types"], said


# ── values


@settings(max_examples=200, **COMMON)
@given(value=values)
@example(value=5e-324)
@example(value=1e16)
@example(value=9999999999999998.0)
@example(value=0.0001)
@example(value=0.00001)
@example(value=-0.0)
@example(value=[math.nan, math.inf, -math.inf, b"", None, ()])
@example(value=(("$bytes", 1),))
@example(value=(("a", 1), ("a", 2)))
@example(value=[(("$x", 1), ("b", ()))])
def test_a_value_is_the_text_that_anyvalue_says(both: Decoders, value: Any) -> None:
    value = python_value(value)
    assert text(both.spans, any_value(value)) == (anyvalue.letter(value), anyvalue.text(value))


def python_value(value: Any) -> Any:
    if isinstance(value, list):
        return [python_value(each) for each in value]
    if isinstance(value, tuple):
        return KeyValues((key, python_value(each)) for key, each in value)
    return value


@settings(max_examples=300, **COMMON)
@given(number=st.floats(width=64) | st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]))
def test_a_double_is_written_as_python_writes_it(both: Decoders, number: float) -> None:
    assert text(both.spans, b"\x21" + struct.pack("<d", number)) == ("d", anyvalue.double_text(number))


@settings(max_examples=200, **COMMON)
@given(
    raw=st.binary(max_size=40)
    | st.text(max_size=20).map(str.encode)
    | st.lists(
        st.sampled_from([b"\xe2\x82", b"\xf0\x9f\x98", b"a" * 9, b"\xed\xa0\x80", "é€😀".encode(), b"\xf4\x90", b"\xc0"]), max_size=6
    ).map(b"".join)
)
def test_wrong_utf8_is_replaced_as_python_replaces_it(both: Decoders, raw: bytes) -> None:
    fixed = raw.decode("utf-8", "replace")
    only = row(
        both.spans,
        block(5, raw),
        block(3, raw),
        attribute(raw, block(1, raw)),
        attribute("l", block(5, block(1, block(1, raw)))),
        resource=attribute(raw, block(1, raw), 1),
    )
    assert (only["name"], only["trace_state"]) == (fixed, fixed)
    assert only["attributes"] == [
        (fixed, fixed),
        ("l" if fixed != "l" else "l#2", json.dumps([fixed], ensure_ascii=False, separators=(",", ":"))),
    ]
    assert only["resource"] == anyvalue.to_json(KeyValues([(fixed, fixed)]))


def test_keys_that_become_equal_by_repair_are_told_apart(both: Decoders) -> None:
    only = row(
        both.spans,
        attribute(b"\xff", b"\x18\x01"),
        attribute(b"\xfe", b"\x18\x02"),
        resource=attribute(b"\xff", b"", 1) + attribute(b"\xfe", b"", 1),
    )
    assert only["attributes"] == [("\ufffd", "1"), ("\ufffd#2", "2")]
    assert only["resource"] == '{"$kvlist":[["\ufffd",null],["\ufffd",null]]}'


def test_repeated_keys_are_numbered_and_marked(both: Decoders) -> None:
    only = row(
        both.spans, *(attribute(key, varint(3, i)) for i, key in enumerate(["a", "a#2", "a", "b", "a", "a#2", ""])), attribute("", b"")
    )
    assert [key for key, _ in only["attributes"]] == ["a", "a#2", "a#3", "b", "a#4", "a#2#2", "", "#2"]
    assert only["attribute_types"] == "iiIiIIiE"


def test_ten_thousand_equal_keys_take_no_square(both: Decoders) -> None:
    only = row(both.spans, attribute("k", b"") * 10_000)
    assert [key for key, _ in only["attributes"]][::9_999] == ["k", "k#10000"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x18\x05" + block(1, b"x"), ("s", "x")),
        (block(1, b"x") + b"\x18\x05", ("i", "5")),
        (block(5, block(1, b"\x18\x01")) + block(5, block(1, b"\x18\x02")), ("a", "[1,2]")),
        (block(5, block(1, b"\x18\x01")) + b"\x10\x00" + block(5, block(1, b"\x18\x02")), ("a", "[2]")),
        (block(6, attribute("a", b"\x18\x01", 1)) + block(6, attribute("b", b"\x18\x02", 1)), ("k", '{"a":1,"b":2}')),
        (block(5, b"") + block(6, b""), ("k", "{}")),
        (block(1, b"x") + b"\x08\x01", ("s", "x")),
        (b"\x18" + encode_varint(2**64 - 1), ("i", "-1")),
        (b"\x10" + encode_varint(2**40), ("b", "true")),
        (b"\x18\x85\x80\x80\x00", ("i", "5")),
        (b"\x0b\x18\x01\x13\x14\x0c", ("e", "")),
        (block(7, b"\xfb\xff"), ("y", "+/8=")),
    ],
)
def test_oneof_and_repetition(both: Decoders, content: bytes, said: tuple[str, str]) -> None:
    assert text(both.spans, content) == said


def test_a_value_in_two_parts_is_joined(both: Decoders) -> None:
    first, second = block(2, block(5, block(1, b"\x18\x01"))), block(2, block(5, block(1, b"\x18\x02")))
    assert row(both.spans, block(9, first + block(1, b"k") + second + block(2, b"")))["attributes"] == [("k", "[1,2]")]


def test_resource_scope_and_status_in_parts(both: Decoders) -> None:
    resource = [block(1, attribute("service.name", block(1, b"a"), 1)), block(1, attribute("b", b"", 1) + varint(2, 3))]
    scope = [block(1, block(1, b"n")), block(1, block(2, b"v") + block(1, b"m"))]
    status = [block(15, block(2, b"said")), block(15, varint(3, 2))]
    body = block(
        1,
        resource[0] + block(2, scope[0] + block(2, IDS + status[0] + status[1]) + scope[1] + block(3, b"u")) + block(3, b"w") + resource[1],
    )
    (only,) = rows(both.spans, body)
    assert (only["resource"], only["resource_dropped_attributes_count"], only["resource_schema_url"]) == (
        '{"service.name":"a","b":null}',
        3,
        "w",
    )
    assert (only["scope_name"], only["scope_version"], only["scope_schema_url"]) == ("m", "v", "u")
    assert (only["status_message"], only["status_code"], only["service_name"]) == ("said", 2, "a")


@pytest.mark.parametrize("depth", [1, 63, 64, 65, 300])
@pytest.mark.parametrize("field", [5, 6])
def test_values_nest_64_deep(both: Decoders, depth: int, field: int) -> None:
    content = b""
    for _ in range(depth - 1):
        content = block(field, block(1, content) if field == 5 else attribute("k", content, 1))
    outcome = both.spans([span_body(attribute("k", content))], 0, [None]).outcomes[0]
    if depth <= 64:
        assert outcome.rows == 1
    else:
        assert isinstance(outcome.error, Malformed) and "nested deeper than 64" in str(outcome.error)


# ── fields


def test_every_number_of_a_span(both: Decoders) -> None:
    only = row(
        both.spans,
        fixed64(7, 2**63 + 5),
        fixed64(8, 2**63 + 1),
        varint(6, -7),
        varint(10, 2**32 + 9),
        varint(12, 2**32 - 1),
        varint(14, 4),
        encode_varint(16 << 3 | 5) + b"\xff\xff\xff\xff",
        block(15, varint(3, 2**31)),
    )
    assert (only["start_ns"], only["duration_ns"]) == (-(2**63) + 5, -4)
    assert (only["kind"], only["status_code"], only["flags"]) == (-7, -(2**31), 2**32 - 1)
    assert (only["dropped_attributes_count"], only["dropped_events_count"], only["dropped_links_count"]) == (9, 2**32 - 1, 4)


def test_a_wrong_wire_type_makes_a_field_unknown(both: Decoders) -> None:
    only = row(
        both.spans, varint(5, 7), block(7, b"x"), fixed64(9, 1), varint(1, 3), block(5, b"name"), encode_varint(99 << 3 | 5) + b"1234"
    )
    assert (only["name"], only["start_ns"], only["attributes"], only["trace_id"]) == ("name", 0, [], bytes(range(1, 17)))


def test_the_last_of_a_repeated_field_counts(both: Decoders) -> None:
    assert row(both.spans, block(5, b"a"), block(5, b"b"))["name"] == "b"


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (block(1, b"12345678") + block(2, b"12345678"), "span 1: trace_id must be 16 bytes and not all zero, got 8"),
        (block(2, b"12345678"), "span 1: trace_id must be 16 bytes and not all zero, got 0"),
        (block(1, bytes(16)) + block(2, b"12345678"), "span 1: trace_id must be 16 bytes and not all zero, got only zeros"),
        (block(1, b"1" * 16) + block(2, b"123456789"), "span 1: span_id must be 8 bytes and not all zero, got 9"),
        (IDS + block(4, b"1234567"), "span 1: parent_span_id must be 8 bytes or empty, got 7"),
    ],
)
def test_spans_with_wrong_ids_are_rejected_and_counted(both: Decoders, ids: bytes, message: str) -> None:
    good, bad = block(2, IDS + attribute("user.id", block(1, b"u"))), block(2, ids + attribute("user.id", block(1, b"x")) + block(11, b""))
    answer = both.spans([block(1, block(2, good + bad) + block(2, bad + good))], 5, [None])
    assert (answer.outcomes[0].rows, answer.outcomes[0].rejected, answer.outcomes[0].message) == (2, 2, message)
    assert [(each["user_id"], each["events"]) for each in answer.rows.to_pylist()] == [("u", []), ("u", [])]


def test_a_zero_parent_is_none(both: Decoders) -> None:
    assert row(both.spans, block(4, bytes(8)))["parent_span_id"] is None
    assert row(both.spans, block(4, b"12345678"))["parent_span_id"] == b"12345678"


def test_a_log_keeps_what_its_wrong_ids_had_to_say(both: Decoders) -> None:
    def log(*fields: bytes) -> dict[str, Any]:
        (only,) = rows(both.logs, block(1, block(2, block(2, b"".join(fields)))))
        return only

    only = log(block(9, b"short"), block(10, bytes(8)), block(5, block(1, b"said")))
    assert (only["trace_id"], only["span_id"], only["body"], only["body_type"]) == (None, None, "said", "s")
    assert (log()["body"], log()["body_type"], log()["event_name"]) == ("", "e", "")
    old = attribute("event.name", block(1, b"old"), 6)
    assert (log(old)["event_name"], log(old, block(12, b"new"))["event_name"]) == ("old", "new")
    assert log(block(5, block(5, block(1, b"\x18\x01"))), block(5, block(5, block(1, b"\x18\x02"))))["body"] == "[1,2]"


# ── faults


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (b"\x22\x09abc", "field 4 is cut short"),
        (b"\x22", "field 4 is cut short"),
        (b"\x39abc", "field 7 is cut short"),
        (b"\x85\x01abc", "field 16 is cut short"),
        (b"\x30\x80", "field 6 is cut short"),
        (b"\x80", "a field tag is cut short"),
        (b"\xff\xff\xff\xff\x7f", "a field tag is longer than 32 bits"),
        (b"\x80" * 6, "a field tag is longer than 32 bits"),
        (b"\x00", "field number 0 does not exist"),
        (b"\x30" + b"\x80" * 10 + b"\x00", "field 6: a number is longer than 10 bytes"),
        (b"\x22" + b"\x80" * 5 + b"\x00", "field 4: a length is longer than 5 bytes"),
        (b"\x26", "field 4 has a wire type that does not exist"),
        (b"\x24", "field 4: a group ends here that did not begin"),
        (b"\x23\x30\x01", "field 4: a group has no end"),
        (b"\x23\x2c", "field 5: a group ends here that did not begin"),
        (b"\x23" * 65, "field 4: groups are nested deeper than 64"),
    ],
)
def test_a_fault_is_told_with_its_byte(both: Decoders, tail: bytes, message: str) -> None:
    body = span_body(tail)
    at = len(body) - len(tail) + (1 if message.startswith("field 5:") else 64 if "deeper" in message else 0)
    outcome = both.spans([body], 0, [None]).outcomes[0]
    assert isinstance(outcome.error, Malformed)
    assert str(outcome.error) == f"cannot decode spans at byte {at} of {len(body)}: {message}"


def test_a_fault_in_one_body_leaves_the_others_whole(both: Decoders) -> None:
    good = span_body(attribute("user.id", block(1, b"u")), block(11, block(2, b"e")), resource=attribute("service.name", block(1, b"s"), 1))
    bad = span_body(attribute("junk", block(1, b"j")), attribute("http.status_code", b"\x18\x05")) + b"\x0a\x05abc"
    answer = both.spans([bad, good, bad, good], 5, [None, "p", None, None])
    assert [outcome.rows for outcome in answer.outcomes] == [0, 1, 0, 1]
    assert "field 1 is cut short" in str(answer.outcomes[0].error)
    read = answer.rows.to_pylist()
    assert read == [read[1] | {"project": "p"}, *rows(both.spans, good)]
    dictionary = answer.rows.column("attributes").keys.dictionary.to_pylist()
    assert "junk" not in dictionary


def test_a_body_that_would_swell_is_too_large() -> None:
    body = span_body(attribute("", b"") * 2000)
    for decoder in small_budget():
        first, second = decoder([body, span_body()], 0, [None, None]).outcomes
        assert isinstance(first.error, TooLarge) and "send fewer" in str(first.error)
        assert second.rows == 1


def small_budget() -> list[Decoder]:
    made: list[Decoder] = [ReferenceDecoder(Signal.SPANS, routes(Signal.SPANS), 20_000)]
    try:
        from observatory.otlp.native import NativeDecoder

        made.append(NativeDecoder(Signal.SPANS, routes(Signal.SPANS), 20_000))
    except ImportError:
        pass
    return made


# ── routes


STRING, INT, BYTES = 1, 3, 7


def s(text: str) -> bytes:
    return block(1, text.encode())


def d(number: float) -> bytes:
    return b"\x21" + struct.pack("<d", number)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (varint(3, -4), -4),
        (d(7.0), 7),
        (d(7.5), None),
        (d(math.nan), None),
        (d(2.0**63), None),
        (d(-(2.0**63)), -(2**63)),
        (s("12"), 12),
        (s("+0012"), 12),
        (s("-9223372036854775808"), -(2**63)),
        (s("9223372036854775808"), None),
        (s("00000000000000000001"), None),
        (s("1.0"), None),
        (s(" 1"), None),
        (s("١"), None),
        (s(""), None),
        (s("-"), None),
        (b"\x10\x01", None),
        (block(7, b"1"), None),
        (b"", None),
        (block(5, block(1, b"\x18\x01")), None),
    ],
)
def test_what_counts_as_a_number_of_tokens(both: Decoders, value: bytes, number: int | None) -> None:
    assert row(both.spans, attribute("gen_ai.usage.input_tokens", value))["input_tokens"] == number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (d(0.25), 0.25),
        (varint(3, 2**62 + 1), float(2**62 + 1)),
        (s("1.5e-3"), 0.0015),
        (s("+.5"), 0.5),
        (s("5."), 5.0),
        (s("-0"), -0.0),
        (s("1e999"), None),
        (s("1e-999"), None),
        (s("0e-999"), 0.0),
        (s("0.1000000000000000055511151231257827021181583404541015625"), 0.1),
        (s("nan"), None),
        (s("inf"), None),
        (s("0x1p3"), None),
        (s("1_0"), None),
        (s("+-1"), None),
        (s("1e"), None),
        (s("."), None),
        (s("1 "), None),
        (b"\x10\x01", None),
    ],
)
def test_what_counts_as_seconds(both: Decoders, value: bytes, number: float | None) -> None:
    assert repr(row(both.spans, attribute("gen_ai.response.time_to_first_chunk", value))["time_to_first_token_s"]) == repr(number)


@pytest.mark.parametrize(
    ("value", "said"),
    [(b"\x10\x01", True), (b"\x10\x00", False), (s("True"), True), (s("false"), False), (s("TRUE"), None), (b"\x18\x01", None)],
)
def test_what_counts_as_yes_and_no(both: Decoders, value: bytes, said: bool | None) -> None:
    assert row(both.spans, attribute("gen_ai.request.stream", value))["streaming"] is said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (s("x"), "x"),
        (s(""), None),
        (block(7, b"x"), None),
        (b"", None),
        (b"\x18\x05", "5"),
        (b"\x10\x01", "true"),
        (block(5, block(1, s("stop"))), '["stop"]'),
        (block(6, b""), "{}"),
    ],
)
@pytest.mark.parametrize("key", ["user.id", "gen_ai.request.model"])
def test_what_counts_as_text(both: Decoders, key: str, value: bytes, said: str | None) -> None:
    only = row(both.spans, attribute(key, value))
    assert only["user_id" if key == "user.id" else "request_model"] == said


@settings(max_examples=40, **COMMON)
@given(
    order=st.permutations(["user.id", "enduser.id", "gen_ai.system", "gen_ai.provider.name"]),
    empty=st.sets(st.sampled_from(["user.id", "gen_ai.provider.name"])),
)
def test_the_first_usable_key_wins_whatever_the_order(both: Decoders, order: list[str], empty: set[str]) -> None:
    only = row(both.spans, *(attribute(key, s("" if key in empty else key)) for key in order))
    assert only["user_id"] == ("enduser.id" if "user.id" in empty else "user.id")
    assert only["provider"] == ("gen_ai.system" if "gen_ai.provider.name" in empty else "gen_ai.provider.name")


def test_every_route_feeds_its_column(both: Decoders) -> None:
    """Every key with every value that its rule names, and with one that it does not name. (A key may have two rows in one column.)"""
    shape = schema(Signal.SPANS)
    rows_of: dict[tuple[str, str, str], list[Route]] = {}
    for route in routes(Signal.SPANS):
        rows_of.setdefault((route.column, route.where, route.key), []).append(route)
    for route in routes(Signal.SPANS):
        kind = str(shape.field(route.column).type)
        plain = {"int64": "5", "double": "5", "bool": "true"}.get(kind, "five")
        for value in (plain, *route.rule.meanings):
            said = value.upper() if value != plain else value
            same_key = rows_of[route.column, route.where, route.key]
            meaning = next((each.rule.meaning(said) for each in same_key if each.rule.meaning(said)), "")
            only = row(
                both.spans,
                *([attribute(route.key, s(said))] if route.where == "span" else []),
                resource=attribute(route.key, s(said), 1) if route.where == "resource" else b"",
                scope=s(route.key) if route.where == "scope" else b"",
            )
            text = said if meaning == "*" else meaning
            number = 5 / route.rule.divisor
            expected = {"int64": number, "double": number, "bool": text == "true"}.get(kind, text) if text else None
            assert only[route.column] == expected, (route, said)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (s("LLM"), ("llm", "one")),
        (s("lLm"), ("llm", "one")),
        (s("gone"), (None, None)),
        (s("other"), ("other", None)),
        (s("OTHER"), ("OTHER", None)),
        (s("LLM\u212a"), ("LLM\u212a", None)),
        (s("x" * 64), ("long", None)),
        (s("X" * 65), ("X" * 65, None)),
        (varint(3, 7), ("seven", None)),
        (block(5, block(1, s("A"))), ("list", None)),
        (b"\x10\x01", ("true", None)),
        (s(""), (None, None)),
        (block(7, b"llm"), (None, None)),
        (b"", (None, None)),
    ],
)
def test_a_rule_reads_values_by_their_text(value: bytes, read: tuple[str | None, str | None]) -> None:
    table = parse(
        f"""
        @kinds      LLM=llm gone= 7=seven ["a"]=list
        agent_name  span  k  @kinds {"x" * 64}=long *=*
        user_id     span  k  LLM=one
        tool_name   span  k  *=there
        streaming   span  k  LLM=true other=false
        """
    )
    for decoder in made_for(table):
        only = row(decoder, attribute("k", value), attribute("m", b"\x18\x01"))
        assert (only["agent_name"], only["user_id"]) == read
        present = value not in (s(""), block(7, b"llm"), b"")
        assert only["tool_name"] == ("there" if present else None)
        assert only["streaming"] is {"LLM": True, "lLm": True, "other": False, "OTHER": False}.get(value[2:].decode(errors="replace"))


def test_a_value_that_is_no_value_leaves_the_next_key_its_turn() -> None:
    table = parse(
        """
        provider   span  a  frame= *=*
        provider   span  b  *=*
        user_id    span  a  frame=
        user_id    span  b  B=chosen
        """
    )
    for decoder in made_for(table):
        for fields in ([attribute("a", s("Frame")), attribute("b", s("b"))], [attribute("b", s("b")), attribute("a", s("Frame"))]):
            only = row(decoder, *fields)
            assert (only["provider"], only["user_id"]) == ("b", "chosen")
        assert row(decoder, attribute("b", s("b")), attribute("a", s("c")))["provider"] == "c"


@pytest.mark.parametrize(
    ("value", "seconds", "tokens", "dollars"),
    [
        (d(214.5), 0.2145, None, 214.5),
        (varint(3, 1500), 1.5, 1500, 1500.0),
        (s("1e3"), 1.0, None, 1000.0),
        (d(0.0), 0.0, None, None),
        (varint(3, 0), 0.0, None, None),
        (s("-0"), 0.0, None, None),
        (d(-1.0), -0.001, None, None),
        (d(math.nan), math.nan, None, None),
        (d(math.inf), math.inf, None, math.inf),
        (b"\x10\x01", None, None, None),
    ],
)
def test_numbers_divided_and_above_zero(value: bytes, seconds: float | None, tokens: int | None, dollars: float | None) -> None:
    table = parse("time_to_first_token_s span k /1000\nreasoning_tokens span k >0\nreported_cost_usd span k >0")
    for decoder in made_for(table):
        only = row(decoder, attribute("k", value))
        said = repr((only["time_to_first_token_s"], only["reasoning_tokens"], only["reported_cost_usd"])).replace("-0.0,", "0.0,")
        assert said == repr((seconds, tokens, dollars))


def test_rules_hold_for_resources_and_for_the_second_column_of_a_key() -> None:
    table = parse(
        """
        environment   resource  where  prod=production *=*
        service_name  resource  where  *=somewhere
        environment   resource  stage  ["a"]=first
        service_name  resource  stage
        """
    )
    for decoder in made_for(table):
        only = row(decoder, resource=attribute("where", s("PROD"), 1))
        assert (only["environment"], only["service_name"]) == ("production", "somewhere")
        only = row(decoder, resource=attribute("stage", block(5, block(1, s("A"))), 1))
        assert (only["environment"], only["service_name"]) == ("first", '["A"]')


def test_what_a_scope_is_named_is_said_of_all_its_spans() -> None:
    table = parse("convention scope known *=scope\nagent_name scope known *=agent\nconvention span k *=key\ntool_name scope other *=tool")
    span = block(2, IDS + attribute("k", s("x")))
    bad = block(2, b"")
    scopes = [block(1, s("known")), block(1, s("unknown")), b"", block(1, s("other"))]
    body = block(1, b"".join(block(2, span + bad + block(2, IDS) + each) for each in scopes))
    for decoder in made_for(table):
        answer = decoder([body, body], 5, [None, None])
        assert answer.rows.column("convention").to_pylist() == ["scope", "scope", "key", None, "key", None, "key", None] * 2
        assert answer.rows.column("agent_name").to_pylist() == ["agent"] * 2 + [None] * 6 + ["agent"] * 2 + [None] * 6
        assert answer.rows.column("tool_name").to_pylist() == ([None] * 6 + ["tool"] * 2) * 2


def test_a_refused_body_does_not_spoil_what_values_are_read_as() -> None:
    """The kernel remembers where a meaning stands in its column's dictionary, and a refused body takes its words back."""
    table = parse("agent_name span k a=alpha b=beta")
    good, other = span_body(attribute("k", s("a"))), span_body(attribute("k", s("b")))
    bad = span_body(attribute("k", s("b"))) + b"\x0a\x05abc"
    for decoder in made_for(table):
        answer = decoder([bad, good, bad, other, good], 5, [None] * 5)
        assert answer.rows.column("agent_name").to_pylist() == ["alpha", "beta", "alpha"]


def test_a_table_of_routes_is_all_it_knows() -> None:
    table = parse("user_id span who\nsession_id span who\nresponse_id span response")
    for decoder in made_for(table):
        only = row(decoder, attribute("who", s("me")), attribute("user.id", s("you")))
        assert (only["user_id"], only["session_id"], only["provider"]) == ("me", "me", None)


def made_for(table: Sequence[Route]) -> list[Decoder]:
    """Both decoders, of a table of their own. (Both need a route to each plain text column.)"""
    texts = [name for name in ("user_id", "session_id", "response_id") if name not in {route.column for route in table}]
    table = [*table, *(Route(name, "span", f"unused.{name}", 0) for name in texts)]
    made: list[Decoder] = [ReferenceDecoder(Signal.SPANS, table)]
    try:
        from observatory.otlp.native import NativeDecoder

        made.append(NativeDecoder(Signal.SPANS, table))
    except ImportError:
        pass
    return made


def test_whose_it_is(both: Decoders) -> None:
    said = span_body(resource=attribute("observatory.project", s("theirs"), 1))
    silent = span_body()
    answer = both.spans([said, said, silent, silent], 77, [None, "key's", None, "key's"])
    assert answer.rows.column("project").to_pylist() == ["theirs", "key's", "default", "key's"]
    assert answer.rows.column("received_at").to_pylist() == [77] * 4
