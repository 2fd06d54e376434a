"""What spans answer to the questions of policies, batch by batch."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from observatory.contracts import SpanTest
from observatory.model.clock import SECOND
from observatory.otlp.decode import decoders
from observatory.pipeline.sampling.fresh import FORGOTTEN_S, MOST, Fresh
from observatory.pipeline.sampling.spantests import SpanTests
from observatory.query.filter import FilterError
from observatory.testing.clock import NOON
from observatory.testing.spans import Maker


def spans(*attributes: dict[str, Any], resource: dict[str, Any] | None = None, **fields: Any) -> pa.RecordBatch:
    make = Maker(1, NOON)
    bodies = [make.spans(make.span(attributes=each, **fields), resource=resource).protobuf for each in attributes]
    return decoders().spans(bodies, NOON, [None] * len(bodies)).rows


def asked(test: SpanTest, rows: pa.RecordBatch) -> list[bool]:
    return SpanTests({"it": test}, {})(rows, NOON).tests["it"].tolist()


def test_the_same_question_has_the_same_name() -> None:
    assert SpanTest(statuses=(2,)).column == SpanTest(statuses=(2,)).column == "statuses=(2,)"
    assert SpanTest(attribute="a", low=0.0).column == "attribute='a' low=0.0"
    others = [
        SpanTest(attribute="a", values=("x",)),
        SpanTest(attribute="a", patterns=("x",)),
        SpanTest(filter="x"),
        SpanTest(sampled=True),
    ]
    assert len({test.column for test in others}) == len(others)


def test_a_slice_of_a_batch_answers_for_its_own_rows() -> None:
    rows = spans(*({"n": number, "t": f"x{number}"} for number in range(10)))
    for test in (SpanTest(attribute="n", low=4, high=6), SpanTest(filter="attr.t~x[5-7]"), SpanTest(attribute="t", values=("x5",))):
        whole = asked(test, rows)
        assert any(whole) and not all(whole)
        assert asked(test, rows.slice(3, 5)) == whole[3:8]
        assert asked(test, rows.slice(0, 0)) == []


def test_one_resource_or_many() -> None:
    one, two = spans({"a": 1}, resource={"tier": "gold"}), spans({"tier": "gold"}, {}, resource={"tier": "lead"})
    both = pa.Table.from_batches([one, two]).unify_dictionaries().combine_chunks().to_batches()[0]
    assert asked(SpanTest(attribute="tier", values=("gold",)), both) == [True, True, False]
    assert asked(SpanTest(attribute="tier", values=("lead",)), both) == [False, True, True]


@pytest.mark.parametrize("key", ["service.name", "telemetry", "x.y", 'quote"d', "é"])
def test_keys_are_hashes_of_the_value_of_a_span_or_its_resource(key: str) -> None:
    rows = spans({key: "a"}, {key: "b"}, {}, {key: "a"}, {key: ""}, resource={key: "c"} if key != "service.name" else None)
    found = SpanTests({}, {"k": key})(rows, NOON).keys["k"]
    assert found.dtype == np.uint64 and found[0] == found[3] != found[1]
    assert found[2] not in (0, found[0], found[1])
    assert all(value != 0 for value in found.tolist())


def test_keys_of_columns() -> None:
    rows = spans(
        {"user.id": "u-1", "gen_ai.request.model": "asked"},
        {"user.id": "u-2", "gen_ai.response.model": "said"},
        {"user.id": "u-1", "gen_ai.request.model": "said"},
        {},
    )
    found = SpanTests({}, {"user": "user_id", "model": "model", "nothing": "attribute.of.nobody"})(rows, NOON).keys
    assert found["user"][0] == found["user"][2] != found["user"][1] and found["user"][3] == 0
    assert found["model"][1] == found["model"][2] != found["model"][0] and found["model"][3] == 0
    assert found["nothing"].tolist() == [0, 0, 0, 0]


def test_what_is_new_is_fresh_for_a_while() -> None:
    tests = SpanTests({"new": SpanTest(fresh="name", seconds=60)}, {})
    one, both = spans({}, name="one"), pa.Table.from_batches([spans({}, name="one"), spans({}, name="two")])
    two = both.unify_dictionaries().combine_chunks().to_batches()[0]
    assert tests(one, NOON).tests["new"].tolist() == [True]
    assert tests(one, NOON + 60 * SECOND).tests["new"].tolist() == [True]
    assert tests(two, NOON + 61 * SECOND).tests["new"].tolist() == [False, True]
    assert tests(two, NOON + 122 * SECOND).tests["new"].tolist() == [False, False]


def test_without_a_value_nothing_is_new() -> None:
    assert asked(SpanTest(fresh="error_type", seconds=60), spans({}, {"error.type": "E"})) == [False, True]


def test_what_is_remembered_survives_as_json() -> None:
    tests = SpanTests({"new": SpanTest(fresh="name", seconds=60)}, {})
    tests(spans({}, name="old"), NOON)
    again = SpanTests({"new": SpanTest(fresh="name", seconds=60), "more": SpanTest(fresh="operation", seconds=60)}, {})
    again.restore(json.loads(json.dumps(tests.state())))
    assert again(spans({}, name="old"), NOON + 100 * SECOND).tests["new"].tolist() == [False]
    assert again.state()["name"] == {"old": [NOON, NOON + 100 * SECOND]}


def test_a_column_of_ids_does_not_keep_everything_for_ever() -> None:
    fresh = Fresh()
    ids = pa.array([f"id-{number}" for number in range(MOST + 10)])
    ages = fresh.ages(ids, NOON)
    assert (ages[:MOST] == 0).all() and np.isinf(ages[MOST:]).all()
    assert len(fresh.state()) == MOST
    later = NOON + round((FORGOTTEN_S + 1) * SECOND)
    assert fresh.ages(pa.array(["id-0", "another"]), later)[1] == 0  # those of a month ago made room
    assert len(fresh.state()) == 2


def test_a_filter_that_is_none_is_refused_when_it_is_made() -> None:
    with pytest.raises(FilterError):
        SpanTests({"it": SpanTest(filter="a:(")}, {})


def test_several_policies_share_a_question() -> None:
    from observatory.policies import some_span
    from observatory.policies.compound import And, Not

    error = some_span.status()
    assert SpanTests.of([error, And((error, Not((error,)))), some_span.status(name="again")]).tests == ("statuses=(2,)",)


def test_numbers_at_random_are_what_python_reads() -> None:
    rng = random.Random(3)
    texts = ["".join(rng.choices("0123456789.eE+-_ x", k=rng.randint(1, 6))) for _ in range(3000)] + ["1e5", "-0", "1.", ".5", "+5"]
    found = asked(SpanTest(attribute="n", low=-1e300, high=1e300), spans(*({"n": text} for text in texts)))

    def expected(text: str) -> bool:
        if text.strip() != text or text[:1] in "+." or text[:2] == "-." or "_" in text:
            return False  # no number is written so by an attribute
        try:
            return abs(float(text)) <= 1e300
        except ValueError:
            return False

    assert found == [expected(text) for text in texts]
