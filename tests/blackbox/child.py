"""What black-box tests share: waiting for what must become true, asking the server for every span it has, compiling shims."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.appliance import Questions
from observatory.testing.server import ServerProcess

T = TypeVar("T")


def wait_until(ask: Callable[[], T], what: str, at_most_s: float = 30.0, every_s: float = 0.05) -> T:
    """The first answer that is true. Fails naming `what` and the last answer when none came in time."""
    deadline = time.monotonic() + at_most_s
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {at_most_s:g} s: {what}; last answer {answer!r}"
        time.sleep(every_s)


def questions(server: ServerProcess, timeout_s: float = 60.0) -> Questions:
    """A connection to the server's API."""
    return Questions(int(server.addresses["listen"].rpartition(":")[2]), timeout_s)


def stored(server: ServerProcess) -> Counter[tuple[bytes, bytes]]:
    """(trace_id, span_id) of every span the server answers by SQL, with how often it has it."""
    asked = questions(server)
    try:
        rows = asked.arrow("select trace_id, span_id from spans")
    finally:
        asked.close()
    pairs = zip(rows.column(0).to_pylist(), rows.column(1).to_pylist(), strict=True)
    return Counter((bytes.fromhex(trace), bytes.fromhex(span)) for trace, span in pairs)


def shim(name: str) -> Path:
    """A compiled `shims/<name>.c`, to be preloaded into the server."""
    source = Path(__file__).parent / "shims" / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    built = Path(tempfile.gettempdir()) / f"observatory-shim-{os.getuid()}-{name}-{digest}.so"
    if not built.exists():
        temporary = built.with_suffix(f".{os.getpid()}")
        command = ["gcc", "-shared", "-fPIC", "-O2", "-o", str(temporary), str(source), "-ldl", "-lpthread"]
        said = subprocess.run(command, capture_output=True, text=True)
        assert said.returncode == 0, f"{' '.join(command)}: {said.stderr}\nno gcc? apt-get install gcc libc6-dev"
        temporary.rename(built)
    return built
