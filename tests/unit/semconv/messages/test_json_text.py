"""JSON in attributes: read, mended, or kept."""

from __future__ import annotations

import json

import orjson
import pytest
from captured import spans
from hypothesis import given, settings, strategies as st

from observatory.model.anyvalue import KeyValues
from observatory.semconv.messages.json_text import DEPTH, MENDED_CHARACTERS, expected, perhaps, plain
from observatory.semconv.messages.span import At

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(json_values, st.booleans())
def test_json_is_its_value(value, ascii_only):
    at = At("x")
    assert expected(json.dumps(value, ensure_ascii=ascii_only), at) == plain(value)
    assert not at.flags


def begins(cut: object, whole: object) -> bool:
    """Whether a mended value says nothing that the whole one does not: texts may be shorter, members fewer, and nothing else."""
    if isinstance(whole, str):
        return isinstance(cut, str) and whole.startswith(cut)
    if isinstance(whole, list):
        return isinstance(cut, list) and len(cut) <= len(whole) and all(map(begins, cut, whole))
    if isinstance(whole, dict):
        return isinstance(cut, dict) and all(key in whole and begins(item, whole[key]) for key, item in cut.items())
    return cut == whole and type(cut) is type(whole)


@settings(max_examples=300)
@given(st.lists(json_values, max_size=4) | st.dictionaries(st.text(max_size=4), json_values, max_size=4), st.integers(1), st.booleans())
def test_a_cut_is_mended_to_the_beginning_of_the_value(value, cut, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    text = text[: 1 + cut % (len(text) - 1)] if len(text) > 2 else text[:1]
    at = At("x")
    assert begins(expected(text, at), plain(value))
    assert at.flags == {"truncated"}


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_cut_leaves_no_half_character(ascii_only):
    whole = ['a\\b"\n\u0007é🙂🙂\\']
    text = json.dumps(whole, ensure_ascii=ascii_only)
    for cut in range(1, len(text)):
        assert begins(expected(text[:cut], At("x")), whole), text[:cut]


def test_every_cut_of_a_real_conversation_keeps_the_messages_before_it():
    text = max((span.attributes.get("gen_ai.input.messages", "") for span in spans("otel-genai-1.3/tools")), key=len)
    whole = json.loads(text)
    counts = []
    for cut in range(1, len(text)):
        at = At("x")
        found = expected(text[:cut], at)
        assert at.flags == {"truncated"}
        assert found[:-1] == whole[: max(len(found) - 1, 0)]
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[-1] == len(whole)


@pytest.mark.parametrize("text", ["no JSON", "[1, 2", '{"a": 1}}', "[1}", "{'a': 1}", "[" * 100_000, "]", '{"a" "b"}', "[1] and more", '"'])
def test_other_text_is_kept_and_flagged(text):
    at = At("x")
    found = expected(text, at)
    if text in ("[1, 2", "[" * 100_000):
        assert at.flags <= {"truncated", "malformed_json"}
        assert at.flags
    else:
        assert (found, at.flags) == (text, {"malformed_json"})


@pytest.mark.parametrize("text", ["hello", "[see below] hello", "{'a': 1}", "12", '"quoted"', ""])
def test_text_that_need_not_be_json_is_itself(text):
    at = At("x")
    assert (perhaps(text, at), at.flags) == (text, set())


def test_values_that_json_writers_refuse_are_text():
    value = [2**53, 10**5000, float("nan"), float("-inf"), b"\x00\xff", "\ud83d!", KeyValues([("a", 1), ("a", 2)]), (1, "x")]
    said = plain(value)
    assert said[0] == str(2**53)
    assert said[1].startswith("0x")
    assert said[2:] == ["NaN", "-Infinity", "AP8=", "\ufffd!", {"a": 1, "a#2": 2}, [1, "x"]]
    assert orjson.loads(orjson.dumps(said)) == said


def test_a_cut_beyond_a_megabyte_is_kept_as_text():
    text = "[" + '"ab",' * (MENDED_CHARACTERS // 5 + 1)
    at = At("x")
    assert (expected(text, at), at.flags) == (text, {"malformed_json"})
    at = At("x")
    assert isinstance(expected(text[:-6], at), list)
    assert at.flags == {"truncated"}


def test_what_is_too_deep_is_text():
    value: object = "x"
    for _ in range(DEPTH + 20):
        value = [value]
    said, depth = plain(value), 0
    while isinstance(said, list):
        said, depth = said[0], depth + 1
    assert depth == DEPTH
    assert said == "[" * 20 + '"x"' + "]" * 20
