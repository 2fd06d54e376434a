"""What a server process uses while it is measured: CPU, anonymous memory, bytes on disk, from /proc and the data directory."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds a process has used, without its children."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """User and system together."""
        return self.user + self.system


def cpu(pid: int) -> Cpu:
    """CPU seconds of `pid` so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Cpu(int(fields[11]) / TICK, int(fields[12]) / TICK)


def busy() -> float:
    """CPU seconds all processes of this machine have used since it started, time stolen by its host included."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICK  # without idle and waiting for a disk


def children(pid: int) -> list[int]:
    """The processes `pid` and its threads started, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except OSError:  # the thread ended
            continue
    return found + [deeper for child in found for deeper in children(child)]


def memory(pid: int) -> dict[str, int]:
    """Resident bytes of `pid`: `anonymous` (its own) and `total` (with mapped files, which the kernel may take back)."""
    known = {"anonymous": 0, "total": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "Anonymous":
            known["anonymous"] = int(rest.split()[0]) * 1024
        elif name == "Rss":
            known["total"] = int(rest.split()[0]) * 1024
    return known


def size(path: Path) -> int:
    """Bytes of blocks the files under `path` occupy."""
    total = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    total += size(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:  # moved or deleted meanwhile; what was counted stays
        return total
    return total


class Watch:
    """Samples a process four times a second until the `with` block ends; `figures()` sums up."""

    def __init__(self, pid: int, data_dir: Path) -> None:
        self._pid, self._data = pid, data_dir
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._first, self._began, self._busy = cpu(pid), time.monotonic(), busy()
        self._busy_last = self._busy
        self._last, self._ended = self._first, self._began
        self.anonymous_peak = 0
        self.total_peak = 0
        self.samples: list[tuple[float, int, int]] = []
        """(seconds since the start, anonymous bytes, bytes of the journal's files)"""

    def _run(self) -> None:
        while True:
            try:
                self._sample()
            except (OSError, ProcessLookupError):  # it ended
                return
            if self._stop.wait(0.25):
                return

    def _sample(self) -> None:
        used = memory(self._pid)
        self.anonymous_peak = max(self.anonymous_peak, used["anonymous"])
        self.total_peak = max(self.total_peak, used["total"])
        self._last, self._ended, self._busy_last = cpu(self._pid), time.monotonic(), busy()
        self.samples.append((self._ended - self._began, used["anonymous"], size(self._data / "journal")))

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def figures(self) -> dict[str, Any]:
        """CPU cores used, CPU seconds, peaks in MB, and how the journal grew in the second half (MB/s, by least squares)."""
        seconds = max(self._ended - self._began, 1e-9)
        user, system = self._last.user - self._first.user, self._last.system - self._first.system
        return {
            "server_cores": round((user + system) / seconds, 3),
            "machine_cores": round((self._busy_last - self._busy) / seconds, 3),
            "server_cpu_user_s": round(user, 2),
            "server_cpu_system_s": round(system, 2),
            "anonymous_peak_mb": round(self.anonymous_peak / 1e6, 1),
            "rss_peak_mb": round(self.total_peak / 1e6, 1),
            "journal_peak_mb": round(max((sample[2] for sample in self.samples), default=0) / 1e6, 1),
            "journal_slope_mb_s": round(_slope([(at, journal) for at, _, journal in self.samples[len(self.samples) // 2 :]]) / 1e6, 3),
        }


def until_quiet(pid: int, *, share: float = 0.05, for_s: float = 2.0, at_most_s: float = 180.0) -> float:
    """Wait until `pid` and its children use less than `share` of a core for `for_s`; returns the seconds this took before the quiet began.

    Raises TimeoutError when it does not come to rest.
    """
    began = time.monotonic()
    quiet_since, before, at = began, _tree(pid), began
    while True:
        time.sleep(0.25)  # samples the only thing that tells: the process's CPU
        now, used = time.monotonic(), _tree(pid)
        if used - before > share * (now - at):
            quiet_since = now
        before, at = used, now
        if now - quiet_since >= for_s:
            return quiet_since - began
        if now - began > at_most_s:
            raise TimeoutError(f"the server did not come to rest within {at_most_s:.0f} s")


def _tree(pid: int) -> float:
    total = 0.0
    for one in [pid, *children(pid)]:
        try:
            total += cpu(one).total
        except OSError:
            continue
    return total


def _slope(points: list[tuple[float, int]]) -> float:
    if len(points) < 2:
        return 0.0
    mean_x, mean_y = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
