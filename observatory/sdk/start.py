"""`observatory.init()` and what belongs to the life of a process: flush, shutdown, links."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from typing import Any

from opentelemetry import trace

from observatory.sdk import guard, settings
from observatory.sdk.config import Config, read
from observatory.sdk.context import continue_from
from observatory.sdk.instrument.hooks import when_imported
from observatory.sdk.threads import carry_into_threads

_turn = threading.Lock()
_arguments: dict[str, Any] | None = None


@guard.safely
def init(**arguments: Any) -> Any:
    """Trace every call of a model that this process makes. See `Config` and docs/SDK.md for the arguments; all have defaults.

    Gives the running Client, or None when the SDK is disabled or could not start. A second call changes nothing.
    """
    global _arguments
    with _turn:
        if settings.active is not None:
            if arguments and arguments != _arguments:
                guard.say_once("init: called again with other arguments, which have no effect")
            return settings.active
        config, mistakes = read(arguments, os.environ)
        guard.debug = config.debug
        for mistake in mistakes:
            guard.say_once(f"{mistake}; going on without it")
        if config.disabled:
            return None
        _arguments = arguments
        return _start(config)


def _start(config: Config) -> Any:
    from observatory.sdk.client import open_client

    settings.active = client = open_client(config)
    guard.safely(continue_from)(os.environ)
    guard.safely(carry_into_threads)()
    if config.instrument:
        guard.safely(_instrument)(config)
    atexit.register(shutdown)
    guard.safely(_send_before_sigterm)()
    guard.safely(when_imported)("multiprocessing.util", _send_before_children_end)
    return client


def _send_before_children_end() -> None:
    """Children that `multiprocessing` forks end without `atexit`, and forget what their parent would have done at its end."""
    from multiprocessing import parent_process, util

    util.register_after_fork(flush, lambda _: util.Finalize(None, flush, exitpriority=0))
    if parent_process() is not None:
        util.Finalize(None, flush, exitpriority=0)


def _send_before_sigterm() -> None:
    """SIGTERM ends Python without its `atexit`, and servers such as uvicorn raise it again when they have closed. Who handles it already
    does on."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    def send_and_end(number: int, frame: object) -> None:
        shutdown()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    signal.signal(signal.SIGTERM, send_and_end)


def _instrument(config: Config) -> None:
    from observatory.sdk.instrument.activate import instrument_all

    instrument_all(config)


@guard.safely(otherwise=bool)
def flush(timeout_s: float | None = None) -> bool:
    """Send what waits; true when all was taken. Waits for `exit_timeout_s` (5 s) at most, or as long as is said."""
    return settings.active.flush(timeout_s) if settings.active is not None else True


@guard.safely
def shutdown() -> None:
    """Send what waits and stop; called at the end of the process by itself."""
    if settings.active is not None:
        settings.active.close()


@guard.safely
def get_trace_url(trace_id: str | None = None) -> str | None:
    """Where a person can look at the current trace, or at the one given; None when there is none."""
    if settings.active is None:
        return None
    if trace_id is None:
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        trace_id = f"{context.trace_id:032x}"
    return f"{settings.active.config.api_endpoint}/traces/{trace_id}"
