"""What counts, told in every order."""

from __future__ import annotations

import itertools

import pytest
from candidates import SECOND, SPANS, Span, Told, table
from hypothesis import given, strategies as st

from observatory.model.schema import schema
from observatory.model.signal import Signal

WRAPPED = (
    Span(1, kind=None),
    Span(2, 1, kind="llm", tokens=(10, 5)),  # the framework's
    Span(3, 2, kind=None),
    Span(4, 3, kind="llm", tokens=(10, 5)),  # the client's
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_innermost_call_counts_whatever_the_order_of_arrival(order: tuple[int, ...]) -> None:
    told = Told()
    for index in order:
        told.step(WRAPPED[index])
    assert told.counted() == {4}
    assert told.reason(2) == "wraps_call"
    assert told.tokens == 15


def test_a_whole_trace_at_once_needs_no_revision() -> None:
    told = Told()
    told.step(*WRAPPED)
    assert told.counted() == {4}
    assert told.revisions == 0


def test_three_layers_count_once() -> None:
    spans = [Span(1, kind="llm", tokens=(9, 9)), Span(2, 1, kind="llm"), Span(3, 2, kind="llm", tokens=(9, 9))]
    for order in itertools.permutations(spans):
        told = Told()
        for span in order:
            told.step(span)
        assert told.counted() == {3}, [s.name for s in order]


def test_a_call_without_usage_inside_one_with_usage_is_a_part_of_it() -> None:
    told = Told()
    told.step(Span(2, 1, kind="llm"))
    assert told.counted() == {2}
    told.step(Span(1, kind="llm", tokens=(7, 7)))
    assert told.counted() == {1}
    assert told.reason(2) == "part_of_call"


def test_a_part_of_a_call_is_one_no_longer_when_that_call_turns_out_to_wrap_another() -> None:
    told = Told()
    told.step(Span(3, kind="llm", tokens=(10, 5)), Span(7, 3, kind="llm"))
    assert told.counted() == {3}
    told.step(Span(5, 3, kind="llm", tokens=(10, 5)))
    assert told.counted() == {5, 7}


def test_an_embedding_inside_a_call_is_no_part_of_it() -> None:
    told = Told()
    told.step(Span(1, kind="llm", tokens=(7, 7)), Span(2, 1, kind="embedding", tokens=(3, 0)), Span(3, 2, kind="embedding", tokens=(3, 0)))
    assert told.counted() == {1, 3}


def test_a_retry_counts_each_attempt() -> None:
    failed = Span(2, 1, kind="llm", of={"is_error": True, "has_output": False})
    told = Told()
    told.step(Span(1, kind="llm", tokens=(7, 7)), failed, Span(3, 1, kind="llm", tokens=(7, 7)))
    assert told.counted() == {2, 3}


def test_bookkeeping_is_no_call() -> None:
    told = Told()
    told.step(Span(1, kind="llm", of={"has_output": False}), Span(2, 1, kind="llm", of={"never_counts": "prompt_template"}))
    assert told.counted() == set()
    assert (told.reason(1), told.reason(2)) == ("no_call", "prompt_template")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_an_agent_that_sums_up_its_calls_does_not_count(order: tuple[int, ...]) -> None:
    spans = [Span(1, kind="agent", tokens=(20, 10)), Span(2, 1, kind="llm", tokens=(10, 5)), Span(3, 1, kind="llm", tokens=(10, 5))]
    told = Told()
    for index in order:
        told.step(spans[index])
    assert told.counted() == {2, 3}
    assert told.reason(1) == "sums_up"


def test_the_topmost_agent_counts_where_no_call_is_shown() -> None:
    for order in itertools.permutations([Span(1, kind="agent", tokens=(9, 9)), Span(2, 1), Span(3, 2, kind="chain", tokens=(9, 9))]):
        told = Told()
        for span in order:
            told.step(span)
        assert told.counted() == {1}


NATIVE = {"native_sdk": True, "response_id": "msg_1"}


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("place", [(2, 1, 1), (2, 0, 1), (2, 0, 2)], ids=["inside", "beside", "in its own trace"])
def test_the_sdks_own_span_of_a_call_does_not_count(flipped: bool, together: bool, place: tuple[int, int, int]) -> None:
    name, parent, trace = place
    native = Span(name, parent, trace, kind="llm", tokens=(10, 5), of={**NATIVE, "cache_write_1h_tokens": 3})
    spans = [Span(1, kind="llm", tokens=(10, 5), of={"response_id": "msg_1"}), native]
    told = Told()
    for step in [spans[::-1] if flipped else spans] if together else [[s] for s in (spans[::-1] if flipped else spans)]:
        told.step(*step)
    assert told.counted(1) | ({9} & told.counted(2)) == {1}
    assert told.reason(name, trace) == "sdk_duplicate"
    assert told.says(1, "cache_write_1h_tokens") == (3,), "what only the SDK knew"


def test_usage_that_only_the_sdk_knew_is_not_lost() -> None:
    told = Told()
    told.step(Span(1, kind="llm", of={"response_id": "msg_1"}))
    told.step(Span(2, 0, 2, kind="llm", tokens=(10, 5), of=NATIVE))
    assert told.counted() == {1}
    assert told.says(1, "input_tokens", "output_tokens", "total_tokens", "unpriced_reason") == (10, 5, 15, None)
    assert told.calls == 1 and told.tokens == 15


def test_an_sdks_span_that_failed_is_known_by_its_time() -> None:
    error = {"is_error": True, "has_output": False, "native_sdk": True}
    for order in ((0, 1), (1, 0)):
        spans = [
            Span(1, kind="llm", of={"is_error": True, "start_ns": 1000 * SECOND, "duration_ns": SECOND}),
            Span(2, 0, 2, kind="llm", of={**error, "start_ns": 1000 * SECOND + 1000, "duration_ns": SECOND // 2}),
        ]
        told = Told()
        for index in order:
            told.step(spans[index])
        assert told.counted(1) == {1} and told.counted(2) == set()


def test_an_sdks_span_on_its_own_counts() -> None:
    told = Told()
    told.step(Span(1, kind="llm", tokens=(10, 5), of=NATIVE))
    told.step(Span(2, kind="llm", trace=2, tokens=(1, 1), of={"start_ns": 5 * SECOND, "response_id": "other"}))
    assert told.counted(1) == {1} and told.counted(2) == {2}


def test_a_span_that_is_sent_twice_is_one_call() -> None:
    told = Told()
    told.step(Span(1, kind="llm", tokens=(10, 5)), Span(1, kind="llm", tokens=(10, 5)))
    told.step(Span(1, kind="llm", tokens=(10, 5)))
    assert told.calls == 1 and told.counting.duplicates == 2


def test_session_and_user_come_from_anywhere_in_the_trace() -> None:
    told = Told()
    told.step(Span(2, 1, kind="llm", tokens=(1, 1)), Span(3, 1, kind="llm", tokens=(1, 1), said={"user_id": "own"}))
    assert told.says(2, "session_id", "user_id") == (None, "own")
    told.step(Span(1, said={"session_id": "s", "user_id": "root", "tags": ["a", "b"]}))
    assert told.says(2, "session_id", "user_id", "tags") == ("s", "own", ["a", "b"])
    assert told.says(3, "session_id", "user_id") == ("s", "own")
    told.step(Span(4, 1, kind="llm", tokens=(1, 1)), Span(1, trace=2, kind="llm", tokens=(1, 1)))
    assert told.says(4, "session_id", "tags") == ("s", ["a", "b"])
    assert told.says(1, "session_id", trace=2) == (None,)


def test_how_a_call_ended_may_be_said_by_a_log_record_before_or_after_it() -> None:
    told = Told()
    told.step(ended={2: "stop", 9: "length"})
    told.step(Span(1, kind="llm", tokens=(1, 1)), Span(2, kind="llm", tokens=(1, 1)))
    assert [told.says(n, "finish_reason", "revision") for n in (1, 2)] == [(None, 0), ("stop", 0)]
    told.step(ended={1: "tool_call", 2: "length"})
    assert [told.says(n, "finish_reason", "revision") for n in (1, 2)] == [("tool_call", 1), ("stop", 0)], "the first is believed"


def told_around_a_restart(spans: list[Span], cut: int) -> Told:
    """Told `spans[:cut]` one by one, then another counting that reads back what was stored, told the rest."""
    told, again = Told(), Told()
    for span in spans[:cut]:
        told.step(span)
    again.latest, again.calls, again.tokens, again.cost = told.latest, told.calls, told.tokens, told.cost
    stored = table(schema(Signal.LLM_CALLS), list(told.latest.values()))
    again.counting.recall(table(SPANS, [s.ids for s in spans[:cut]]), stored, told.now)
    for span in spans[cut:]:
        again.step(span)
    return again


def test_a_restart_goes_on_where_it_was() -> None:
    spans = [Span(4, 3, kind="llm", tokens=(10, 5)), Span(3, 2), Span(2, 1, kind="llm", tokens=(10, 5)), Span(1)]
    for cut in range(5):
        assert told_around_a_restart(spans, cut).counted() == {4}, cut


def test_memory_is_bounded_and_what_was_forgotten_is_judged_alone() -> None:
    told = Told(calls=64, spans=256)
    for first in range(1, 2000, 50):
        told.step(*(Span(n, trace=n, kind="llm", tokens=(1, 1)) for n in range(first, first + 50)))
    assert told.calls == 2000
    told.step(*(Span(n, trace=n, kind="llm", tokens=(1, 1)) for n in range(3000, 3300)))
    assert told.calls == 2300


@st.composite
def forests(draw: st.DrawFn) -> list[Span]:
    """Trees of spans over two traces, some of which are calls of two kinds, agents, or SDKs' own."""
    spans = []
    for name in range(1, draw(st.integers(1, 12)) + 1):
        kind = draw(st.sampled_from([None, None, "llm", "llm", "embedding", "agent"]))
        tokens = draw(st.sampled_from([None, (10, 5), (3, 1)])) if kind else None
        if kind == "agent" and tokens is None:
            kind = None
        of = {}
        if kind == "llm":
            of = {"has_output": draw(st.booleans()), "is_error": draw(st.booleans())}
        spans.append(Span(name, draw(st.integers(0, name - 1)), 1, kind, tokens, of))
    return spans


def expected(spans: list[Span]) -> set[int]:
    """The rule, span by span, with everything known."""
    by_name = {s.name: s for s in spans}

    def call(s: Span) -> bool:
        return s.tokens is not None or s.of.get("has_output", True) or s.of.get("is_error", False)

    def outer(s: Span) -> Span | None:
        above = by_name.get(s.parent)
        while above is not None and above.kind != s.kind:
            above = by_name.get(above.parent)
        return above

    inside: dict[int, list[Span]] = {s.name: [] for s in spans}
    for s in spans:
        above = outer(s) if s.kind else None
        while above is not None:
            inside[above.name].append(s)
            above = outer(above)
    found = set()
    used = any(s.kind == "llm" and s.tokens for s in spans)
    for s in spans:
        within, above = inside[s.name], outer(s) if s.kind else None
        if s.kind == "agent":
            counts = not used and above is None
        elif s.kind is None or not call(s) or any(i.tokens for i in within) or (not s.tokens and any(call(i) for i in within)):
            counts = False
        else:
            part = (
                above is not None
                and not s.tokens
                and not s.of.get("is_error")
                and above.tokens
                and not any(i.tokens for i in inside[above.name])
            )
            counts = not part
        if counts:
            found.add(s.name)
    return found


@given(spans=forests(), data=st.data())
def test_what_counts_does_not_depend_on_order_or_batching(spans: list[Span], data: st.DataObject) -> None:
    order = data.draw(st.permutations(spans))
    told = Told()
    while order:
        size = data.draw(st.integers(1, len(order)))
        told.step(*order[:size])
        order = order[size:]
    assert told.counted() == expected(spans)


@given(spans=forests(), data=st.data())
def test_a_restart_between_any_two_spans_changes_nothing(spans: list[Span], data: st.DataObject) -> None:
    order = data.draw(st.permutations(spans))
    cut = data.draw(st.integers(0, len(order)))
    assert told_around_a_restart(order, cut).counted() == expected(spans)


def test_a_call_says_its_parent_only_while_something_above_it_can_change_how_it_counts() -> None:
    told = Told()
    parent = (3).to_bytes(8, "big")
    told.step(Span(4, 3, kind="llm", tokens=(10, 5)))
    assert told.says(4, "parent_span_id") == (parent,), "its parent has not arrived"
    told.step(Span(3), Span(5, 3, kind="llm", tokens=(1, 1)))
    assert told.says(5, "parent_span_id") == (None,), "its parent is a root and no call"
    told.step(Span(6, 4, kind="llm", tokens=(1, 1)))
    assert told.says(6, "parent_span_id") == ((4).to_bytes(8, "big"),), "its parent is a call"


def test_a_span_sent_over_and_over_is_one_call_however_far_apart() -> None:
    """Links lie in runs of steps: a later run of few spans must not hide what an earlier one says of the span."""
    told = Told()
    told.step(*(Span(n, trace=n, kind="llm", tokens=(1, 1)) for n in range(1, 101)))
    for again in range(4):
        told.step(Span(7, trace=7, kind="llm", tokens=(1, 1)), *(Span(n, trace=n) for n in range(1000 + again * 10, 1010 + again * 10)))
    assert told.calls == 100 and told.counting.duplicates == 4
    told.step(Span(8, 7, trace=7, kind="llm", tokens=(1, 1)))
    assert told.reason(7, 7) == "wraps_call", "a child that comes after the repeated one finds its parent"


def test_a_span_that_is_sent_before_it_is_complete_is_one_call() -> None:
    """Some tell of a span when it begins and again when it has ended: only then it is a call."""
    told = Told()
    told.step(Span(1))
    for _ in range(3):
        told.step(Span(1, kind="llm", tokens=(1, 1)))
    assert told.calls == 1 and told.counting.duplicates == 2


def test_a_span_sent_twice_in_one_step_is_one_call() -> None:
    told = Told()
    told.step(*[Span(n, trace=n, kind="llm", tokens=(1, 1)) for n in (1, 2, 1, 3, 2, 1)])
    assert told.calls == 3 and told.counting.duplicates == 3


def test_in_a_flood_children_find_their_parents() -> None:
    """More calls in one step than half of what is remembered are looked at in two parts."""
    told = Told(calls=64, spans=1024)
    wrapped = [span for n in range(1, 49) for span in (Span(2, 1, trace=n, kind="llm", tokens=(1, 1)), Span(1, trace=n, kind="llm"))]
    told.step(*wrapped)
    told.step(*(Span(3, 2, trace=n, kind="llm", tokens=(1, 1)) for n in range(40, 49)))
    assert {told.reason(2, n) for n in range(40, 49)} == {"wraps_call"}
