"""Whose work it is: session, user, tags and metadata, carried by W3C baggage and written on every span that starts meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from opentelemetry import baggage, propagate
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.sdk.trace import ReadableSpan, Span as SdkSpan, SpanProcessor

from observatory.sdk import around, calls, guard

F = TypeVar("F", bound=Callable[..., Any])
SESSION, USER, TAGS, METADATA = "session.id", "user.id", "observatory.tags", "observatory.metadata."
_TAGS_ATTRIBUTE, _METADATA_ATTRIBUTE = "tag.tags", "metadata."
_LONGEST = 256
"""Characters of one value: baggage travels in headers of every request."""


class Carried:
    """A context manager (`with`, `async with`) and a decorator for functions of any kind, generators too. Entered again it nests."""

    def __init__(self, entries: Mapping[str, Any] | Callable[[Context], Context]) -> None:
        self._entries = entries
        self._tokens: list[Any] = []

    @guard.safely(otherwise=get_current)
    def _context(self) -> Context:
        context = get_current()
        if callable(self._entries):
            return self._entries(context)
        for key, value in self._entries.items():
            context = baggage.set_baggage(key, value, context)
        return context

    @guard.safely
    def _attach(self) -> None:
        self._tokens.append(attach(self._context()))

    @guard.safely
    def _detach(self) -> None:
        if self._tokens:
            detach(self._tokens.pop())

    def __enter__(self) -> Carried:
        """Carry it from here on."""
        self._attach()
        return self

    def __exit__(self, *error: object) -> None:
        """Carry what was carried before."""
        self._detach()

    async def __aenter__(self) -> Carried:
        """Carry it from here on."""
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        """Carry what was carried before."""
        self.__exit__(*error)

    def __call__(self, function: F) -> F:
        """The function, carrying it while it runs."""
        return guard.safely(around.wrap, otherwise=lambda: function)(function, lambda *_: _Scope(Carried(self._entries)))


class _Scope(around.Scope):
    """Carries around each step of a call."""

    def __init__(self, carried: Carried) -> None:
        self._carried = carried
        self.enter, self.leave = carried.__enter__, carried.__exit__


def session(session_id: str) -> Carried:
    """All that happens meanwhile belongs to this session (a conversation, a visit)."""
    return Carried(_entries(**{SESSION: session_id}))


def user(user_id: str) -> Carried:
    """All that happens meanwhile is done for this user."""
    return Carried(_entries(**{USER: user_id}))


def tags(*names: str) -> Carried:
    """Add tags to all that happens meanwhile; those of outer blocks stay."""
    return Carried(_tagger(names))


@guard.safely(otherwise=lambda: lambda context: context)
def _tagger(names: tuple[str, ...]) -> Callable[[Context], Context]:
    added = [str(name)[:_LONGEST] for name in names]

    def add(context: Context) -> Context:
        known = _tags(baggage.get_baggage(TAGS, context))
        return baggage.set_baggage(TAGS, json.dumps([*known, *(name for name in added if name not in known)]), context)

    return add


def metadata(**values: Any) -> Carried:
    """Add attributes `metadata.NAME` to all that happens meanwhile; texts, numbers and booleans."""
    return Carried(_entries(**{METADATA + name: value for name, value in values.items()}))


@guard.safely(otherwise=dict)
def _entries(**values: Any) -> dict[str, str]:
    return {
        key: (value if isinstance(value, str) else json.dumps(value, default=str))[:_LONGEST]
        for key, value in values.items()
        if value is not None
    }


def _tags(said: object) -> list[str]:
    try:
        names = json.loads(said) if isinstance(said, str) else []
    except ValueError:
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def attributes_of(carried: Mapping[str, object]) -> dict[str, Any]:
    """Span attributes of a baggage, by the keys that docs/CONVENTIONS.md names; entries of others are left alone."""
    found: dict[str, Any] = {}
    for key, value in carried.items():
        if key in (SESSION, USER):
            found[key] = value
        elif key == TAGS:
            found[_TAGS_ATTRIBUTE] = _tags(value)
        elif key.startswith(METADATA):
            found[_METADATA_ATTRIBUTE + key[len(METADATA) :]] = value
    return found


class ContextOnSpans(SpanProcessor):
    """Writes what is carried on every span when it starts; the first processor, so that the others see it."""

    @guard.safely
    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """See SpanProcessor."""
        calls.started(span, parent_context)
        carried = baggage.get_all(parent_context)
        if carried:
            attributes = attributes_of(carried)
            if attributes:
                span.set_attributes(attributes)

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing to do."""


@guard.safely(otherwise=dict)
def carrier() -> dict[str, str]:
    """What another process needs to go on with this trace, session and user: put it into a message, a job or its environment.

    Keys are `traceparent`, `tracestate`, `baggage`. As environment variables they are read by the child's `init`, in upper case.
    """
    said: dict[str, str] = {}
    propagate.inject(said)
    return said


@contextmanager
def carried(headers: Mapping[str, str]) -> Iterator[None]:
    """Go on with what another process put into `headers` by `carrier()`; anything else in it is ignored."""
    token = _attached(headers)
    try:
        yield
    finally:
        if token is not None:
            detach(token)


@guard.safely
def _attached(headers: Mapping[str, str]) -> Any:
    lower = {str(key).lower(): value for key, value in headers.items() if isinstance(value, str)}
    return attach(propagate.extract({key: lower[key] for key in ("traceparent", "tracestate", "baggage") if key in lower}))


def continue_from(env: Mapping[str, str]) -> None:
    """Take up what the parent process put into the environment (`TRACEPARENT`, `BAGGAGE`), for the life of this process."""
    if "TRACEPARENT" in env or "BAGGAGE" in env:
        _attached({key: env[key] for key in ("TRACEPARENT", "TRACESTATE", "BAGGAGE") if key in env})
