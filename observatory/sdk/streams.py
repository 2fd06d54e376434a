"""Time to the first token of streamed calls, and an end for every span, where an instrumentation does not see to it.

The functions that give streams are named in the table of libraries and wrapped outside the instrumentation. Whichever span of a model's
call is still open when such a function returns belongs to the stream: the stream is given out in a transparent wrapper that notes the
first chunk, keeps the span current while the next one is fetched (some clients send the request only then), and ends the span when the
stream is over, broken, closed or dropped.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable
from importlib import import_module
from time import perf_counter_ns
from typing import Any

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import Status, StatusCode

from observatory.sdk import guard
from observatory.sdk.calls import is_open_call, says_model_call, starting

FIRST = "gen_ai.response.time_to_first_chunk"
ABANDONED = "observatory.abandoned"


def watch(targets: Iterable[str]) -> None:
    """Wrap each `module:Class.method` or `module:function`; one that this version of the library does not have is left out."""
    for target in targets:
        guard.safely(_watch)(target)


def _watch(target: str) -> None:
    module, _, path = target.partition(":")
    try:
        owner: Any = import_module(module)
    except ModuleNotFoundError:
        return
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent, None)
    function = inspect.getattr_static(owner, name, None)
    if function is None or hasattr(function, "_observatory_watched"):
        return
    setattr(owner, name, _watched(function, method=inspect.isclass(owner)))


def _watched(function: Any, *, method: bool) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        begun, spans = perf_counter_ns(), []
        token = starting.set(spans)
        try:
            # wrappers of instrumentations want to be bound: called with the instance as an argument they take it for one of the call's
            result = function.__get__(args[0], type(args[0]))(*args[1:], **kwargs) if method else function(*args, **kwargs)
        finally:
            starting.reset(token)
        if inspect.iscoroutine(result) or (inspect.isawaitable(result) and not hasattr(result, "__anext__")):
            return _awaited(result, begun, spans, kwargs.get("model"))
        return guard.safely(_given_out, otherwise=lambda: result)(result, begun, spans, kwargs.get("model"))

    call._observatory_watched = True  # type: ignore[attr-defined]
    return call


async def _awaited(result: Any, begun: int, spans: list[Any], model: Any) -> Any:
    token = starting.set(spans)
    try:
        stream = await result
    finally:
        starting.reset(token)
    return guard.safely(_given_out, otherwise=lambda: stream)(stream, begun, spans, model)


def _given_out(result: Any, begun: int, spans: list[Any], model: Any = None) -> Any:
    """The stream in its wrapper; anything else as it is: an answer's span has ended by now."""
    call = next(filter(is_open_call, spans), None)
    if call is not None and any(hasattr(result, name) for name in ("__next__", "__anext__", "__iter__", "__aiter__")):
        return Stream(result, _Call(call, begun, model))
    if call is None and (hasattr(result, "__enter__") or hasattr(result, "__aenter__")):
        return Manager(result)
    return result


class _Call:
    """The span of a streamed call, until it ends."""

    def __init__(self, span: Any, begun: int, model: Any) -> None:
        self.span, self._begun, self._model, self._first, self._over = span, begun, model, True, False
        self.managed = False  # a context manager's exit ends it: until then more may be said
        self._context = trace.set_span_in_context(span)

    @guard.safely
    def enter(self) -> Any:
        # where the instrumentation has made it current, it also undoes that, in the middle of a step: nothing of ours may lie above it
        return attach(self._context) if not self._over and trace.get_current_span() is not self.span else None

    @guard.safely
    def leave(self, token: Any) -> None:
        if token is not None:
            detach(token)

    @guard.safely
    def chunk(self) -> None:
        if not self._first:
            return
        self._first = False
        if self.span.is_recording() and FIRST not in (self.span.attributes or {}):
            self.span.set_attributes({FIRST: (perf_counter_ns() - self._begun) / 1e9, "gen_ai.request.stream": True})

    @guard.safely
    def stopped(self, error: BaseException) -> None:
        """There is no next chunk: the stream has ended, or it broke."""
        if not self.managed:
            self.over(None if isinstance(error, StopIteration | StopAsyncIteration) else error)

    @guard.safely
    def over(self, error: BaseException | None = None, *, abandoned: bool = False) -> None:
        """The instrumentation had its turn: what it left open is ended here."""
        if self._over:
            return
        self._over = True
        if not self.span.is_recording():
            return
        if abandoned:
            self.span.set_attribute(ABANDONED, True)
        if error is not None:
            self.span.set_attribute("error.type", type(error).__qualname__)
            self.span.set_status(Status(StatusCode.ERROR, str(error)[:1000]))
        if not says_model_call(self.span.attributes):  # its instrumentation says so at the end only, and is not asked any more
            self.span.set_attribute("openinference.span.kind", "LLM")
            if isinstance(self._model, str):
                self.span.set_attribute("llm.model_name", self._model)
        self.span.end()


class _Transparent:
    """Stands for something and behaves like it in all, `isinstance` included."""

    def __init__(self, inner: Any, call: _Call | None = None, source: Any = None) -> None:
        self.__dict__.update(_observatory_inner=inner, _observatory_call=call, _observatory_source=source)

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return type(self.__dict__["_observatory_inner"])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_observatory_inner"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_observatory_inner"], name, value)


class Manager(_Transparent):
    """A context manager that sends its request when it is entered, and gives the stream then."""

    def __enter__(self) -> Any:
        begun, spans = perf_counter_ns(), []
        token = starting.set(spans)
        try:
            entered = self.__dict__["_observatory_inner"].__enter__()
        finally:
            starting.reset(token)
        return self._observatory_entered(entered, begun, spans)

    async def __aenter__(self) -> Any:
        begun, spans = perf_counter_ns(), []
        token = starting.set(spans)
        try:
            entered = await self.__dict__["_observatory_inner"].__aenter__()
        finally:
            starting.reset(token)
        return self._observatory_entered(entered, begun, spans)

    def _observatory_entered(self, entered: Any, begun: int, spans: list[Any]) -> Any:
        stream = guard.safely(_given_out, otherwise=lambda: entered)(entered, begun, spans)
        if isinstance(call := getattr(stream, "_observatory_call", None), _Call):
            self.__dict__["_observatory_call"], call.managed = call, True
        return stream

    def __exit__(self, *error: Any) -> Any:
        try:
            return self.__dict__["_observatory_inner"].__exit__(*error)
        finally:
            if self.__dict__["_observatory_call"] is not None:
                self.__dict__["_observatory_call"].over(error[1], abandoned=True)

    async def __aexit__(self, *error: Any) -> Any:
        try:
            return await self.__dict__["_observatory_inner"].__aexit__(*error)
        finally:
            if self.__dict__["_observatory_call"] is not None:
                self.__dict__["_observatory_call"].over(error[1], abandoned=True)


_TO_THE_END = ("until_done", "get_final_message", "get_final_text", "get_final_completion", "get_final_response")
"""Methods of streams that read all of it by themselves."""


class Stream(_Transparent):
    """A stream that tells its call of the first chunk and of the end. What is made from it (`iter`, `text_stream`) tells the same call."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["_observatory_inner"], name)
        if hasattr(value, "__next__") or hasattr(value, "__anext__"):
            return self._observatory_derived(value)
        if name in _TO_THE_END and callable(value):
            return self._observatory_to_the_end(value)
        return value

    def _observatory_derived(self, value: Any) -> Any:
        return self if value is self.__dict__["_observatory_inner"] else Stream(value, self.__dict__["_observatory_call"], self)

    def _observatory_to_the_end(self, method: Any) -> Any:
        if inspect.iscoroutinefunction(method):

            async def later(*args: Any, **kwargs: Any) -> Any:
                async for _ in self:
                    pass
                return await method(*args, **kwargs)

            return later

        def now(*args: Any, **kwargs: Any) -> Any:
            for _ in self:
                pass
            return method(*args, **kwargs)

        return now

    def __iter__(self) -> Any:
        return self._observatory_derived(iter(self.__dict__["_observatory_inner"]))

    def __aiter__(self) -> Any:
        return self._observatory_derived(self.__dict__["_observatory_inner"].__aiter__())

    def __next__(self) -> Any:
        call: _Call = self.__dict__["_observatory_call"]
        token = call.enter()
        try:
            item = next(self.__dict__["_observatory_inner"])
        except BaseException as error:
            call.leave(token)
            call.stopped(error)
            raise
        call.leave(token)
        call.chunk()
        return item

    async def __anext__(self) -> Any:
        call: _Call = self.__dict__["_observatory_call"]
        token = call.enter()
        try:
            item = await self.__dict__["_observatory_inner"].__anext__()
        except BaseException as error:
            call.leave(token)
            call.stopped(error)
            raise
        call.leave(token)
        call.chunk()
        return item

    def __enter__(self) -> Any:
        return self._observatory_derived(self.__dict__["_observatory_inner"].__enter__())

    def __exit__(self, *error: Any) -> Any:
        try:
            return self.__dict__["_observatory_inner"].__exit__(*error)
        finally:
            self.__dict__["_observatory_call"].over(error[1], abandoned=True)

    async def __aenter__(self) -> Any:
        return self._observatory_derived(await self.__dict__["_observatory_inner"].__aenter__())

    async def __aexit__(self, *error: Any) -> Any:
        try:
            return await self.__dict__["_observatory_inner"].__aexit__(*error)
        finally:
            self.__dict__["_observatory_call"].over(error[1], abandoned=True)

    def close(self) -> Any:
        """Close the stream; its span ends."""
        try:
            result = self.__dict__["_observatory_inner"].close()
        except BaseException:
            self.__dict__["_observatory_call"].over(abandoned=True)
            raise
        if inspect.isawaitable(result):
            return self._observatory_closed(result)
        self.__dict__["_observatory_call"].over(abandoned=True)
        return result

    async def aclose(self) -> Any:
        """Close the stream; its span ends."""
        return await self._observatory_closed(self.__dict__["_observatory_inner"].aclose())

    async def _observatory_closed(self, result: Any) -> Any:
        try:
            return await result
        finally:
            self.__dict__["_observatory_call"].over(abandoned=True)

    def __del__(self) -> None:
        call, derived = self.__dict__.get("_observatory_call"), self.__dict__.get("_observatory_source") is not None
        self.__dict__.pop("_observatory_inner", None)  # first the instrumentation's own wrapper, which may know more to say
        if call is not None and not derived:  # what is made from a stream keeps it alive
            call.over(abandoned=True)
