"""Something around every call of a function, whatever kind it is: sync, async, generator, async generator, static, class method, class.

The application's function runs in frames of this file, and in no other of the SDK: whatever a scope does wrong is caught here. What a call
needs is written once, in `_Guarded`; a frame of each kind is left, since only an `async def` can await and only a generator can yield.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Self, TypeVar

from observatory.sdk import guard

R = TypeVar("R")


class Scope:
    """What happens around one call. `enter` and `leave` are around each stretch in which the function runs: a generator has many."""

    def enter(self) -> Any:
        """The function is about to run, or to go on."""

    def leave(self) -> Any:
        """It has stopped for now."""

    def item(self, value: Any) -> None:
        """A generator gave this."""

    def end(self, result: Any = None, error: BaseException | None = None) -> None:
        """It has ended, by returning `result` or raising `error`. Called exactly once, also when a generator is abandoned."""


Begin = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Scope]


class _Guarded:
    """A scope whose every step is caught. As a context manager it is around a call that runs in one stretch."""

    __slots__ = ("_entered", "_result", "_scope")

    def __init__(self, begin: Begin, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._entered, self._result = False, None
        try:
            self._scope = begin(function, args, kwargs)
        except Exception as error:
            guard.failed("begin", error)
            self._scope = Scope()

    def enter(self) -> None:
        try:
            self._scope.enter()
            self._entered = True
        except Exception as error:
            self._entered = False
            guard.failed("enter", error)

    def leave(self) -> None:
        if not self._entered:
            return
        try:
            self._scope.leave()
        except Exception as error:
            guard.failed("leave", error)

    def item(self, value: Any) -> None:
        try:
            self._scope.item(value)
        except Exception as error:
            guard.failed("item", error)

    def end(self, result: Any = None, error: BaseException | None = None) -> None:
        try:
            self._scope.end(result, error)
        except Exception as mistake:
            guard.failed("end", mistake)

    def gives(self, result: R) -> R:
        self._result = result
        return result

    def __enter__(self) -> Self:
        self.enter()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.leave()
        self.end(self._result, error)


def wrap(function: Any, begin: Begin) -> Any:
    """The function with a scope around each of its calls; a class with one around each public method of its own."""
    if isinstance(function, staticmethod):
        return staticmethod(wrap(function.__func__, begin))
    if isinstance(function, classmethod):
        return classmethod(wrap(function.__func__, begin))
    if inspect.isclass(function):
        return _class(function, begin)
    if inspect.isasyncgenfunction(function):
        return _async_generator(function, begin)
    if inspect.isgeneratorfunction(function):
        return _generator(function, begin)
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
        return _async(function, begin)
    return _sync(function, begin) if callable(function) else function


def _class(cls: type, begin: Begin) -> type:
    for name, member in list(vars(cls).items()):
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, staticmethod | classmethod)):
            setattr(cls, name, wrap(member, begin))
    return cls


def _sync(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @_named(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with _Guarded(begin, function, args, kwargs) as scope:
            return scope.gives(function(*args, **kwargs))

    return call


def _async(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @_named(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with _Guarded(begin, function, args, kwargs) as scope:
            return scope.gives(await function(*args, **kwargs))

    return call


def _generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @_named(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        scope, inner = _Guarded(begin, function, args, kwargs), function(*args, **kwargs)
        step, given = inner.send, None
        try:
            while True:
                scope.enter()
                try:
                    value = step(given)
                finally:
                    scope.leave()
                scope.item(value)
                try:
                    step, given = inner.send, (yield value)
                except GeneratorExit:
                    raise
                except BaseException as thrown:
                    step, given = inner.throw, thrown
        except StopIteration as done:
            scope.end(done.value)
            return done.value
        except BaseException as error:
            scope.enter()  # it may end blocks of its own, and restore what was current inside of it
            try:
                inner.close()
            finally:
                scope.leave()
                scope.end(error=error)
            raise

    return call


def _async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @_named(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        scope, inner = _Guarded(begin, function, args, kwargs), function(*args, **kwargs)
        step, given = inner.asend, None
        try:
            while True:
                scope.enter()
                try:
                    value = await step(given)
                finally:
                    scope.leave()
                scope.item(value)
                try:
                    step, given = inner.asend, (yield value)
                except GeneratorExit:
                    raise
                except BaseException as thrown:
                    step, given = inner.athrow, thrown
        except StopAsyncIteration:
            scope.end()
        except BaseException as error:
            scope.enter()  # it may end blocks of its own, and restore what was current inside of it
            try:
                await inner.aclose()
            finally:
                scope.leave()
                scope.end(error=error)
            raise

    return call


def _named(function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    try:
        return functools.wraps(function)
    except Exception:  # an odd callable without names
        return lambda wrapped: wrapped
