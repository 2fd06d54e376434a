"""Work that instrumentations do on the application's threads for nobody: left out, where it is measured and can be left out safely.

* Metrics of calls. The server measures every call from its span, before it samples; three histograms are half of a span's time again.
* Spans of HTTP requests inside a model's call. The sampler drops them; here they are not begun.
* Deep copies of messages (OpenTelemetry's GenAI packages) before they become JSON, which copies them anyway.

Each step looks for what it replaces and leaves alone what it does not find.
"""

from __future__ import annotations

import dataclasses
import sys
from functools import lru_cache
from typing import Any

from opentelemetry import metrics
from opentelemetry.trace import get_current_span

from observatory.sdk import guard, settings
from observatory.sdk.calls import calling, is_model_call
from observatory.sdk.config import Config

_HTTP_CLIENTS = ("httpx", "requests", "urllib3", "aiohttp_client")
_ENABLED, _MESSAGES = "is_http_instrumentation_enabled", "opentelemetry.util.genai._invocation"


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
    messages: Any = sys.modules.get(_MESSAGES)
    if getattr(messages, "asdict", None) is dataclasses.asdict:
        messages.asdict = as_dict


def _silent_inside_calls(module: Any) -> None:
    enabled = getattr(module, _ENABLED, None)
    if enabled is None or hasattr(enabled, "_observatory"):
        return

    def enabled_here() -> bool:
        return enabled() and not _inside_call()

    enabled_here._observatory = True  # type: ignore[attr-defined]
    setattr(module, _ENABLED, enabled_here)


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
