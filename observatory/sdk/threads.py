"""The trace, session and user go along into threads and pools, as they do into tasks of asyncio by themselves.

`opentelemetry-instrumentation-threading` does the same where it is active; ours needs no package of its own, since nobody should lose a
session in a thread for want of one.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from opentelemetry.context import attach, detach, get_current

_CARRIED = "_observatory_context"


def carry_into_threads() -> None:
    """From now on; a second call does nothing."""
    if getattr(threading.Thread.start, _CARRIED, None) or _done_by_opentelemetry():
        return
    start, run, submit = threading.Thread.start, threading.Thread.run, ThreadPoolExecutor.submit

    @functools.wraps(start)
    def starting(self: threading.Thread) -> None:
        context = get_current()
        if context:
            setattr(self, _CARRIED, context)
        start(self)

    @functools.wraps(run)
    def running(self: threading.Thread) -> None:
        context = self.__dict__.pop(_CARRIED, None)
        if context is None:
            run(self)
            return
        token = attach(context)
        try:
            run(self)
        finally:
            detach(token)

    @functools.wraps(submit)
    def submitting(self: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        context = get_current()
        return submit(self, _within(context, function) if context else function, *args, **kwargs)

    setattr(starting, _CARRIED, True)
    threading.Thread.start, threading.Thread.run = starting, running
    ThreadPoolExecutor.submit = submitting  # type: ignore[method-assign]


def _within(context: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function, assigned=("__name__", "__qualname__", "__doc__", "__module__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        token = attach(context)
        try:
            return function(*args, **kwargs)
        finally:
            detach(token)

    return call


def _done_by_opentelemetry() -> bool:
    module = sys.modules.get("opentelemetry.instrumentation.threading")
    return module is not None and bool(module.ThreadingInstrumentor().is_instrumented_by_opentelemetry)
