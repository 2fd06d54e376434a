"""Work that instrumentations do on the application's threads for nobody: left out, where it is measured and can be left out safely.

* Metrics of calls. The server measures every call from its span, before it samples; three histograms are half of a span's time again.
* Spans of HTTP requests inside a model's call. The sampler drops them; here they are not begun.
* Deep copies of messages (OpenTelemetry's GenAI packages) before they become JSON, which copies them anyway. The JSON itself is written by
  the thread that sends.
* What is done at the end of a call for metrics that nobody reads, and for calls inside of it where there were none.

Each step looks for what it replaces and leaves alone what it does not find.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from opentelemetry import metrics
from opentelemetry.trace import get_current_span

from observatory.sdk import guard, settings
from observatory.sdk.calls import calling, is_model_call
from observatory.sdk.config import Config
from observatory.sdk.spans import Deferred, LeanSpan

_HTTP_CLIENTS = ("httpx", "requests", "urllib3", "aiohttp_client")
_ENABLED = "is_http_instrumentation_enabled"
_GENAI = "opentelemetry.util.genai._"


def arguments(config: Config) -> dict[str, Any]:
    """For an instrumentor: no metrics, unless they are asked for or the application had a provider of its own."""
    there = metrics.get_meter_provider()
    theirs = hasattr(there, "_sdk_config") and (settings.active is None or there is not settings.active.meters)
    return {} if config.library_metrics or theirs else {"meter_provider": metrics.NoOpMeterProvider()}


def spare(config: Config) -> None:
    """Once more after each instrumentation that is switched on; what is done is not done twice."""
    if not config.http_spans:
        for name in _HTTP_CLIENTS:
            _silent_inside_calls(sys.modules.get(f"opentelemetry.instrumentation.{name}"))
    messages: Any = sys.modules.get(f"{_GENAI}invocation")
    if getattr(messages, "asdict", None) is dataclasses.asdict:
        messages.asdict = as_dict
    for each in (_json_later, _metrics_for_somebody, _merged_when_said):
        guard.safely(each)(messages, sys.modules.get(f"{_GENAI}inference_invocation"))


def _replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put what `make` makes of a function into its place, once; nothing where there is none."""
    function = getattr(owner, name, None)
    if function is not None and not hasattr(function, "_observatory"):
        replacement: Any = functools.wraps(function)(make(function))
        replacement._observatory = True
        setattr(owner, name, replacement)


def _json_later(messages: Any, inference: Any) -> None:
    """`asdict` has copied the messages: a span of ours keeps the copies until it is sent, and they are written as JSON then."""
    writing = threading.local()

    def later(dumps: Any) -> Any:
        def written(value: Any, **kwargs: Any) -> Any:
            deferred = _deferred(value, dumps) if getattr(writing, "later", False) and not kwargs else None
            return dumps(value, **kwargs) if deferred is None else deferred

        return written

    def attributes(original: Any) -> Any:
        def of_messages(self: Any, *, for_span: bool) -> Any:
            writing.later = for_span and _has_lean_span(self)
            try:
                return original(self, for_span=for_span)
            finally:
                writing.later = False

        return of_messages

    if getattr(messages, "asdict", None) is as_dict:
        _replaced(messages, "gen_ai_json_dumps", later)
        _replaced(getattr(inference, "InferenceInvocation", None), "_get_message_attributes", attributes)


_deferred = guard.safely(Deferred)


@guard.safely(otherwise=bool)
def _has_lean_span(invocation: Any) -> bool:
    return type(invocation.span) is LeanSpan


def _metrics_for_somebody(messages: Any, inference: Any) -> None:
    def recorded(original: Any) -> Any:
        return lambda self: None if _measures_nothing(self) else original(self)

    _replaced(getattr(messages, "GenAIInvocation", None), "_record_client_metrics", recorded)


@guard.safely(otherwise=bool)
def _measures_nothing(invocation: Any) -> bool:
    return isinstance(invocation._instruments.operation_duration, metrics.NoOpHistogram)


def _merged_when_said(messages: Any, inference: Any) -> None:
    """A call takes up what calls inside of it have said: fifty fields one by one, also when there was none."""
    untold = vars(inference.InferenceData()) if hasattr(inference, "InferenceData") else {}

    @guard.safely(otherwise=bool)
    def is_untold(data: Any) -> bool:
        return vars(data) == untold

    def merge(original: Any) -> Any:
        return lambda self, other, **kwargs: None if is_untold(other) else original(self, other, **kwargs)

    _replaced(getattr(messages, "_ContextData", None), "merge", merge)


def _silent_inside_calls(module: Any) -> None:
    _replaced(module, _ENABLED, lambda enabled: lambda: not _inside_call() and enabled())


@guard.safely(otherwise=bool)
def _inside_call() -> bool:
    return is_model_call(get_current_span()) or calling()


def as_dict(value: Any) -> Any:
    """`dataclasses.asdict` that copies containers and nothing else: what is in them is about to be written as JSON."""
    try:
        return _copied(value)
    except Exception as error:
        guard.failed("as_dict", error)
        return dataclasses.asdict(value)


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value
    if names := _fields(kind):
        return {name: _copied(getattr(value, name)) for name in names}
    if kind is list or kind is tuple:
        return kind(_copied(item) for item in value)
    if kind is dict:
        return {key: _copied(item) for key, item in value.items()}
    return value


@lru_cache(256)
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()
