"""What filters say: they parse back from their own text, mean what docs/FILTER.md says, and point at what is wrong with them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from askings import NOW, filters, rows_at_random
from hypothesis import example, given, settings, strategies as st

from observatory.errors import BadRequest
from observatory.model.clock import SECOND
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.query.filter import TARGETS, FilterError, parse, to_mask, to_sql
from observatory.query.filtering.grammar import MAX_DEPTH, MAX_LENGTH, MAX_TERMS
from observatory.query.filtering.tree import And, Compare, Everything, Not, Or, Pattern, Text


def is_(name: str, value: str, op: str = ":") -> Compare:
    return Compare(name, op, (Pattern(tuple(value.split("*"))),))


def word(text: str) -> Text:
    return Text(Pattern(tuple(text.split("*"))))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", Everything()),
        (" \n", Everything()),
        ("model:gpt-4o", is_("model", "gpt-4o")),
        ("model : gpt-4o", is_("model", "gpt-4o")),
        ("cost>0.01 status:error", And((is_("cost", "0.01", ">"), is_("status", "error")))),
        ("cost:>=0.01", is_("cost", "0.01", ">=")),
        ("a b or c not d", Or((And((word("a"), word("b"))), And((word("c"), Not(word("d"))))))),
        ("a AND (b OR -c)", And((word("a"), Or((word("b"), Not(word("c"))))))),
        ("(a b) c", And((word("a"), word("b"), word("c")))),
        ("android order nothing", And((word("android"), word("order"), word("nothing")))),
        ("and:x or:y", And((is_("and", "x"), is_("or", "y")))),
        ('"or"', word("or")),
        ("model:a,b", Compare("model", ":", (Pattern(("a",)), Pattern(("b",))))),
        ("model:(a or b)", Compare("model", ":", (Pattern(("a",)), Pattern(("b",))))),
        ("model!=(a, b)", Compare("model", "!=", (Pattern(("a",)), Pattern(("b",))))),
        ("model:gpt-*", Compare("model", ":", (Pattern(("gpt-", "")),))),
        ("model=gpt-*", Compare("model", "=", (Pattern(("gpt-*",)),))),
        (r'model:"gpt\*" ', Compare("model", ":", (Pattern(("gpt*",)),))),
        ("session:*", Compare("session", ":", (Pattern(("", "")),))),
        ("-session:*", Not(Compare("session", ":", (Pattern(("", "")),)))),
        ("start>-1h", is_("start", "-1h", ">")),
        ("start>2026-01-31T09:30:00Z", is_("start", "2026-01-31T09:30:00Z", ">")),
        ('"http.route":/a?b=c', is_("attr.http.route", "/a?b=c")),
        (r'name:"say \"hi\"\n\\"', is_("name", 'say "hi"\n\\')),
        (r'name~"a\.b\"c"', is_("name", r'a\.b"c', "~")),
        ('"refund policy"', word("refund policy")),
        ("refund*policy", word("refund*policy")),
        ("a--b", word("a--b")),
    ],
)
def test_text_is_read_as_this_tree(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize("target", list(TARGETS))
def test_a_tree_parses_back_from_its_text(target):
    @given(filters(target))
    @settings(max_examples=150, deadline=None)
    def law(expr):
        assert parse(str(expr)) == expr

    law()


LETTERS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@given(LETTERS, st.lists(st.lists(LETTERS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
@example("", [("",)])
@example('a"b\\', [("and",), ("", "x", "")])
def test_any_text_parses_back(key, values):
    patterns = tuple(Pattern(parts) for parts in values)
    for expr in (Compare(f"attr.{key}", ":", patterns), And((Text(patterns[0]), Not(Text(patterns[-1]))))):
        assert parse(str(expr)) == expr


FRAGMENTS = [
    *'():=<>~!,-*"\\ ',
    "and ",
    " or ",
    "not ",
    "model",
    "duration",
    "start",
    "cost",
    "tags",
    ":",
    "5s",
    "0.01",
    "-1h",
    "attr.x",
    "id",
    "\n",
    "(?i",
]


@given(st.one_of(st.lists(st.sampled_from(FRAGMENTS), max_size=20).map("".join), st.text(max_size=30)))
@settings(max_examples=600, deadline=None)
@example("(" * 4000)
@example("-" * 4000 + "a")
@example("(a or (b " * 400)
@example("(" * 2000 + "a" + ")" * 2000)
@example("x:\ud800")
@example("attr.x>1e99 attr.x>" + "9" * 30 + "GiB")
@example("start:9999-12-31")
@example("start:0001-01-01")
@example("tokens:" + "9" * 30 + "e99")
@example("name~" + "(a" * 500)
@example('name~"a{1000}{1000}"')
@example('name~"(?=a)"')
def test_nothing_but_an_answer_or_an_error(text):
    for target in TARGETS:
        try:
            expr = parse(text)
            params: dict[str, object] = {}
            to_sql(expr, target, params)
            to_mask(expr, EMPTY[target], target, NOW)
        except FilterError as wrong:
            assert isinstance(wrong, BadRequest)
            assert str(wrong).startswith("filter: ")
            assert len(str(wrong).splitlines()) == 3
            assert 1 <= wrong.position <= len(text) + 1


EMPTY = {target: rows_at_random(target, 1, 0).slice(0, 0) for target in TARGETS}


def test_an_error_points_at_its_character():
    with pytest.raises(FilterError) as caught:
        to_sql(parse("duration>5s modle:gpt-4o"), "spans", {})
    assert str(caught.value) == (
        "filter: spans have no field `modle` at character 13; did you mean `model`?\n  duration>5s modle:gpt-4o\n              ^^^^^"
    )
    assert caught.value.position == 13


@pytest.mark.parametrize(
    ("text", "position", "what"),
    [
        ("cost>", 6, "a value is missing"),
        ("(a or b", 8, "`(` that is not closed"),
        ("a )", 3, "`)` that closes nothing"),
        ("a ()", 4, "a condition is expected before `)`"),
        ('name:"x', 6, "a quote that is not closed"),
        ("a or", 5, "ends where a condition is expected"),
        ("a,b", 2, "a comma that parts no values"),
        ("model:(a b)", 10, "list of values"),
        ("name~^a.(b|c)$", 6, "goes on with `(`"),
        ('say"hi"', 1, "goes on with"),
        (":x", 1, "no field before `:x`"),
        ("cost>1,2", 8, "compares with one value"),
        (r'name:"\d"', 6, r"unknown escape `\d`"),
        ('name~"(x"', 6, "not a regular expression"),
        ("status:erorr", 8, "did you mean `error`"),
        ("duration>5", 10, "a duration with its unit"),
        ("tokens>many", 8, "a number"),
        ("tokens:1*", 8, "a number"),
        ("cost>€1", 6, "an amount of dollars"),
        ("start>yesterday", 7, "a time"),
        ("start>2026-13-01", 7, "a time"),
        ("streaming:maybe", 11, "true or false"),
        ("trace:xyz", 7, "hexadecimal"),
        ("name>x", 1, "has none"),
        ("duration~x", 1, "`~` is for text"),
        ("colour:red", 1, "attr.NAME"),
        ("counted:true", 1, "llm_calls have it"),
        ("attr.retries>few", 14, "a number"),
        ("x:\0", 3, "no text"),
        ("x" * MAX_LENGTH + "x", MAX_LENGTH + 1, "longer than"),
        ("x " * (MAX_TERMS + 1), 1, "conditions"),
        ("-" * (2 * MAX_DEPTH + 2) + "x", 2 * MAX_DEPTH + 3, "within each other"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, position, what):
    with pytest.raises(FilterError) as caught:
        to_sql(parse(text), "spans", {})
    assert what in str(caught.value)
    assert caught.value.position == position


@pytest.mark.parametrize("target", list(TARGETS))
def test_no_value_reaches_the_text_of_sql(target):
    evil = "zq'; DROP TABLE spans; --\"$1"
    conditions = ["name", "model", "tags", "attr.zq'k", "resource.zq'k", "user"] if target != "llm_calls" else ["model", "tags", "user"]
    exprs = [Compare(name, op, (Pattern((evil,)),)) for name in conditions for op in (":", "=", "!=", "~")]
    exprs += [Compare(name, ":", (Pattern((evil, evil)), Pattern((evil,)))) for name in conditions] + [Text(Pattern((evil,)))]
    for expr in exprs:
        params: dict[str, object] = {"filter_0": "taken"}
        condition = to_sql(expr, target, params)
        assert "zq" not in condition and "DROP" not in condition
        assert params["filter_0"] == "taken"
        assert any("zq" in str(value) for value in params.values())


def spans(*rows: dict) -> pa.Table:
    """Spans of these columns, numbered by name; the rest is null or empty."""
    columns = schema(Signal.SPANS)
    blank = {
        f.name: None if f.nullable else [] if pa.types.is_nested(f.type) else 0 if pa.types.is_integer(f.type) else "" for f in columns
    }
    blank |= {"trace_id": bytes(16), "span_id": bytes(8)}
    return pa.Table.from_pylist([blank | {"name": f"span{number}"} | row for number, row in enumerate(rows)], columns)


EXCEPTION = {"time_ns": 0, "name": "exception", "attributes": [("exception.message", "No refund policy")], "attribute_types": "s"}
ROUTE = [("http.route", "/api/refunds"), ("retries", "12"), ("note", "Refund\nPolicy")]
EARLIER = NOW - 2 * 3600 * SECOND
MEANT = spans(
    {"request_model": "gpt-4o", "response_model": "gpt-4o-2024-08-06", "duration_ns": 5 * SECOND, "status_code": 2, "start_ns": NOW},
    {"request_model": "gpt-4o-mini", "duration_ns": 5 * SECOND + 1, "input_tokens": 900, "output_tokens": 100, "start_ns": EARLIER},
    {"name": "GET /refunds", "attributes": ROUTE, "kind": 2},
    {"user_id": "u42", "tags": '["beta","a,b"]', "resource": '{"host.name":"h1"}', "status_code": 1, "status_message": "ok"},
    {
        "user_id": "u43",
        "tags": "beta, eu",
        "attributes": [("retries", "3"), ("http.route", "")],
        "streaming": False,
        "observation_kind": "tool",
    },
    {"events": [EXCEPTION | {"dropped_attributes_count": 0}]},
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", {0, 1, 2, 3, 4, 5}),
        ("model:gpt-4o", {0}),
        ("model:gpt-4o*", {0, 1}),
        ("model=gpt-4o*", set()),
        ("model:gpt-4o-mini,gpt-4o-2024-08-06", {0, 1}),
        ("model!=gpt-4o", {1}),  # a missing model is not another model
        ("-model:gpt-4o", {1, 2, 3, 4, 5}),  # but it is not this one
        ("-model:*", {2, 3, 4, 5}),
        ("model:*", {0, 1}),
        ("MODEL:gpt-4o status:ERROR", {0}),
        ("model:GPT-4O", set()),  # text is compared exactly
        ('model~"(?i)^GPT-4O$"', {0}),
        ("duration>5s", {1}),
        ("duration>=5s", {0, 1}),
        ("duration:5s", {0}),
        ("duration>4999ms duration<5000000.0005us", {0}),
        ("tokens>999", {1}),
        ("tokens:1k", {1}),
        ("tokens<1M", {1}),
        ("-tokens>999", {0, 2, 3, 4, 5}),
        ("status:error", {0}),
        ("status!=error", {1, 2, 3, 4, 5}),
        ("message:*", {3}),
        ("kind:server", {2}),
        ("observation:other", {0, 1, 2, 3, 5}),
        ("type:tool", {4}),
        ("streaming:false", {4}),
        ("-streaming:true", {0, 1, 2, 3, 4, 5}),
        ("start>-1h", {0}),
        ("start>-3h", {0, 1}),
        ("start:2026-11-23", {0, 1}),
        ("start<2026-11-23T10:00:00Z", {1, 2, 3, 4, 5}),
        ("user:u42 or user:u43", {3, 4}),
        ("user:(u42 or u43) -tag:eu", {3}),
        ("tag:beta", {3, 4}),
        ("tag:a,b", set()),
        ('tag:"a,b"', {3}),
        ("tag:bet", set()),
        ("tag:e*", {4}),
        ("http.route:/api/*", {2}),
        ('"http.route":"/api/*"', {2}),
        ("attr.http.route:*", {2, 4}),
        ('http.route:""', {4}),
        ("attr.retries>5", {2}),
        ("attr.retries>=3", {2, 4}),
        ("attr.retries:12", {2}),
        ("resource.host.name:h1", {3}),
        ("-resource.host.name:*", {0, 1, 2, 4, 5}),
        ('"refund policy"', {5}),
        ("refund*policy", {2, 5}),
        ("refund", {2, 5}),
        ("EXCEPTION", {5}),
        ("refund -policy", set()),
        ("trace:000*", {0, 1, 2, 3, 4, 5}),
        ("-parent:*", {0, 1, 2, 3, 4, 5}),
    ],
)  # fmt: skip
def test_filters_mean_this(text, rows):
    mask = to_mask(parse(text), MEANT, "spans", NOW).to_pylist()
    assert {number for number, said in enumerate(mask) if said} == rows


def test_traces_without_their_spans_say_that_they_cannot_answer():
    rows = rows_at_random("traces", 3, 0)
    with pytest.raises(FilterError, match="only spans can answer") as caught:
        to_mask(parse("cost>0 http.route:x"), rows, "traces", NOW)
    assert caught.value.position == 8
