"""Spans of the application's own functions: `@observe` and `with span(...)`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from time import perf_counter_ns as now_ns
from typing import Any, TypeVar, overload

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import Status, StatusCode

from observatory.sdk import around, guard, settings, values

F = TypeVar("F", bound=Callable[..., Any])
KINDS = ("agent", "chain", "tool", "retriever", "reranker", "embedding", "guardrail", "evaluator", "llm")
_SCOPE = "observatory"
_MOST_ITEMS = 1000


class Span:
    """A span of the application. Each of its methods may be called at any time and none raises."""

    __slots__ = ("_otel", "_token")

    def __init__(self, otel: trace.Span) -> None:
        self._otel, self._token = otel, None

    @property
    @guard.safely(otherwise=lambda: "0" * 32)
    def trace_id(self) -> str:
        """32 hex digits; only zeros when nothing is recorded."""
        return f"{self._otel.get_span_context().trace_id:032x}"

    @property
    @guard.safely(otherwise=lambda: "0" * 16)
    def span_id(self) -> str:
        """16 hex digits."""
        return f"{self._otel.get_span_context().span_id:016x}"

    @guard.safely
    def set(self, *, input: Any = None, output: Any = None, **attributes: Any) -> None:
        """Say what went in, what came out, and anything else by its attribute's name (`_` stands for itself: use `set_attribute` for
        dots)."""
        if input is not None:
            self._content("input", input)
        if output is not None:
            self._content("output", output)
        for key, value in attributes.items():
            self.set_attribute(key, value)

    @guard.safely
    def set_attribute(self, key: str, value: Any) -> None:
        """A text, number, boolean or list of one of these; anything else is told as JSON."""
        if not isinstance(value, str | bool | int | float) and not _is_flat(value):
            value = values.text(value, settings.longest())[0]
        self._otel.set_attribute(key, value)

    @guard.safely
    def failed(self, error: BaseException | str) -> None:
        """Mark it as failed."""
        if isinstance(error, BaseException):
            self._otel.set_attribute("error.type", _type_name(error))
            if isinstance(error, Exception):
                self._otel.record_exception(error)
            self._otel.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"[:1000]))
        else:
            self._otel.set_status(Status(StatusCode.ERROR, str(error)[:1000]))

    @guard.safely
    def end(self) -> None:
        """End it; a second time nothing happens."""
        if self._otel.is_recording():
            self._otel.end()

    def _content(self, side: str, value: Any) -> None:
        if settings.content():
            text, kind = values.text(value, settings.longest())
            self._otel.set_attributes({f"{side}.value": text, f"{side}.mime_type": kind})

    def _enter(self) -> None:
        self._token = attach(trace.set_span_in_context(self._otel))

    def _leave(self) -> None:
        if self._token is not None:
            token, self._token = self._token, None
            detach(token)


class _Block:
    """`with span(...)`, `async with span(...)`; as a decorator it is `observe`."""

    def __init__(self, name: str, kind: str, input: Any, attributes: Mapping[str, Any]) -> None:
        self._name, self._kind, self._input, self._attributes = name, kind, input, attributes
        self._open: list[Span] = []

    def __enter__(self) -> Span:
        """Start it; the spans inside are its children."""
        opened = _opened(self._name, self._kind, self._input, self._attributes)
        self._open.append(opened)
        return opened

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        """End it; an exception marks it as failed and goes on."""
        if self._open:
            _closed(self._open.pop(), error)

    async def __aenter__(self) -> Span:
        """Start it."""
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        """End it."""
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        """Observe a function under this name."""
        return observe(function, name=self._name, kind=self._kind, attributes=self._attributes)


def span(name: str, *, kind: str = "chain", input: Any = None, attributes: Mapping[str, Any] | None = None) -> _Block:
    """A span around a block: `with observatory.span("rank", kind="reranker", input=query) as span: …; span.set(output=ranked)`."""
    return _Block(name, kind, input, attributes or {})


_NOTHING = Span(trace.INVALID_SPAN)


@guard.safely(otherwise=lambda: _NOTHING)
def _opened(name: str, kind: str, input: Any, attributes: Mapping[str, Any]) -> Span:
    opened = _started(name, kind, attributes)
    if input is not None:
        opened.set(input=input)
    opened._enter()
    return opened


@guard.safely
def _closed(opened: Span, error: BaseException | None) -> None:
    opened._leave()
    if error is not None:
        opened.failed(error)
    opened.end()


@overload
def observe(function: F, /) -> F: ...
@overload
def observe(
    function: None = None,
    /,
    *,
    name: str | None = None,
    kind: str = "chain",
    capture_input: bool = True,
    capture_output: bool = True,
    attributes: Mapping[str, Any] | None = None,
) -> Callable[[F], F]: ...
@overload
def observe(function: F, /, *, name: str | None = None, kind: str = "chain", attributes: Mapping[str, Any] | None = None) -> F: ...
def observe(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    kind: str = "chain",
    capture_input: bool = True,
    capture_output: bool = True,
    attributes: Mapping[str, Any] | None = None,
) -> Any:
    """A span around every call of a function: `@observe`, `@observe(kind="tool")`. See docs/SDK.md for what is captured.

    Functions may be sync, async, generators, async generators, static and class methods; of a class every public method of its own is
    observed. `kind` is one of agent, chain, tool, retriever, reranker, embedding, guardrail, evaluator, llm.
    """

    def decorate(target: Any) -> Any:
        try:
            plan = _Plan(name, _kind(kind), capture_input, capture_output, dict(attributes or {}))
            return around.wrap(target, plan.begin)
        except Exception as error:
            guard.failed("observe", error)
            return target

    return decorate if function is None else decorate(function)


class _Plan:
    """What an observed function's spans are like."""

    def __init__(self, name: str | None, kind: str, capture_input: bool, capture_output: bool, attributes: Mapping[str, Any]) -> None:
        self.name, self.kind, self.attributes = name, kind, attributes
        self.capture_input, self.capture_output = capture_input, capture_output

    def begin(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> around.Scope:
        name = self.name or getattr(function, "__qualname__", None) or type(function).__name__
        started = _started(name.rpartition("<locals>.")[2], self.kind, self.attributes)
        call = _Call(started, self)
        if self.capture_input and settings.content() and started._otel.is_recording():
            call.capture(function, args, kwargs)
        return call


class _Call(around.Scope):
    """One call of an observed function."""

    def __init__(self, started: Span, plan: _Plan) -> None:
        self._span, self._plan = started, plan
        self._items: list[Any] | None = None
        self._begun = now_ns()
        self.enter, self.leave = started._enter, started._leave

    @guard.safely
    def capture(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        said = values.arguments(function, args, kwargs, settings.longest())
        self._span._otel.set_attributes({"input.value": said, "input.mime_type": "application/json"})

    def item(self, value: Any) -> None:
        if self._items is None:
            self._items = []
            if self._plan.kind == "llm":
                self._span.set_attribute("gen_ai.response.time_to_first_chunk", (now_ns() - self._begun) / 1e9)
        if len(self._items) < _MOST_ITEMS:
            self._items.append(value)

    def end(self, result: Any = None, error: BaseException | None = None) -> None:
        try:
            if isinstance(error, GeneratorExit):
                self._span.set_attribute("observatory.abandoned", True)
            elif error is not None:
                self._span.failed(error)
            if self._plan.capture_output and self._span._otel.is_recording():
                self._told(result)
        finally:
            self._span.end()

    @guard.safely
    def _told(self, result: Any) -> None:
        items = self._items
        if items:
            result = "".join(items) if all(isinstance(item, str) for item in items) else items
        if result is not None and not inspect.isgenerator(result):
            self._span.set(output=result)


def _started(name: str, kind: str, attributes: Mapping[str, Any]) -> Span:
    kind = _kind(kind)
    recorded: dict[str, Any] = {"openinference.span.kind": kind.upper()}
    if kind == "tool":
        recorded["gen_ai.tool.name"] = name
    elif kind == "agent":
        recorded["gen_ai.agent.name"] = name
    started = Span(_tracer(trace.get_tracer_provider()).start_span(name, attributes=recorded))
    for key, value in attributes.items():
        started.set_attribute(key, value)
    return started


@functools.lru_cache(1)
def _tracer(provider: trace.TracerProvider) -> trace.Tracer:
    return provider.get_tracer(_SCOPE, settings.version())


def _kind(kind: str) -> str:
    if kind in KINDS:
        return kind
    guard.say_once(f"observe: kind {kind!r} is unknown, chain is used (known: {', '.join(KINDS)})")
    return "chain"


def _type_name(error: BaseException) -> str:
    module = type(error).__module__
    return type(error).__qualname__ if module == "builtins" else f"{module}.{type(error).__qualname__}"


def _is_flat(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len({type(item) for item in value}) <= 1
        and all(isinstance(i, str | bool | int | float) for i in value)
    )
