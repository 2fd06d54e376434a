"""What a figure was measured on, and where figures are kept."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"


def about() -> dict[str, Any]:
    """CPU, cores, memory, kernel, versions and commit (`+` when files differ from it)."""
    cpu = next((line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "memory_gb": round(memory / 1e6, 1),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("pyarrow", "duckdb", "aiohttp", "grpcio")},
        "commit": commit(),
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def commit() -> str:
    """The short commit of the working tree; `unknown` outside of git."""
    try:
        name = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "-uno", "observatory")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + ("+" if changed else "")


def publish(benchmark: str, figures: dict[str, Any], *, save: bool) -> dict[str, Any]:
    """Print the run's one line; with `save` also append it to `results/<benchmark>.jsonl`."""
    line = {"benchmark": benchmark, **figures, "load_average": round(os.getloadavg()[0], 2), "machine": about()}
    text = json.dumps(line)
    print(text, flush=True)
    if save:
        RESULTS.mkdir(exist_ok=True)
        with (RESULTS / f"{benchmark}.jsonl").open("a") as file:
            file.write(text + "\n")
    return line


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
