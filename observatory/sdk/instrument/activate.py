"""Switches instrumentations on: for each library that is imported, the best one that is installed and fits."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial, wraps
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from observatory.sdk import guard, streams
from observatory.sdk.config import Config
from observatory.sdk.instrument import lean
from observatory.sdk.instrument.hooks import when_imported
from observatory.sdk.instrument.table import LIBRARIES, Library, Package

chosen: dict[str, str] = {}
"""Library to the distribution that instruments it in this process."""


def instrument_all(config: Config) -> None:
    """From now on every library of the table is instrumented when it is imported, those that are already at once."""
    _set_content(config)
    wanted = config.instrument if isinstance(config.instrument, tuple) else None
    for library in LIBRARIES:
        if library.name in config.exclude or (wanted is not None and library.name not in wanted):
            continue
        for module in library.modules:
            now = partial(instrument, library, config)
            when_imported(module, partial(before_first_call, library.before, now) if library.before else now)
    known = {library.name for library in LIBRARIES}
    for name in {*(wanted or ()), *config.prefer} - known:
        guard.say_once(f"init: no library is called {name!r} (known: {', '.join(sorted(known))})")


def before_first_call(target: str, action: Callable[[], object]) -> None:
    """Run the action once, when the application first calls `module:Class.method`."""
    owner, name = _owner(target)
    function = getattr(owner, name)

    @wraps(function)
    def first(*args: Any, **kwargs: Any) -> Any:
        setattr(owner, name, function)
        guard.safely(action)()
        return function(*args, **kwargs)

    setattr(owner, name, first)


def instrument(library: Library, config: Config) -> str | None:
    """Instrument one library; gives the distribution that does, None when there is none that is installed and fits."""
    if library.name in chosen:
        return chosen[library.name]
    if any(_is_being_imported(package) for package in library.packages):
        return None  # whoever imports an instrumentation is about to switch it on
    packages = _in_order(library, config.prefer.get(library.name))
    installed = [package for package in packages if is_installed(package.distribution)]
    running = [package for package in installed if _is_running(package)]
    for package in running or installed:
        if package in running or _switch_on(package, config):
            chosen[library.name] = package.distribution
            _tell_choice(library, package, installed, running)
            guard.safely(streams.watch)(library.streams)
            guard.safely(lean.spare)(config)
            return package.distribution
    if library.kind != "context":
        extra = f"pip install 'llm-observatory[{library.name}]' ({packages[0].distribution})"
        _say(f"{library.name} is used and no instrumentation that fits is installed: {extra}")
    return None


def _in_order(library: Library, preferred: str | None) -> list[Package]:
    known = [package.distribution for package in library.packages]
    if preferred is not None and preferred not in known:
        guard.say_once(f"init: prefer {library.name}: {preferred} is unknown (known: {', '.join(known)})")
    return sorted(library.packages, key=lambda package: package.distribution != preferred)


def is_installed(name: str) -> bool:
    """A distribution of this name is here."""
    try:
        distribution(name)
        return True
    except PackageNotFoundError:
        return False


def _target(package: Package) -> Any:
    owner, name = _owner(package.target)
    return getattr(owner, name)


def _owner(target: str) -> tuple[Any, str]:
    """Of `module:Class.name` the class and the name."""
    module, _, path = target.partition(":")
    found: Any = import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        found = getattr(found, parent)
    return found, name


def _is_being_imported(package: Package) -> bool:
    module = sys.modules.get(package.target.partition(":")[0])
    return not package.call and bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


@guard.safely(otherwise=bool)
def _is_running(package: Package) -> bool:
    """The application, or a tool around it, has switched it on already."""
    if package.call or package.target.partition(":")[0] not in sys.modules:
        return False
    return bool(_target(package)().is_instrumented_by_opentelemetry)


@guard.safely(otherwise=bool)
def _switch_on(package: Package, config: Config) -> bool:
    target = _target(package)
    if package.call:
        target()
        return True
    instrumentor = target()
    quiet = logging.getLogger("opentelemetry.instrumentation.instrumentor")
    before, quiet.disabled = quiet.disabled, True  # a version that does not fit is told by us, once, with what is used instead
    try:
        instrumentor.instrument(**lean.arguments(config))
    finally:
        quiet.disabled = before
    return bool(instrumentor.is_instrumented_by_opentelemetry)


def _tell_choice(library: Library, package: Package, installed: Iterable[Package], running: Iterable[Package]) -> None:
    others = ", ".join(other.distribution for other in installed if other is not package)
    if others:
        why = "is switched on already" if package in list(running) else "is used"
        how = f"init(prefer={{{library.name!r}: …}}) chooses another"
        _say(f"{library.name}: {package.distribution} {why}, {others} left alone ({how})")


def _say(message: str) -> None:
    guard.say_once(message, level=logging.INFO)


def _set_content(config: Config) -> None:
    """What instrumentations read from the environment, unless somebody has said it already; set before any of them is imported."""
    on = config.capture_content
    said = {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY" if on else "NO_CONTENT",
        "TRACELOOP_TRACE_CONTENT": "true" if on else "false",
    }
    if not on:
        said |= {"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"}
    for key, value in said.items():
        os.environ.setdefault(key, value)
