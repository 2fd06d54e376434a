"""What doctor looks at: each examination yields findings, good ones too, so that a person sees what was looked at."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from observatory.cli import client
from observatory.errors import CannotStart, ObservatoryError
from observatory.model.address import Address
from observatory.otlp.decode import decoders
from observatory.settings import Settings
from observatory.storage.check import Finding, findings

FSYNCS = 16
SLOW_FSYNC_MS = 50.0  # an export waits for one fsync; the promise is a p99 of 100 ms
GIB = 1 << 30


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything, from the outside in. Reads only, but for a small file that measures the disk and is removed."""
    yield _decoder(settings)
    status = running(settings.server.listen)
    if status is None:
        for name in ("listen", "otlp_grpc", "otlp_http"):
            yield _port(name, getattr(settings.server, name))
    else:
        yield from _server(status, settings.server.listen)
    data = settings.server.data
    if not data.exists():
        yield Finding(True, f"data: {data} does not exist yet; `observatory serve` makes it")
        return
    yield from _disk(data, max(settings.journal.reserve_bytes, settings.storage.reserve_bytes))
    yield from findings(data)


def running(listen: Address) -> dict[str, Any] | None:
    """What an appliance at this address says of itself; None when there is none."""
    if listen.port == 0:
        return None
    host = "127.0.0.1" if listen.host == "0.0.0.0" else "::1" if listen.host == "::" else listen.host
    try:
        said = client.get(f"http://{Address(host, listen.port)}", "/api/v1/status", timeout=3.0)
    except ObservatoryError:
        return None
    return said if isinstance(said, dict) and "accepting" in said else None


def _decoder(settings: Settings) -> Finding:
    try:
        native = decoders(settings.ingest.decoder).native
    except CannotStart as error:
        return Finding(False, f"decoder: {error}", "install a C++ compiler and install the package again")
    if native:
        return Finding(True, "decoder: the native kernel")
    wished = settings.ingest.decoder == "reference"
    do = "" if wished else "install a C++ compiler (apt-get install g++ python3-dev) and install the package again"
    return Finding(not do, "decoder: pure Python, some 30 times slower than the native kernel", do)


def _port(name: str, address: Address) -> Finding:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, proto, _, where in found:
            with socket.socket(family, kind, proto) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
                probe.listen(1)  # two binds with SO_REUSEADDR succeed, two listens do not
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            do = f"find it with `ss -ltnp 'sport = :{address.port}'`, stop it, or set server.{name} to another port"
            return Finding(False, f"port: server.{name} {address} is in use by another program", do)
        what = f"port: cannot listen on server.{name} {address}: {error.strerror}"
        return Finding(False, what, f"set server.{name} to an address of this machine")
    return Finding(True, f"port: server.{name} {address} is free")


def _server(status: dict[str, Any], listen: Address) -> Iterator[Finding]:
    accepting = status.get("accepting") or {}
    yield Finding(True, f"server: version {status.get('version')} runs at http://{listen}, {_hours(status.get('uptime_s'))}")
    if accepting.get("ok"):
        yield Finding(True, "server: it accepts exports")
    else:
        what = f"server: it refuses exports: {accepting.get('reason')}"
        yield Finding(False, what, "clients keep what was refused for a while; see what it names")
    if status.get("decoder") == "reference":
        what = "server: it runs on the slow pure-Python decoder"
        yield Finding(False, what, "install a C++ compiler, install the package again, restart")


def _disk(data: Path, reserve: int) -> Iterator[Finding]:
    free = shutil.disk_usage(data).free
    enough = free >= 2 * reserve
    yield Finding(
        enough,
        f"disk: {free / GIB:.1f} GiB free at {data}",
        "" if enough else f"below {reserve / GIB:.2f} GiB exports are refused; free space, or lower storage.retention_days",
    )
    try:
        speed = fsync_ms(data)
    except OSError as error:
        what = f"disk: cannot write to {data}: {error.strerror}"
        yield Finding(False, what, "let the appliance's user write there, or name another directory with --data")
        return
    slow = speed > SLOW_FSYNC_MS
    do = "every export waits for one; use a local disk rather than a network one" if slow else ""
    yield Finding(not slow, f"disk: fsync takes {speed:.1f} ms (median of {FSYNCS})", do)


def fsync_ms(directory: Path) -> float:
    """Median time of an fdatasync after 64 KiB, in milliseconds. Raises OSError when the directory cannot be written."""
    path = directory / f".doctor-{os.getpid()}"
    block, times = os.urandom(64 * 1024), []
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        for _ in range(FSYNCS):
            os.write(fd, block)
            begin = time.perf_counter()
            os.fdatasync(fd)
            times.append((time.perf_counter() - begin) * 1000)
    finally:
        os.close(fd)
        path.unlink()
    return statistics.median(times)


def _hours(seconds: Any) -> str:
    if not isinstance(seconds, int | float):
        return "since an unknown time"
    return f"for {seconds / 3600:.1f} hours" if seconds >= 3600 else f"for {seconds / 60:.0f} minutes"
