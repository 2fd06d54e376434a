"""`@observe`, `span`, session, user, tags and metadata, over every kind of function."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

import observatory
from observatory.sdk.context import ContextOnSpans
from observatory.sdk.threads import carry_into_threads


class Ended(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)

    def named(self, name: str) -> ReadableSpan:
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, [span.name for span in self.spans]
        return found[0]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Ended:
    provider, processor = TracerProvider(shutdown_on_exit=False), Ended()
    provider.add_span_processor(ContextOnSpans())
    provider.add_span_processor(processor)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return processor


@observatory.observe
def plain(question: str, *more: int, loud: bool = False) -> dict[str, Any]:
    return {"answer": question.upper()}


@observatory.observe(kind="tool", name="look up")
async def later(city: str) -> str:
    await asyncio.sleep(0)
    return f"sunny in {city}"


@observatory.observe(kind="llm")
def words(count: int) -> Iterator[str]:
    for i in range(count):
        with observatory.span(f"inside {i}"):
            yield f"w{i} "


@observatory.observe
async def words_later(count: int) -> AsyncIterator[str]:
    for i in range(count):
        await asyncio.sleep(0)
        yield f"w{i} "


@observatory.observe
def fails() -> None:
    raise ValueError("no such city")


@observatory.observe(kind="chain")
class Shop:
    def sell(self, thing: str) -> str:
        return self._wrap(thing)

    def _wrap(self, thing: str) -> str:
        return thing

    @staticmethod
    def price(thing: str) -> int:
        return len(thing)

    @classmethod
    def named(cls, name: str) -> str:
        return f"{cls.__name__} {name}"

    async def order(self, thing: str) -> str:
        return thing


def of(span: ReadableSpan, key: str) -> Any:
    return (span.attributes or {}).get(key)


def test_arguments_and_result_are_told_and_nothing_about_the_function_changes(ended: Ended) -> None:
    assert plain("why", 1, 2, loud=True) == {"answer": "WHY"}
    span = ended.named("plain")
    assert json.loads(of(span, "input.value")) == {"question": "why", "more": [1, 2], "loud": True}
    assert json.loads(of(span, "output.value")) == {"answer": "WHY"}
    assert of(span, "openinference.span.kind") == "CHAIN"
    assert plain.__name__ == "plain"
    assert str(inspect.signature(plain)) == "(question: 'str', *more: 'int', loud: 'bool' = False) -> 'dict[str, Any]'"


async def test_an_async_function_stays_one(ended: Ended) -> None:
    assert inspect.iscoroutinefunction(later)
    assert await later("Lisbon") == "sunny in Lisbon"
    span = ended.named("look up")
    assert (of(span, "gen_ai.tool.name"), of(span, "output.value")) == ("look up", "sunny in Lisbon")


def test_a_generator_is_one_span_and_its_children_are_inside_without_leaking_between_steps(ended: Ended) -> None:
    generator = words(3)
    first = next(generator)
    assert trace.get_current_span() is trace.INVALID_SPAN or not trace.get_current_span().is_recording()
    with observatory.span("between"):
        rest = list(generator)
    assert [first, *rest] == ["w0 ", "w1 ", "w2 "]
    outer = ended.named("words")
    assert of(outer, "output.value") == "w0 w1 w2 "
    assert of(outer, "gen_ai.response.time_to_first_chunk") > 0
    for i in range(3):
        child = ended.named(f"inside {i}")
        assert child.parent is not None
        assert outer.context is not None
        assert child.parent.span_id == outer.context.span_id
    assert ended.named("between").parent is None


@pytest.mark.parametrize("how", ["close", "drop"])
def test_a_generator_that_is_left_has_an_ended_span(ended: Ended, how: str) -> None:
    generator = words(10)
    next(generator)
    if how == "close":
        generator.close()
    del generator
    gc.collect()
    span = ended.named("words")
    assert of(span, "observatory.abandoned") is True
    assert of(span, "output.value") == "w0 "
    assert span.status.is_unset
    assert not trace.get_current_span().get_span_context().is_valid


async def test_an_async_generator_that_is_left_leaves_nothing_behind(ended: Ended) -> None:
    @observatory.observe
    async def numbers() -> AsyncIterator[int]:
        for i in range(10):
            with observatory.span("inside"):
                yield i

    generator: Any = numbers()
    await anext(generator)
    await generator.aclose()
    assert {span.name.rpartition(".")[2] for span in ended.spans} == {"inside", "numbers"}
    assert not trace.get_current_span().get_span_context().is_valid


def test_values_sent_and_exceptions_thrown_reach_a_generator(ended: Ended) -> None:
    @observatory.observe
    def echo() -> Any:
        heard = None
        while True:
            try:
                heard = yield heard
            except KeyError as error:
                heard = f"caught {error}"
            if heard == "stop":
                return "done"

    generator = echo()
    assert next(generator) is None
    assert generator.send("hello") == "hello"
    assert generator.throw(KeyError("x")) == "caught 'x'"
    with pytest.raises(StopIteration) as stopped:
        generator.send("stop")
    assert stopped.value.value == "done"


async def test_async_generators_end_their_span_when_finished_closed_or_cancelled(ended: Ended) -> None:
    assert [word async for word in words_later(3)] == ["w0 ", "w1 ", "w2 "]
    assert of(ended.named("words_later"), "output.value") == "w0 w1 w2 "
    ended.spans.clear()

    left = words_later(10)
    await anext(left)
    await left.aclose()
    assert of(ended.named("words_later"), "observatory.abandoned") is True
    ended.spans.clear()

    going = asyncio.Event()

    @observatory.observe
    async def forever() -> AsyncIterator[int]:
        yield 1
        going.set()
        await asyncio.sleep(60)

    async def read() -> None:
        async for _ in forever():
            pass

    task = asyncio.create_task(read())
    await going.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    span = ended.spans[-1]
    assert of(span, "error.type") == "asyncio.exceptions.CancelledError"
    assert not span.status.is_ok


def test_an_exception_is_told_and_goes_on(ended: Ended) -> None:
    with pytest.raises(ValueError, match="no such city"):
        fails()
    span = ended.named("fails")
    assert of(span, "error.type") == "ValueError"
    assert span.status.description == "ValueError: no such city"
    assert [event.name for event in span.events] == ["exception"]


async def test_a_class_has_its_public_methods_observed(ended: Ended) -> None:
    shop = Shop()
    assert (shop.sell("tea"), Shop.price("tea"), Shop.named("A"), await shop.order("tea")) == ("tea", 3, "Shop A", "tea")
    assert [span.name for span in ended.spans] == ["Shop.sell", "Shop.price", "Shop.named", "Shop.order"]
    assert json.loads(of(ended.spans[0], "input.value")) == {"thing": "tea"}
    assert json.loads(of(ended.spans[2], "input.value")) == {"name": "A"}


def test_values_are_told_within_limits_and_never_run(ended: Ended) -> None:
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError

    endless = iter(int, 1)

    @observatory.observe
    def takes(**values: Any) -> Any:
        return values["endless"]

    loop: dict[str, Any] = {}
    loop["self"] = loop
    assert takes(bad=Bad(), endless=endless, data=b"12345", many=list(range(1000)), loop=loop, nan=float("nan")) is endless
    said = json.loads(of(ended.spans[-1], "input.value"))
    assert said["bad"] == "[Bad]"
    assert said["endless"] == "[callable_iterator]"
    assert said["data"] == "[5 bytes]"
    assert said["many"][-1] == "[900 more]"


def test_input_and_output_can_be_left_out(ended: Ended) -> None:
    @observatory.observe(capture_input=False, capture_output=False, attributes={"team": "a"})
    def secret(word: str) -> str:
        return word

    secret("swordfish")
    assert "swordfish" not in str(ended.named("test_input_and_output_can_be_left_out.secret".rpartition(".")[2]).attributes)
    assert of(ended.spans[0], "team") == "a"


def test_an_unknown_kind_is_a_chain(ended: Ended) -> None:
    with observatory.span("x", kind="wizard") as span:
        span.set(output={"a": 1}, rows=3)
        assert len(span.trace_id) == 32
    assert of(ended.named("x"), "openinference.span.kind") == "CHAIN"
    assert of(ended.named("x"), "rows") == 3


def test_who_it_is_for_reaches_every_span_and_ends_with_its_block(ended: Ended) -> None:
    with observatory.session("s-1"), observatory.user("ada"), observatory.tags("a", "b"), observatory.metadata(tenant="acme", seats=3):
        with observatory.tags("c", "a"), observatory.session("s-2"):
            plain("inner")
        plain("outer")
    plain("after")
    inner, outer, after = ended.spans
    assert (of(inner, "session.id"), of(inner, "user.id"), of(inner, "tag.tags")) == ("s-2", "ada", ("a", "b", "c"))
    assert (of(outer, "session.id"), of(outer, "tag.tags"), of(outer, "metadata.tenant"), of(outer, "metadata.seats")) == (
        "s-1",
        ("a", "b"),
        "acme",
        "3",
    )
    assert not {"session.id", "user.id", "tag.tags"} & set(after.attributes or {})


async def test_decorated_functions_of_every_kind_carry_it_too(ended: Ended) -> None:
    @observatory.session("s-1")
    def sync() -> None:
        plain("x")

    @observatory.session("s-2")
    async def coroutine() -> None:
        await asyncio.sleep(0)
        await later("x")

    @observatory.user("u-3")
    def generator() -> Iterator[None]:
        plain("x")
        yield
        plain("x")

    sync()
    await asyncio.gather(coroutine(), coroutine())
    for _ in generator():
        plain("between")
    assert [(of(span, "session.id"), of(span, "user.id")) for span in ended.spans] == [
        ("s-1", None), ("s-2", None), ("s-2", None), (None, "u-3"), (None, None), (None, "u-3")
    ]  # fmt: skip


def test_threads_and_pools_carry_it(ended: Ended) -> None:
    carry_into_threads()
    with observatory.session("s-1"), observatory.span("outer"):
        thread = threading.Thread(target=plain, args=("in a thread",))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(plain, ["a", "b", "c"]))
            pool.submit(plain, "d").result()
        future = pool
    outer = ended.named("outer")
    assert outer.context is not None
    inside = [span for span in ended.spans if span.name == "plain"]
    assert len(inside) == 5
    assert {of(span, "session.id") for span in inside} == {"s-1"}
    assert {span.parent.span_id for span in inside if span.parent} == {outer.context.span_id}
    assert future is not None


def test_another_process_goes_on_with_what_was_put_into_a_message(ended: Ended) -> None:
    with observatory.session("s-1"), observatory.user("grüße, ada"), observatory.span("outer") as outer:
        message = observatory.carrier()
    assert set(message) == {"traceparent", "baggage"}
    with observatory.carried({**message, "X-Other": "y"}):
        plain("elsewhere")
    span = ended.named("plain")
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (outer.trace_id, outer.span_id)
    assert (of(span, "session.id"), of(span, "user.id")) == ("s-1", "grüße, ada")


def test_what_comes_by_baggage_from_elsewhere_is_checked(ended: Ended) -> None:
    with observatory.carried({"baggage": "session.id=s,observatory.tags=not-json,stranger=1,observatory.metadata.k=v"}):
        plain("x")
    attributes = ended.named("plain").attributes or {}
    assert attributes["session.id"] == "s"
    assert attributes["tag.tags"] == ()
    assert attributes["metadata.k"] == "v"
    assert "stranger" not in attributes
