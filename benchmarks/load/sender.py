"""Building the C sender and running it against a server on loopback."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from benchmarks import payloads
from benchmarks.load import corpus

HERE = Path(__file__).parent
Shape = Literal["full", "small", "json"]


class CannotSend(Exception):
    """The sender could not be built or stopped early; the message says why."""


def cache() -> Path:
    """Where the built sender and corpora live: under the system's temporary directory, one per user."""
    path = Path(tempfile.gettempdir()) / f"observatory-benchmarks-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def program() -> Path:
    """The sender, compiled when its source is new. Without libnghttp2's header it speaks HTTP only."""
    sources = [HERE / "sender.c", HERE / "grpc.h"]
    header = Path("/usr/include/nghttp2/nghttp2.h").exists()
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources) + bytes([header])).hexdigest()[:16]
    built = cache() / f"sender-{digest}"
    if built.exists():
        return built
    if not shutil.which("gcc"):
        raise CannotSend("the load generator is a C program and there is no gcc: apt-get install gcc libc6-dev libnghttp2-dev")
    temporary = built.with_suffix(f".{os.getpid()}")
    command = ["gcc", "-O2", "-o", str(temporary), str(sources[0]), *(["-lnghttp2"] if header else [])]
    said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode:
        raise CannotSend(f"{' '.join(command)}: {said.stderr.strip()}")
    temporary.rename(built)
    return built


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus file: its path, the id words each request may use, spans and traces of each payload in order, and its content type."""

    path: Path
    stride: int
    spans: tuple[int, ...]
    traces: tuple[int, ...]
    type: str

    def span_ids(self, seed: int, request: int) -> list[str]:
        """The span ids of request number `request` of a run, as hex."""
        return corpus.span_ids(seed, self.stride, request, self.spans[request % len(self.spans)])

    def trace_ids(self, seed: int, request: int) -> list[str]:
        """The trace ids of request number `request` of a run, as hex."""
        which = request % len(self.spans)
        return corpus.trace_ids(seed, self.stride, request, self.spans[which], self.traces[which])


def prepare(shape: Shape = "full", payloads_wanted: int = 64, traces: int = 64, seed: int = 1) -> Corpus:
    """A corpus of believable LLM traces, from the cache when it was made before.

    `full`: requests of `traces` × 8 spans. `small`: cut into requests of 1 to 10 spans. `json`: `full` as OTLP/JSON.
    """
    made_by = b"".join(Path(str(module.__file__)).read_bytes() for module in (payloads, corpus))
    digest = hashlib.sha256(made_by).hexdigest()[:12]
    path = cache() / f"{shape}-{payloads_wanted}x{traces}-{seed}-{digest}.corpus"
    about = path.with_suffix(".json")
    if not (path.exists() and about.exists()):
        bodies = [payloads.build(traces, seed * 1000 + i) for i in range(payloads_wanted)]
        if shape == "small":
            sizes = itertools.cycle([1, 7, 3, 10, 2, 5, 9, 4, 8, 6])
            bodies = [small for body in bodies for small in corpus.runs(body, sizes)]
        made = [corpus.json(body) if shape == "json" else corpus.protobuf(body) for body in bodies]
        stride = corpus.write(path, made)
        about.write_text(json.dumps({"stride": stride, "spans": [one.spans for one in made], "traces": [one.traces for one in made]}))
    known = json.loads(about.read_text())
    return Corpus(
        path,
        known["stride"],
        tuple(known["spans"]),
        tuple(known["traces"]),
        "application/json" if shape == "json" else "application/x-protobuf",
    )


class Sending:
    """A running sender. `result()` waits for its end (bounded by seconds + grace) and returns its one line.

    The line says what was acknowledged exactly (`requests`, `spans`), what was never answered (`unanswered_*`: stored or not), latency from
    due to acknowledged in ms, what was refused, resent and broken, and the sender's own CPU.
    """

    def __init__(
        self,
        corpus: Corpus,
        port: int,
        *,
        seconds: float,
        proto: Literal["http", "grpc"] = "http",
        connections: int = 4,
        rate: float = 0,
        requests: int = 0,
        resend: bool = True,
        grace: float = 15,
        seed: int | None = None,
        first: int = 0,
        acknowledged: Path | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.corpus = corpus
        self.seed = time.time_ns() & (2**62 - 1) if seed is None else seed
        self._limit = seconds + grace + 30
        options: dict[str, Any] = {
            "corpus": corpus.path,
            "port": port,
            "grpc": int(proto == "grpc"),
            "type": corpus.type,
            "seconds": seconds,
            "connections": connections,
            "rate": rate,
            "resend": int(resend),
            "grace": grace,
            "seed": self.seed,
            "first": first,
        }
        if requests:
            options["requests"] = requests
        if acknowledged:
            options["acknowledged"] = acknowledged
        if headers:
            options["headers"] = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        command = [str(program()), *(str(word) for name, value in options.items() for word in (f"--{name}", value))]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @property
    def running(self) -> bool:
        """Whether the sender has not ended yet."""
        return self._child.poll() is None

    def result(self) -> dict[str, Any]:
        """The sender's line. Raises CannotSend when it failed or overstayed."""
        try:
            out, said = self._child.communicate(timeout=self._limit)
        except subprocess.TimeoutExpired:
            self.stop()
            raise CannotSend(f"the sender did not end within {self._limit:.0f} s") from None
        if self._child.returncode:
            raise CannotSend(f"the sender ended with {self._child.returncode}: {said.strip()}")
        return json.loads(out)

    def end(self) -> None:
        """Send no more; `result` follows at once, what is under way counts as unanswered."""
        self._child.terminate()

    def stop(self) -> None:
        """End it now, without a result."""
        self._child.kill()
        self._child.wait()

    def __enter__(self) -> Sending:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.running:
            self.stop()
