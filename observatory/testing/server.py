"""The appliance as a child process, for tests that kill it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from types import TracebackType


class ServerProcess:
    """`observatory serve` on free loopback ports. `with ServerProcess(data) as server:` starts it, waits until it is ready, and ends it.

    `args` go to `serve` after our own, `env` is added to the environment. The program is `binary`, else `$OBSERVATORY_BIN`, else
    `observatory` beside the running Python, else `python -m observatory.cli.main`. Everything it logs is in `stderr`.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *args: str,
        env: Mapping[str, str] | None = None,
        binary: Sequence[str] | str | None = None,
        ready_timeout_s: float = 30.0,
        preexec: Sequence[str] = (),
    ) -> None:
        self.data_dir = Path(data_dir)
        free = [text for door in ("--listen", "--otlp-grpc", "--otlp-http") if door not in args for text in (door, "127.0.0.1:0")]
        self.command = [*preexec, *_program(binary), "serve", "--data", str(self.data_dir), *free, "--print-ready", *args]
        self._env, self._ready_timeout = {**os.environ, **(env or {})}, ready_timeout_s
        self.addresses: dict[str, str] = {}
        self.started_s = 0.0
        self._stderr: list[str] = []

    def start(self) -> ServerProcess:
        """Start and wait for the ready line. Raises RuntimeError with its stderr when it ends or stays silent instead."""
        begin = time.monotonic()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self._env, start_new_session=True
        )
        self._reader = Thread(target=self._collect, name="server-stderr", daemon=True)
        self._reader.start()
        line = self._first_line(begin + self._ready_timeout)
        self.started_s = time.monotonic() - begin
        try:
            said = json.loads(line)
            self.addresses = {key: said[key] for key in ("listen", "otlp_grpc", "otlp_http")}
        except (ValueError, KeyError, TypeError):
            self.kill9()
            raise RuntimeError(f"the server did not say that it is ready but {line!r}; its stderr:\n{self.stderr}") from None
        self._drain = Thread(target=self._discard, name="server-stdout", daemon=True)
        self._drain.start()
        return self

    @property
    def api(self) -> str:
        """Base URL of the API and the page."""
        return f"http://{self.addresses['listen']}"

    @property
    def otlp_http(self) -> str:
        """Base URL of OTLP/HTTP."""
        return f"http://{self.addresses['otlp_http']}"

    @property
    def otlp_grpc(self) -> str:
        """`host:port` of OTLP/gRPC."""
        return self.addresses["otlp_grpc"]

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self.process.pid

    @property
    def stderr(self) -> str:
        """What it has written to stderr so far."""
        return "".join(self._stderr)

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self.process.poll() is None

    def kill9(self) -> None:
        """SIGKILL to it and its children, at once; returns when it is gone."""
        if self.running:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait(10)

    def terminate(self) -> None:
        """SIGTERM; returns at once, `wait` for the end."""
        if self.running:
            self.process.terminate()

    def wait(self, timeout_s: float = 10.0) -> int:
        """Exit code; negative is a signal's number. Raises subprocess.TimeoutExpired."""
        code = self.process.wait(timeout_s)
        self._reader.join(5)
        return code

    def __enter__(self) -> ServerProcess:
        """Start it."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End it: SIGTERM, and SIGKILL when that takes longer than 15 s."""
        self.terminate()
        try:
            self.wait(15)
        except subprocess.TimeoutExpired:
            self.kill9()
            if kind is None:
                raise
        finally:
            for pipe in (self.process.stdout, self.process.stderr):
                if pipe is not None:
                    pipe.close()

    def _first_line(self, deadline: float) -> str:
        assert self.process.stdout is not None
        fd, line = self.process.stdout.fileno(), bytearray()
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self.kill9()
                raise RuntimeError(f"the server was not ready after {self._ready_timeout:.0f} s; its stderr:\n{self.stderr}")
            byte = os.read(fd, 1)
            if not byte:
                code = self.wait()
                raise ServerEnded(code, self.stderr)
            line += byte
        return line.decode()

    def _collect(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._stderr.append(line.decode(errors="replace"))

    def _discard(self) -> None:
        assert self.process.stdout is not None
        for _ in self.process.stdout:
            pass


class ServerEnded(RuntimeError):
    """It ended instead of getting ready; `code` and `stderr` say why."""

    def __init__(self, code: int, stderr: str) -> None:
        super().__init__(f"the server ended with {code}; its stderr:\n{stderr}")
        self.code, self.stderr = code, stderr


def _program(binary: Sequence[str] | str | None) -> list[str]:
    if binary is None:
        named = os.environ.get("OBSERVATORY_BIN")
        binary = str(Path(named).absolute()) if named else None  # a test may start it from another directory
    if binary is not None:
        return [binary] if isinstance(binary, str) else list(binary)
    beside = Path(sys.executable).parent / "observatory"
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "observatory.cli.main"]
