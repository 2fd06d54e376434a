"""Feedback bodies: any bytes are judged, every object is taken or refused, and every mistake has its place."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from observatory.errors import BadRequest, Malformed
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.receivers.feedback_rows import MAX_COMMENT, MOST, decode_feedback, judge

NOW = 1_795_430_890_363_536_205
T, S = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = {"trace_id": T, "name": "helpful", "score": 1}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.sampled_from([T, S, "0" * 32, NOW, "2026-01-31"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
fields = st.sampled_from(["trace_id", "span_id", "response_id", "name", "score", "label", "comment", "user_id", "time", "id", "scroe"])
likely = st.fixed_dictionaries(
    {"name": st.sampled_from(["helpful", "ok"]), "score": st.floats(allow_nan=False, allow_infinity=False)},
    optional={"trace_id": st.just(T), "response_id": st.text(max_size=9), "id": st.sampled_from("abc"), "label": st.text(max_size=9)},
)
items = likely | st.dictionaries(fields, values, max_size=8) | values
bodies = st.binary(max_size=60) | st.builds(lambda said: json.dumps(said).encode(), st.lists(items, max_size=12) | items)


@settings(max_examples=400, deadline=None)
@given(st.lists(bodies, max_size=5))
def test_any_bodies_become_rows_or_reasons(sent: list[bytes]) -> None:
    decoded = decode_feedback(sent, NOW, [None] * len(sent))
    assert decoded.rows.schema.equals(schema(Signal.FEEDBACK))
    assert len(decoded.outcomes) == len(sent)
    assert sum(outcome.rows for outcome in decoded.outcomes) == decoded.rows.num_rows
    decoded.rows.validate(full=True)
    for body, outcome in zip(sent, decoded.outcomes, strict=True):
        if outcome.error is not None:
            assert (outcome.rows, outcome.rejected) == (0, 0)
            continue
        said = orjson.loads(body)
        assert outcome.rows + outcome.rejected == (len(said) if isinstance(said, list) else 1)
        assert bool(outcome.message) == bool(outcome.rejected)
        judged = judge(body, NOW)
        assert (len(judged.rows), judged.rejected) == (outcome.rows, outcome.rejected)
        assert bool(judged.mistakes) == bool(judged.rejected)


@settings(max_examples=200, deadline=None)
@given(st.lists(items, min_size=1, max_size=12))
def test_every_mistake_leads_to_an_object_that_is_refused(said: list[Any]) -> None:
    body = json.dumps(said).encode()
    try:
        judged = judge(body, NOW)
    except Malformed:
        return  # NaN, Infinity and lone surrogates are no JSON
    blamed = {int(mistake.where[1 : mistake.where.index("]")]) for mistake in judged.mistakes}
    assert len(blamed) == judged.rejected
    clean = [item for index, item in enumerate(said) if index not in blamed]
    if clean:
        again = judge(json.dumps(clean).encode(), NOW)
        assert (len(again.rows), again.rejected) == (len(clean), 0)


def mistake(**fields: Any) -> str:
    """The one mistake of an object that is otherwise right."""
    judged = judge(json.dumps({**GOOD, **fields}).encode(), NOW)
    ((where, message),) = judged.mistakes
    return f"{where}: {message}"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"trace_id": "abc"}, 'trace_id: expected 32 hex digits, got "abc"'),
        ({"trace_id": "0" * 32}, "trace_id: an id of zeros names nothing"),
        ({"trace_id": "٠" * 32}, "trace_id: expected 32 hex digits"),
        ({"span_id": T}, "span_id: expected 16 hex digits"),
        ({"trace_id": None, "span_id": S}, "span_id: a span is named together with its trace: trace_id is missing"),
        ({"trace_id": ""}, "trace_id: what it is about must be named"),
        ({"name": ""}, "name: what is judged must be named, such as `helpful`"),
        ({"name": "  "}, "name: expected a name, got blanks"),
        ({"name": "x" * 201}, "name: expected at most 200 characters, got 201"),
        ({"score": "1"}, 'score: expected a finite number, got "1"'),
        ({"score": True}, "score: expected a finite number, got true"),
        ({"score": None}, "score: a score or a label is needed"),
        ({"label": 3}, "label: expected text, got 3"),
        ({"comment": "x" * (MAX_COMMENT + 1)}, "comment: expected at most 65,536 characters, got 65,537"),
        ({"comment": "é" * MAX_COMMENT}, "comment: expected at most 65,536 bytes of UTF-8, got 131,072"),
        ({"time": "yesterday"}, "time: expected a time as RFC 3339"),
        ({"time": 1.5e18}, "time: expected a time as RFC 3339 or as nanoseconds since 1970, got 1.5e+18"),
        ({"time": 1_795_430_890}, "time: 1795430890 is 1970-01-01T00:00:01.795430890Z; expected nanoseconds since 1970, or RFC 3339"),
        ({"time": 1_795_430_890_363_536}, "time: 1795430890363536 is 1970-01-21"),
        ({"time": 2**63}, "time: expected a time"),
        ({"scroe": 1}, "scroe: unknown field; did you mean `score`?"),
        ({"two words": 1}, '"two words": unknown field; known here: trace_id, '),
    ],
)
def test_a_mistake_is_named(fields: dict[str, Any], said: str) -> None:
    assert mistake(**fields).startswith(said)


def test_everything_that_was_said_is_in_the_row() -> None:
    said = {
        "trace_id": T.upper(), "span_id": S, "response_id": "resp_1", "name": "correctness", "score": -3, "label": "bad", "comment": "é\n☂",
        "user_id": "u1", "time": "2026-01-31T10:30:00.5+01:00", "id": "mine",
    }  # fmt: skip
    decoded = decode_feedback([json.dumps(said).encode()], NOW, ["shop"])
    assert decoded.rows.to_pylist() == [
        {
            "feedback_id": "mine", "time_ns": 1_769_851_800_500_000_000, "trace_id": bytes.fromhex(T), "span_id": bytes.fromhex(S),
            "response_id": "resp_1", "name": "correctness", "score": -3.0, "label": "bad", "comment": "é\n☂", "user_id": "u1",
            "received_at": NOW, "project": "shop",
        }
    ]  # fmt: skip


def test_one_object_needs_no_array_and_a_response_no_trace() -> None:
    judged = judge(json.dumps({"response_id": "r", "name": "n", "label": "good"}).encode(), NOW)
    assert judged.rows[0]["response_id"] == "r" and not judged.mistakes
    assert judged.rows[0]["time_ns"] == NOW


def test_an_array_has_at_most_a_thousand() -> None:
    assert len(judge(json.dumps([GOOD] * MOST).encode(), NOW).rows) == MOST
    with pytest.raises(BadRequest, match="expected 1 to 1,000 objects, got 1,001"):
        judge(json.dumps([GOOD] * (MOST + 1)).encode(), NOW)
    with pytest.raises(BadRequest, match="expected 1 to 1,000 objects, got 0"):
        judge(b"[]", NOW)
    with pytest.raises(BadRequest, match="expected an object or an array of objects, got 3"):
        judge(b"3", NOW)


def test_an_id_may_be_given_once_in_a_request() -> None:
    judged = judge(json.dumps([{**GOOD, "id": "a"}, {**GOOD, "id": "b"}, {**GOOD, "id": "a"}]).encode(), NOW)
    assert [row["feedback_id"] for row in judged.rows] == ["a", "b"]
    assert judged.mistakes == [("[2].id", "[0] has it already")]


def test_of_many_unknown_fields_a_few_are_told() -> None:
    """A body of 16 MiB has room for a million names, and guessing what was meant by one takes 60 µs."""
    judged = judge(json.dumps({**GOOD, **{f"field{i}": i for i in range(10_000)}}).encode(), NOW)
    assert [mistake.where for mistake in judged.mistakes] == ["field0", "field1", "field2"]


def test_derived_ids_tell_votes_apart_and_repeat_for_the_same_bytes_at_the_same_time() -> None:
    body = json.dumps([GOOD, GOOD]).encode()
    ids = [row["feedback_id"] for row in judge(body, NOW).rows]
    assert len(set(ids)) == 2
    assert not set(ids) & {row["feedback_id"] for row in judge(body, NOW + 1).rows}, "a vote without a time is dated by its arrival"
    timed = json.dumps({**GOOD, "time": NOW}).encode()
    assert judge(timed, NOW).rows[0]["feedback_id"] == judge(timed, NOW + 10**12).rows[0]["feedback_id"]
