"""One trace while it happens: its time, the span we are in, and what goes wrong."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from observatory.cli.traffic.telemetry import Service, Telemetry


class Failed(Exception):
    """A call that went wrong as calls do; `kind` becomes `error.type`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Pace(Protocol):
    """Whose time it is: really passing (`Live`), or told (`Past`)."""

    def now(self) -> int:
        """Nanoseconds since 1970."""
        ...

    async def spend(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def fork(self) -> Pace:
        """The time of a branch that starts now, beside others."""
        ...

    def join(self, forks: list[Pace]) -> None:
        """Go on when the last of the branches has ended."""
        ...


class Live:
    """Time that passes."""

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return time.time_ns()

    async def spend(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def fork(self) -> Live:
        """Time is one."""
        return self

    def join(self, forks: list[Pace]) -> None:
        """Nothing to do: all waited already."""


class Past:
    """Time that is told, so that an hour of history takes a second; branches run one after the other from the same moment."""

    def __init__(self, start: int) -> None:
        self._now = start

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self._now

    async def spend(self, seconds: float) -> None:
        """Move on, and let others run."""
        self._now += round(seconds * 1e9)
        await asyncio.sleep(0)

    def fork(self) -> Past:
        """A branch that starts now."""
        return Past(self._now)

    def join(self, forks: list[Pace]) -> None:
        """Go on when the last branch has ended."""
        self._now = max([self._now, *(fork.now() for fork in forks)])


class Scene:
    """A place in a trace: `span` goes one level down, `at` into another service."""

    def __init__(self, telemetry: Telemetry, service: Service, pace: Pace, dice: random.Random, context: Context | None = None) -> None:
        self.telemetry, self.service, self.pace, self.dice = telemetry, service, pace, dice
        self._context = context or Context()

    def at(self, service: str, version: str = "1.0.0", environment: str = "production") -> Scene:
        """The same trace, seen from another service."""
        return Scene(self.telemetry, self.telemetry.service(service, version, environment), self.pace, self.dice, self._context)

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Any] | None = None, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[Span]:
        """A span around the block. `Failed` marks it as an error and goes on upwards; whoever catches it has handled it."""
        pace, outside = self.pace, self._context
        span = self.service.tracer.start_span(name, outside, kind, attributes, start_time=pace.now())
        self._context = set_span_in_context(span, outside)
        try:
            yield span
        except Failed as failure:
            span.set_attribute("error.type", failure.kind)
            span.add_event("exception", {"exception.type": failure.kind, "exception.message": str(failure)}, pace.now())
            span.set_status(Status(StatusCode.ERROR, str(failure)))
            raise
        finally:
            self._context = outside
            span.end(pace.now())

    async def spend(self, median: float, spread: float = 0.35) -> float:
        """Let about `median` seconds pass, log-normal as latencies are; returns how many did."""
        seconds = median * self.dice.lognormvariate(0, spread)
        await self.pace.spend(seconds)
        return seconds

    async def together(self, *parts: Callable[[Scene], Awaitable[None]]) -> None:
        """Run parts side by side below the current span. A part that fails leaves the others alone."""
        forks = [self.pace.fork() for _ in parts]
        scenes = [Scene(self.telemetry, self.service, fork, random.Random(self.dice.random()), self._context) for fork in forks]
        ended = await asyncio.gather(*(part(scene) for part, scene in zip(parts, scenes, strict=True)), return_exceptions=True)
        self.pace.join(forks)
        for failure in ended:
            if isinstance(failure, BaseException) and not isinstance(failure, Failed):
                raise failure

    def log(self, text: str, severity: SeverityNumber = SeverityNumber.INFO, event: str | None = None, **attributes: Any) -> None:
        """A log record of this moment, tied to the current span; with `event`, a named event."""
        self.service.logger.emit(
            timestamp=self.pace.now(),
            context=self._context,
            severity_number=severity,
            severity_text=severity.name,
            body=text,
            event_name=event,
            attributes={key.replace("__", "."): value for key, value in attributes.items()},
        )

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.dice.random() < probability
