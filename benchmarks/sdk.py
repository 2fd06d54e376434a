"""What the SDK costs an application that calls a model 50 times a second with 2 kB in and 2 kB out, content on, against receivers good
and bad.

    python -m benchmarks.sdk [--seconds 20] [--save]

The model answers at once, below the client's transport: what is left is the client's own time, and ours beside it. Each figure is the
difference to the same application without the SDK, which runs in turns with it (the first of a round is the last of the next), or beside
it. Of latencies it is that of the lowest rounds on either side, since a shared machine only ever adds; beside it are the quartiles of the
differences within rounds, and `noise`, how far the middle round without the SDK was above the lowest. CPU of a call is that of the calling
thread; CPU at 50 calls a second that of the whole process, the thread that sends included. `package` is the instrumentation with
OpenTelemetry's own SDK, which encodes and sends nothing.
Receivers: `good` is a running observatory, `down` refuses connections, `slow` takes a request and never answers, `refusing` answers 400,
`busy` 503.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.machine import publish
from observatory.testing.server import ServerProcess

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-sdk/clients/bin/python"
APP = ROOT / "benchmarks/apps/sdk_calls.py"
RECEIVERS = ("good", "down", "slow", "refusing", "busy")


@contextmanager
def receiver(kind: str) -> Iterator[str]:
    """Base URL of a receiver of this kind."""
    if kind == "good":
        with tempfile.TemporaryDirectory() as data, ServerProcess(data) as server:
            yield server.otlp_http
        return
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        if kind != "down":
            threading.Thread(target=_answer, args=(door, kind), daemon=True).start()
            yield url
    if kind == "down":
        yield url


def _answer(door: socket.socket, kind: str) -> None:
    held = []
    said = {"refusing": b"HTTP/1.1 400 Bad Request\r\n", "busy": b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n"}.get(kind)
    while True:
        try:
            connection, _ = door.accept()
        except OSError:
            return
        held.append(connection)
        if said is not None:
            threading.Thread(target=_refuse, args=(connection, said), daemon=True).start()


def _refuse(connection: socket.socket, said: bytes) -> None:
    """Read a request to its end, then answer it."""
    with connection:
        got = b""
        while b"\r\n\r\n" not in got:
            got += connection.recv(65536)
        head, _, body = got.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        while len(body) < length:
            body += connection.recv(65536)
        connection.sendall(said + b"Content-Length: 0\r\nConnection: close\r\n\r\n")


class Application:
    """`benchmarks/apps/sdk_calls.py` with the SDK or without: it does what it is told, and nothing else."""

    def __init__(self, how: str, url: str) -> None:
        env = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        env |= {"PYTHONPATH": str(ROOT), "OBSERVATORY_ENDPOINT": url}
        command = [str(PYTHON), str(APP), how]
        self._child = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def order(self, what: str) -> None:
        """Begin."""
        assert self._child.stdin is not None
        print(what, file=self._child.stdin, flush=True)

    def answer(self) -> dict[str, float]:
        """What the last order gave."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"the application ended with {self._child.wait()}")
        return json.loads(line)

    def end(self) -> dict[str, float]:
        """As a program ends."""
        said, _ = self._child.communicate(timeout=60)
        return json.loads(said)


def import_ms(statement: str, rounds: int = 7) -> float:
    """Time of an import in a new process, without Python's own start."""
    script = f"import time; a = time.perf_counter(); {statement}; print((time.perf_counter() - a) * 1e3)"
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    return min(
        float(subprocess.run([str(PYTHON), "-c", script], env=env, capture_output=True, text=True, check=True).stdout)
        for _ in range(rounds)
    )


def measure(kind: str, seconds: float, rounds: int) -> dict[str, Any]:
    """Figures of one receiver. Both applications live through the same minutes: they are asked in turns, and paced side by side."""
    names = ("bare", "package", "traced") if kind == "good" else ("bare", "traced")
    with receiver(kind) as url:
        apps = {how: Application(how, url) for how in names}
        tight: dict[str, list[dict[str, float]]] = {how: [] for how in apps}
        for number in range(rounds):
            for how in names[:: -1 if number % 2 else 1]:
                apps[how].order("tight 200")
                tight[how].append(apps[how].answer())
        for app in apps.values():
            app.order(f"paced {seconds}")
        paced = {how: app.answer() for how, app in apps.items()}
        ends = {how: app.end() for how, app in apps.items()}
    bare = sorted(run["p50_us"] for run in tight["bare"])
    figures = {"receiver": kind, "bare_p50_us": round(bare[0], 1), "noise": round(bare[len(bare) // 2] / bare[0], 2)}
    for how, prefix in (("traced", ""), ("package", "package_")):
        if how in tight:
            figures |= {f"{prefix}{name}": value for name, value in added(tight[how], tight["bare"]).items()}
            percent = paced[how]["cpu_percent"] - paced["bare"]["cpu_percent"]
            figures[f"{prefix}added_cpu_percent_at_50_per_s"] = round(percent, 2)
    return figures | {
        "bare_cpu_percent_at_50_per_s": round(paced["bare"]["cpu_percent"], 2),
        "added_memory_mb": round(paced["traced"]["memory_mb"] - paced["bare"]["memory_mb"], 1),
        "init_ms": round(ends["traced"]["init_ms"], 1),
        "exit_s": round(ends["traced"]["exit_s"], 2),
    }


def added(runs: list[dict[str, float]], bare: list[dict[str, float]]) -> dict[str, Any]:
    """What one application's rounds took more than the other's: between the lowest of either, and the quartiles of each round's own."""
    figures: dict[str, Any] = {}
    for name in ("p50_us", "p99_us", "cpu_us"):
        figures[f"added_{name}"] = round(min(run[name] for run in runs) - min(run[name] for run in bare), 1)
        differences = sorted(mine[name] - theirs[name] for mine, theirs in zip(runs, bare, strict=True))
        figures[f"added_{name}_quartiles"] = [round(differences[len(differences) * part // 4], 1) for part in (1, 2, 3)]
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="of calls at 50 a second")
    parser.add_argument("--rounds", type=int, default=20, help="of 200 calls as fast as they go, with and without in turns")
    parser.add_argument("--receiver", choices=RECEIVERS, action="append")
    parser.add_argument("--save", action="store_true", help="append to results/sdk.jsonl")
    args = parser.parse_args()
    if not PYTHON.exists():
        print(f"{PYTHON} is missing: run make setup", file=sys.stderr)
        return 2
    starts = {"import_ms": import_ms("import observatory"), "import_and_init_ms": import_ms("import observatory; observatory.init()")}
    publish("sdk", {name: round(value, 1) for name, value in starts.items()}, save=args.save)
    for kind in args.receiver or RECEIVERS:
        publish("sdk", measure(kind, args.seconds, args.rounds), save=args.save)
    return 0


if __name__ == "__main__":
    sys.exit(main())
