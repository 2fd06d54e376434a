"""How fast spans become durable, found again, and stored: `python -m benchmarks.ingest --help`.

The server runs as a child process on a fresh data directory and keeps everything. The sender (benchmarks/load) resends what is refused,
so latency includes refusals. Afterwards the spans found by SQL must be exactly those acknowledged; the exit code is 1 when they are not.

Background (`--background`): `trace` opens a trace of 30,000 spans again and again, `scan` reads 10 M stored rows by SQL again and again
(both are stored first, not measured), `compact` cuts segments a
quarter as large and looks for merges twice a second, so that merging never rests.

What is sustained for ever is stated apart: `for_ever_spans_per_s` divides by the load's seconds plus those until the server came to rest.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import giant, watch
from benchmarks.appliance import Appliance, Questions, Refused, percentiles
from benchmarks.load import sender
from benchmarks.machine import publish

BACKGROUNDS = ("trace", "scan", "compact")
RESTLESS = (
    "\n[cut]\nsegment_bytes = 16777216\nsegment_age_s = 2.0\n[jobs]\npoll_s = 0.5\n"  # so many small segments that merging never rests
)
SCAN = "select service_name, operation, count(*), avg(duration_ms), sum(input_tokens) from spans group by all order by 3 desc"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it as told by the command line; 0 when every acknowledged span was found once."""
    options = _parser().parse_args(arguments)
    figures = run(options)
    publish("ingest", figures, save=options.save)
    return 0 if figures["found_equals_acknowledged"] else 1


def run(options: argparse.Namespace) -> dict[str, Any]:
    """One measurement; the figures without the machine."""
    shape: sender.Shape = "json" if options.json_encoding else "small" if options.small else "full"
    corpus = sender.prepare(shape, options.payloads)
    background: list[str] = [name for name in options.background.split(",") if name]
    config = options.config.read_text() if options.config else ""
    if "compact" in background:
        config += RESTLESS
    with Appliance(config=config, under=options.dir) as appliance:
        stored = _store_before(appliance, background, options.stored_before)
        questions = appliance.connect()
        before = questions.count()
        began_disk, began_cpu = watch.size(appliance.data), watch.cpu(appliance.pid).total
        works = _start_background(appliance, background, stored)
        with watch.Watch(appliance.pid, appliance.data) as watched:
            connections = options.conc or (32 if options.small else 4)
            seconds, rate, proto = options.seconds, options.rate, options.proto
            with sender.Sending(corpus, appliance.port(proto), proto=proto, seconds=seconds, connections=connections, rate=rate) as sending:
                sent = sending.result()
        for work in works:
            work.stop()
        journal_at_end = watch.size(appliance.data / "journal")
        seen_at_once = questions.count() - before
        rest_s = watch.until_quiet(appliance.pid)
        found = questions.count() - before
        status = questions.get("/api/v1/status")
        segments = watch.size(appliance.data / "segments")
        in_segments = status["storage"]["by_signal"]["spans"]["rows"]
        acknowledged = sent["spans"]
        return {
            "proto": options.proto,
            "shape": shape,
            "rate_asked": options.rate,
            "connections": connections,
            "background": background,
            **{name: sent[name] for name in _SENT},
            "sender_cores": round((sent["cpu_user_s"] + sent["cpu_sys_s"]) / sent["elapsed_s"], 3),
            "slowest_second": min(sent["per_second"][1:-1] or sent["per_second"]),
            **watched.figures(),
            "server_cpu_s_per_million": round(1e6 * _cpu(watched) / max(acknowledged, 1), 3),
            "found": found,
            "found_at_once": seen_at_once,
            "found_equals_acknowledged": acknowledged <= found <= acknowledged + sent["unanswered_spans"],
            "rest_after_s": round(rest_s, 2),
            "for_ever_spans_per_s": round(acknowledged / (sent["elapsed_s"] + rest_s)),
            "journal_at_end_mb": round(journal_at_end / 1e6, 1),
            "segment_bytes_per_span": round(segments / in_segments, 1) if in_segments else None,
            "disk_bytes_per_span": round((watch.size(appliance.data) - began_disk) / max(found, 1), 1),
            "works": {work.name: work.figures() for work in works},
            "decoder": status["decoder"],
            "cpu_us_per_span": _by_part(status["cpu_seconds"], watch.cpu(appliance.pid).total - began_cpu, acknowledged),
            "jobs_done": {job["name"]: job["done"] for job in status["jobs"]},
            "jobs_failed": sum(job["failures"] for job in status["jobs"]),
        }


_SENT = [
    *("elapsed_s", "requests", "spans", "spans_per_s", "requests_per_s", "bytes_per_span"),
    *("p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms"),
    *("rejected_spans", "refused_requests", "unanswered_spans", "broken", "resent", "late", "codes", "first_error"),
]


def _cpu(watched: watch.Watch) -> float:
    figures = watched.figures()
    return figures["server_cpu_user_s"] + figures["server_cpu_system_s"]


def _by_part(seconds: dict[str, float], total: float, spans: int) -> dict[str, float]:
    """Processor time by part of the pipeline, µs a span, until the server came to rest; `other` is doors, allocator, jobs, queries."""
    parts = {**seconds, "other": total - sum(seconds.values())}
    return {name: round(1e6 * spent / max(spans, 1), 3) for name, spent in sorted(parts.items(), key=lambda item: -item[1])}


def _store_before(appliance: Appliance, background: list[str], rows: int) -> str:
    """What the background reads: a trace of 30,000 spans, whose id is returned, and `rows` spans."""
    trace_id = ""
    if "trace" in background:
        trace_id = giant.store(appliance.port("http"), spans=30_000)
    if "scan" in background:
        fill(appliance, rows)
    return trace_id


def fill(appliance: Appliance, spans: int) -> int:
    """Store about this many spans through the HTTP door, wait until the server is at rest, and return how many were acknowledged."""
    corpus = sender.prepare()
    with sender.Sending(corpus, appliance.port("http"), seconds=590, requests=max(1, spans // corpus.spans[0])) as sending:
        acknowledged = sending.result()["spans"]
    watch.until_quiet(appliance.pid)
    return acknowledged


class _Work:
    """Something asked again and again in a thread until `stop`."""

    def __init__(self, name: str, ask: Any) -> None:
        self.name, self._ask = name, ask
        self._stop = threading.Event()
        self._seconds: list[float] = []
        self._failures: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._seconds.append(self._ask())
            except (Refused, OSError) as error:
                self._failures.append(str(error)[:200])
                self._stop.wait(0.2)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(60)

    def figures(self) -> dict[str, Any]:
        known: dict[str, Any] = {"times": len(self._seconds), **percentiles(self._seconds)}
        return known | ({"failures": len(self._failures), "first_failure": self._failures[0]} if self._failures else {})


def _start_background(appliance: Appliance, background: list[str], trace_id: str) -> list[_Work]:
    def asking(ask: Any) -> Any:
        questions: Questions = appliance.connect()

        def once() -> float:
            ask(questions)
            return questions.seconds

        return once

    works: list[_Work] = []
    if "trace" in background:
        views = itertools.cycle(["?view=tree", "?view=tree", "?view=tree", ""])
        works.append(_Work("trace", asking(lambda q: q.raw("GET", f"/api/v1/traces/{trace_id}{next(views)}"))))
    if "scan" in background:
        works.append(_Work("scan", asking(lambda q: q.sql(SCAN))))
    return works


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks.ingest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proto", choices=["http", "grpc"], default="http")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=0, help="spans/s; 0 is as fast as answered")
    parser.add_argument("--conc", type=int, default=0, help="connections, one request in flight on each (4; 32 with --small)")
    parser.add_argument("--background", default="", help="comma-separated: " + ", ".join(BACKGROUNDS))
    parser.add_argument("--stored-before", type=int, default=10_000_000, help="rows for the background's scan")
    parser.add_argument("--small", action="store_true", help="requests of 1 to 10 spans")
    parser.add_argument("--json-encoding", action="store_true", help="OTLP/JSON instead of protobuf (HTTP only)")
    parser.add_argument("--payloads", type=int, default=64, help="distinct requests of 512 spans the corpus has")
    parser.add_argument("--config", type=Path, help="a config.toml for the server")
    parser.add_argument("--dir", type=Path, help="where the data directory is made; the disk to measure")
    parser.add_argument("--save", action="store_true", help="append the line to benchmarks/results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
