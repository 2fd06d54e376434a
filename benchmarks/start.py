"""How fast it starts, what it costs at rest, how soon a span is seen: `python -m benchmarks.start --help`.

`start_s` is from exec to the first acknowledged span, on a fresh and on a filled data directory. Idle figures are taken after `--settle`
seconds without work, over `--idle` seconds, children included. `visible` is from the acknowledgement of a trace to its first appearance
in `GET /api/v1/traces`, while the sender loads the server at `--rate`.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks import watch
from benchmarks.appliance import Appliance, percentiles, send
from benchmarks.load import sender
from benchmarks.machine import publish


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it as told by the command line; 0 when start < 2 s, idle CPU < 1 %, idle memory < 200 MB and visible p99 < 2 s."""
    options = _parser().parse_args(arguments)
    figures = run(options)
    publish("start", figures, save=options.save)
    small = figures["idle_cpu_percent"] < 1 and figures["idle_rss_mb"] < 200
    return 0 if small and figures["start_fresh"]["max_ms"] < 2000 and figures["visible"]["p99_ms"] < 2000 else 1


def run(options: argparse.Namespace) -> dict[str, Any]:
    """One measurement; the figures without the machine."""
    with tempfile.TemporaryDirectory(prefix="observatory-benchmark-", dir=options.dir) as home:
        fresh = [_start(Path(home) / f"fresh-{i}") for i in range(options.starts)]
        filled = Path(home) / "filled"
        with Appliance(data=filled) as appliance:
            seen = _visible(appliance, options)
        again = [_start(filled) for _ in range(options.starts)]
        with Appliance(data=Path(home) / "idle") as appliance:
            idle = _idle(appliance.pid, options)
    return {"start_fresh": percentiles(fresh), "start_filled": percentiles(again), **idle, "visible": seen, "visible_rate": options.rate}


def span(name: str, service: str) -> tuple[bytes, str]:
    """An export request of one span that ended now, and its trace id as hex."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    trace_id, now = secrets.token_bytes(16), time.time_ns()
    one = resource.scope_spans.add().spans.add(trace_id=trace_id, span_id=secrets.token_bytes(8), name=name, kind=1)
    one.start_time_unix_nano, one.end_time_unix_nano = now - 1_000_000, now
    return request.SerializeToString(), trace_id.hex()


def _start(data: Path) -> float:
    """Seconds from exec to the first acknowledged span."""
    began = time.perf_counter()
    with Appliance(data=data) as appliance:
        connection = HTTPConnection("127.0.0.1", appliance.port("http"), timeout=10)
        send(connection, span("first", "start")[0])
        seconds = time.perf_counter() - began
        connection.close()
    return seconds


def _idle(pid: int, options: argparse.Namespace) -> dict[str, Any]:
    time.sleep(options.settle)  # the thing measured is the absence of work
    everyone = [pid, *watch.children(pid)]
    before = sum(watch.cpu(one).total for one in everyone)
    time.sleep(options.idle)
    used = sum(watch.cpu(one).total for one in everyone) - before
    memories = [watch.memory(one) for one in everyone]
    return {
        "idle_cpu_percent": round(100 * used / options.idle, 3),
        "idle_anonymous_mb": round(sum(one["anonymous"] for one in memories) / 1e6, 1),
        "idle_rss_mb": round(sum(one["total"] for one in memories) / 1e6, 1),
        "idle_processes": len(everyone),
    }


def _visible(appliance: Appliance, options: argparse.Namespace) -> dict[str, Any]:
    connection = HTTPConnection("127.0.0.1", appliance.port("http"), timeout=30)
    questions = appliance.connect()
    seconds: list[float] = []
    load = options.probes * 0.6 + 5
    with sender.Sending(sender.prepare(), appliance.port("http"), seconds=min(load * 4, 590), rate=options.rate, grace=1) as sending:
        for i in range(options.probes):
            body, trace_id = span("probe", service := f"probe-{i}")
            send(connection, body)
            began = time.perf_counter()
            while not any(item["trace_id"] == trace_id for item in questions.get("/api/v1/traces", service=service)["items"]):
                if time.perf_counter() - began > 30:
                    raise RuntimeError("a trace was acknowledged and not in the list 30 s later")
            seconds.append(time.perf_counter() - began)
        loaded = sending.running
    return {"probes": len(seconds), **percentiles(seconds), "loaded_all_along": loaded}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks.start", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--settle", type=float, default=30, help="seconds without work before idle is measured")
    parser.add_argument("--idle", type=float, default=30, help="seconds over which idle is measured")
    parser.add_argument("--probes", type=int, default=100)
    parser.add_argument("--rate", type=float, default=100_000, help="spans/s while visibility is measured")
    parser.add_argument("--dir", type=Path, help="where data directories are made")
    parser.add_argument("--save", action="store_true", help="append the line to benchmarks/results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
