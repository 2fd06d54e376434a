"""A running appliance as its user sees it: what it says when it is ready, and how signals end it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

from observatory.api.shipped import SITE
from observatory.app import Observatory
from observatory.cli import resting
from observatory.configured import Origins
from observatory.settings import Settings

STOP_SECONDS = 9.0  # a supervisor that allows 10 s sees us end by ourselves; what was acknowledged is durable at every moment

log = logging.getLogger("observatory.serve")


Beside = Callable[[Observatory], Awaitable[None]]


def run(settings: Settings, origins: Origins, print_ready: bool = False, beside: Beside | None = None) -> NoReturn:
    """Serve until SIGTERM or SIGINT, then end the process with 0. `beside` runs as long as the appliance does. Raises CannotStart."""
    asyncio.run(_serve(settings, origins, print_ready, beside))
    # Everything is closed. Taking the interpreter apart as well only lets C extensions complain about each other on stderr.
    sys.stdout.flush()
    logging.shutdown()
    os._exit(0)


async def _serve(settings: Settings, origins: Origins, print_ready: bool, beside: Beside | None) -> None:
    stop = stop_on_signals()
    async with Observatory(settings, origins=origins) as app:
        announce(app, print_ready)
        company = [asyncio.ensure_future(_noticed(work)) for work in (resting.give_back(), *([beside(app)] if beside else []))]
        await stop.wait()
        for work in company:
            work.cancel()
        await asyncio.gather(*company, return_exceptions=True)
    log.info("stopped; everything that was acknowledged is on disk")


async def _noticed(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:
        log.exception("the work beside the appliance ended; the appliance goes on")


def stop_on_signals() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT. A second one, or `STOP_SECONDS` after the first, ends the process at once."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def heard(number: signal.Signals) -> None:
        if stop.is_set():
            _leave(128 + number, f"{number.name} again: leaving at once; what was acknowledged is on disk")
        log.info("%s: stopping; a second one leaves at once", number.name)
        stop.set()
        late = f"not stopped after {STOP_SECONDS:.0f} s: leaving; what was acknowledged is on disk"
        # a thread, because what hangs might be the loop itself
        timer = threading.Timer(STOP_SECONDS, _leave, (1, late))
        timer.daemon = True
        timer.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, heard, number)
    return stop


def _leave(code: int, why: str) -> None:
    log.warning(why)
    os._exit(code)


def announce(app: Observatory, print_ready: bool) -> None:
    """Tell a program (one JSON line) or a person (where the page is, where data goes, how to send a first trace) that we are ready."""
    server = app.settings.server
    if not app.native:
        log.warning(
            "THE SLOW DECODER IS RUNNING: the native kernel was not built, so spans are decoded in pure Python, some 30 times slower. "
            "Install a C++ compiler and install the package again, or use a wheel made for this platform."
        )
    for name in ("listen", "otlp_grpc", "otlp_http"):
        if not getattr(server, name).loopback:
            log.warning("server.%s: other machines reach %s, and nobody is asked who they are", name, app.addresses[name])
    if print_ready:
        print(json.dumps({"ready": True, **app.addresses}), flush=True)
    else:
        private = all(getattr(server, name).loopback for name in ("listen", "otlp_grpc", "otlp_http"))
        print(greeting(app.addresses, server.data, documented=(SITE / "index.html").is_file(), private=private), flush=True)
    log.info("ready: page and API on %(listen)s, OTLP on %(otlp_grpc)s (gRPC) and %(otlp_http)s (HTTP)", app.addresses)


def greeting(addresses: dict[str, str], data: Path, *, documented: bool = False, private: bool = True) -> str:
    """What a person reads at the start. `documented`: the documentation is served; `private`: only this machine reaches the addresses."""
    http = addresses["otlp_http"]
    if http.endswith(":4318") and addresses["otlp_grpc"].endswith(":4317"):
        programs = "Any OpenTelemetry program on this machine finds it by itself. A first trace without one:"
    else:
        programs = f"OpenTelemetry programs find it by OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}. A first trace without one:"
    docs = f"\n    docs    http://{addresses['listen']}/docs/" if documented else ""
    who = "Only this machine reaches these addresses (loopback), and nothing leaves it by itself.\n\n  " if private else ""
    return f"""
  LLM Observatory is ready.

    page    http://{addresses["listen"]}{docs}
    OTLP    gRPC {addresses["otlp_grpc"]}, HTTP http://{http}
    data    {data}

  {who}{programs}

    curl http://{http}/v1/traces -H 'content-type: application/json' -d '{first_trace(time.time_ns())}'

  Ctrl-C stops it.
"""


def first_trace(now: int) -> str:
    """The smallest export request worth looking at, as OTLP/JSON: one span that ends `now`."""
    span = {
        "traceId": os.urandom(16).hex(),
        "spanId": os.urandom(8).hex(),
        "name": "hello",
        "startTimeUnixNano": str(now - 120_000_000),
        "endTimeUnixNano": str(now),
    }
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "curl"}}]}
    return json.dumps({"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span]}]}]}, separators=(",", ":"))
