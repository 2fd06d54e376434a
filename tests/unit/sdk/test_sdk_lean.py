"""Work of instrumentations that is left out: what replaces it gives the same."""

from __future__ import annotations

import dataclasses
import sys
from types import ModuleType
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.trace import TracerProvider

from observatory.sdk.config import Config
from observatory.sdk.instrument import lean


@dataclasses.dataclass
class Part:
    content: Any
    type: str = "text"


@dataclasses.dataclass
class Message:
    role: str
    parts: list[Part]
    more: Any = None


def test_messages_become_what_dataclasses_make_of_them() -> None:
    message = Message("user", [Part("hello"), Part({"a": [Part(b"x")], "b": (1, 2.5, None)})], more={"deep": [Part(True)]})
    assert lean.as_dict(message) == dataclasses.asdict(message)


def test_containers_are_copied_so_that_what_the_application_changes_later_is_not_sent() -> None:
    said = {"city": ["Paris"]}
    copied = lean.as_dict(Message("user", [Part(said)]))
    said["city"].append("Rome")
    assert copied["parts"][0]["content"] == {"city": ["Paris"]}


def test_requests_are_instrumented_outside_of_calls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("opentelemetry.instrumentation.httpx")
    module.is_http_instrumentation_enabled = lambda: True
    monkeypatch.setitem(sys.modules, module.__name__, module)
    lean.spare(Config(http_spans=True))
    assert not hasattr(module.is_http_instrumentation_enabled, "_observatory")
    for _ in range(2):
        lean.spare(Config())
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("work"):
        assert module.is_http_instrumentation_enabled()
        with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
            assert not module.is_http_instrumentation_enabled()


def test_an_instrumentation_that_has_nothing_of_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    names = (
        "opentelemetry.instrumentation.httpx",
        "opentelemetry.util.genai._invocation",
        "opentelemetry.util.genai._inference_invocation",
    )
    for name in names:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    before = [dict(vars(sys.modules[name])) for name in names]
    lean.spare(Config())
    assert [vars(sys.modules[name]) for name in names] == before


def test_metrics_of_instrumentations_are_for_those_who_ask() -> None:
    assert isinstance(lean.arguments(Config())["meter_provider"], metrics.NoOpMeterProvider)
    assert lean.arguments(Config(library_metrics=True)) == {}
