"""Nothing of the SDK raises into the application: a step that fails is skipped, counted, and told once in the log `observatory`."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")
D = TypeVar("D")

log = logging.getLogger("observatory")
failures: dict[str, int] = {}
"""How often each step failed, by its name."""
_said: set[str] = set()
_MOST_SAID = 200
debug = False


@overload
def safely(function: Callable[P, R]) -> Callable[P, R | None]: ...
@overload
def safely(function: Callable[P, R], *, otherwise: Callable[[], D]) -> Callable[P, R | D]: ...
@overload
def safely(*, otherwise: Callable[[], D]) -> Callable[[Callable[P, R]], Callable[P, R | D]]: ...
def safely(function: Any = None, *, otherwise: Callable[[], Any] | None = None) -> Any:
    """A function that raises no Exception: it gives `otherwise()` (default None) instead. KeyboardInterrupt and the like pass."""
    if function is None:
        return lambda given: safely(given, otherwise=otherwise or _nothing)

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            failed(function.__qualname__, error)
            return otherwise() if otherwise is not None else None

    return guarded


def _nothing() -> None:
    return None


def failed(step: str, error: BaseException) -> None:
    """Count a failed step; the first time it is told in the log, in debug mode every time and with its traceback."""
    try:
        failures[step] = failures.get(step, 0) + 1
        say_once(f"{step}: {type(error).__name__}: {error}", key=f"{step}:{type(error).__name__}", error=error)
    except Exception:  # a log handler of the application's may raise, too
        return


def say_once(message: str, *, key: str | None = None, level: int = logging.WARNING, error: BaseException | None = None) -> None:
    """Tell something once in the life of the process, by its key."""
    key = key or message
    if key in _said and not debug:
        return
    if len(_said) < _MOST_SAID:
        _said.add(key)
        log.log(level, "%s", message, exc_info=error if debug else None)
