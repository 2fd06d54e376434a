"""The server under measurement: a child process on a fresh data directory, and the few questions benchmarks ask it."""

from __future__ import annotations

import http.client
import json
import shutil
import tempfile
import time
import urllib.parse
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from observatory.testing.server import ServerProcess


class Appliance:
    """`observatory serve` on a data directory of its own, deleted afterwards unless `keep`. Use as `with`.

    `config` is text of a config.toml; every span is kept unless it says otherwise. `data`: start on this directory, not a fresh one.
    """

    def __init__(self, *, config: str = "", data: Path | None = None, under: Path | None = None, keep: bool = False) -> None:
        self._keep = keep or data is not None
        self.home = Path(tempfile.mkdtemp(prefix="observatory-benchmark-", dir=under)) if data is None else data
        self.data = self.home / "data" if data is None else data
        arguments: list[str] = []
        if config:
            file = self.home / "config.toml"
            file.write_text(config)
            arguments = ["--config", str(file)]
        keeps_all = {} if "[sampling" in config else {"OBSERVATORY_SAMPLING__PRESET": "everything"}
        self.server = ServerProcess(self.data, *arguments, env=keeps_all)

    def __enter__(self) -> Appliance:
        self.server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.server.__exit__(kind, error, trace)
        finally:
            if not self._keep:
                shutil.rmtree(self.home, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.server.pid

    def port(self, door: str) -> int:
        """The port of `http` or `grpc` OTLP, or of the `api`."""
        return int(self.server.addresses[{"http": "otlp_http", "grpc": "otlp_grpc", "api": "listen"}[door]].rpartition(":")[2])

    def connect(self, timeout_s: float = 120) -> Questions:
        """A connection of its own to the API, for one thread."""
        return Questions(self.port("api"), timeout_s)


class Refused(Exception):
    """The API answered with an error; `status` is its number."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Questions:
    """One kept connection to the API; times what it asks, from request to the last byte."""

    def __init__(self, port: int, timeout_s: float) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        self.seconds = 0.0
        """How long the last answer took."""

    def raw(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> bytes:
        """The body of a 200. Raises Refused with the status and the message otherwise."""
        data = None if body is None else json.dumps(body)
        began = time.perf_counter()
        headers = {"Accept": accept, **({"Content-Type": "application/json"} if data else {})}
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        self.seconds = time.perf_counter() - began
        if answer.status != 200:
            raise Refused(answer.status, f"{method} {path}: {answer.status} {content[:500].decode(errors='replace')}")
        return content

    def get(self, path: str, **query: str | int) -> Any:
        """GET as JSON."""
        return json.loads(self.raw("GET", path + ("?" + urllib.parse.urlencode(query) if query else "")))

    def sql(self, query: str) -> list[list[Any]]:
        """The rows of a query."""
        return json.loads(self.raw("POST", "/api/v1/sql", {"query": query}))["rows"]

    def arrow(self, query: str) -> pa.Table:
        """All rows of a query, however many."""
        return pa.ipc.open_stream(self.raw("POST", "/api/v1/sql", {"query": query}, "application/vnd.apache.arrow.stream")).read_all()

    def count(self, table: str = "spans") -> int:
        """How many rows a view has."""
        return int(self.sql(f"select count(*) from {table}")[0][0])

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def percentiles(seconds: list[float]) -> dict[str, float]:
    """p50, p99 and maximum in ms."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    return {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3, 2)
        for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1.0))
    }


def send(connection: http.client.HTTPConnection, body: bytes) -> None:
    """Export spans over OTLP/HTTP until they are acknowledged. Raises RuntimeError when they are refused for good."""
    while True:
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            return
        if answer.status != 503:
            raise RuntimeError(f"the server answered {answer.status} to an export")
        time.sleep(0.05)
