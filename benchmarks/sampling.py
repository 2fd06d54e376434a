"""What tail sampling costs and survives: `python -m benchmarks.sampling rate|open|flood|giant|kill`.

rate   as fast as answered at 1 % kept: spans/s, bytes stored beside keeping everything, processor time of deciding
open   33,000 spans/s, each trace waited for 30 s: a million spans open at once, and the memory that takes
flood  a million traces of one span each
giant  one trace of a million spans
kill   a million spans open, kill -9, and how long until a new start has everything again

In every case what is measured (sums by minute) must be exactly what was acknowledged, and every span is kept, dropped or open; the exit
code is 1 when it is not.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import secrets
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks import giant, watch
from benchmarks.appliance import Appliance, Questions, send
from benchmarks.load import sender
from benchmarks.machine import publish

ONE_PERCENT = (
    '[sampling]\nquiet_s = {quiet}\nmax_age_s = 600\n[[sampling.policies]]\nname = "share"\ntype = "probabilistic"\npercent = 1\n{more}'
)
NEVER = '[[sampling.policies]]\nname = "errors"\ntype = "expression"\nfilter = "status:error name:nothing"\n'
"""A policy that is asked of every span and may always still keep the trace: without one, a share is decided at the first span."""
CONNECTIONS = 16
"""With one request in flight each. An application has a connection of its own, so a rate like this comes over many; over 8 it is 4 %
lower, and what 4 wait for is one another's latency."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one case; 0 when nothing was lost and every sum is exact."""
    parser = argparse.ArgumentParser("benchmarks.sampling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=list(CASES))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--spans", type=int, default=1_000_000, help="of flood, giant, and open at once")
    parser.add_argument("--save", action="store_true", help="append the line to benchmarks/results")
    options = parser.parse_args(arguments)
    figures = CASES[options.case](options)
    publish("sampling", {"case": options.case, **figures}, save=options.save)
    return 0 if figures["exact"] else 1


def rate(options: argparse.Namespace) -> dict[str, Any]:
    """1 % kept at full speed, and the bytes of keeping everything, of the same requests."""
    kept = _loaded(ONE_PERCENT.format(quiet=10, more=NEVER), options.seconds)
    everything = _loaded('[sampling]\npreset = "everything"\n', min(options.seconds, 20))
    share = kept["disk_bytes_per_span"] / everything["disk_bytes_per_span"]
    return {**kept, "everything_disk_bytes_per_span": everything["disk_bytes_per_span"], "bytes_share": round(share, 4)}


def open_(options: argparse.Namespace) -> dict[str, Any]:
    """A steady rate at which a million spans are open."""
    return _loaded(ONE_PERCENT.format(quiet=30, more=NEVER), options.seconds, rate=options.spans / 30)


def flood(options: argparse.Namespace) -> dict[str, Any]:
    """Traces of one span, as fast as answered."""
    return _sent(ONE_PERCENT.format(quiet=30, more=NEVER), _singles(options.spans), options.spans)


def one_trace(options: argparse.Namespace) -> dict[str, Any]:
    """One trace, as fast as answered; it ends when its root has been quiet."""
    bodies = iter(giant.requests(secrets.token_bytes(16), options.spans))
    return _sent(ONE_PERCENT.format(quiet=10, more=NEVER), bodies, options.spans)


def kill(options: argparse.Namespace) -> dict[str, Any]:
    """Half a minute of load, kill -9, start, and everything is there."""
    config = ONE_PERCENT.format(quiet=600, more=NEVER)
    with Appliance(config=config, keep=True) as appliance:
        corpus = sender.prepare()
        with sender.Sending(corpus, appliance.port("http"), seconds=590, requests=options.spans // corpus.spans[0]) as sending:
            acknowledged = sending.result()["spans"]
        before = appliance.connect().get("/api/v1/sampling")
        appliance.server.kill9()
        began = time.monotonic()
        appliance.server.start()
        ready = time.monotonic() - began
        questions = appliance.connect()
        after = _accounted(questions, acknowledged)
        return {**after, "open_before": before["spans"]["open"], "start_s": round(ready, 2)}


def _loaded(config: str, seconds: float, rate: float = 0) -> dict[str, Any]:
    with Appliance(config=config) as appliance:
        corpus, questions = sender.prepare(), appliance.connect()
        used = watch.cpu(appliance.pid).total
        with (
            watch.Watch(appliance.pid, appliance.data) as watched,
            sender.Sending(corpus, appliance.port("http"), seconds=seconds, rate=rate, connections=CONNECTIONS) as sending,
        ):
            sent = sending.result()
        at_end = questions.get("/api/v1/status")
        total = watch.cpu(appliance.pid).total - used
        deciding = at_end["cpu_seconds"].get("sampler", 0.0)
        settled = _until_decided(questions)
        rest = watch.until_quiet(appliance.pid)
        _until(questions, "/api/v1/status", lambda status: not status["journal"]["open_rows"])  # what is in no segment has no bytes yet
        names = ("spans", "spans_per_s", "p50_ms", "p99_ms", "max_ms", "resent", "unanswered_spans", "first_error")
        return {
            **{name: sent[name] for name in names},
            **watched.figures(),
            "cpu_us_per_span": {name: round(1e6 * s / max(sent["spans"], 1), 3) for name, s in at_end["cpu_seconds"].items()},
            "deciding_share_of_cpu": round(deciding / total, 4),
            "open_spans_at_end": at_end["sampling"]["spans"]["open"],
            "settled_after_s": round(settled + rest, 1),
            "disk_bytes_per_span": round(_stored(appliance) / max(sent["spans"], 1), 2),
            **_accounted(questions, sent["spans"]),
        }


def _stored(appliance: Appliance) -> int:
    """Bytes on disk without the journal, which has its files ahead of time, and the two megabytes set aside for a full disk."""
    return watch.size(appliance.data) - watch.size(appliance.data / "journal") - (appliance.data / "ballast").stat().st_size


def _sent(config: str, bodies: Iterator[bytes], spans: int) -> dict[str, Any]:
    with Appliance(config=config) as appliance:
        questions = appliance.connect()
        connection = http.client.HTTPConnection("127.0.0.1", appliance.port("http"), timeout=60)
        began = time.monotonic()
        with watch.Watch(appliance.pid, appliance.data) as watched:
            for body in bodies:
                send(connection, body)
            seconds = time.monotonic() - began
            settled = _until_decided(questions)
        return {
            "spans_per_s": round(spans / seconds),
            "settled_after_s": round(settled, 1),
            **watched.figures(),
            **_accounted(questions, spans),
        }


def _accounted(questions: Questions, acknowledged: int) -> dict[str, Any]:
    said = questions.get("/api/v1/sampling")
    spans = said["spans"]
    measured = int(questions.sql("select coalesce(sum(count), 0) from span_rollups")[0][0])
    shown = questions.count()
    there = spans["kept"] + sum(spans["dropped"].values()) + spans["open"]
    exact = measured == acknowledged and shown == spans["kept"] + spans["open"] and (said["keeps_everything"] or there == acknowledged)
    return {"acknowledged": acknowledged, "measured": measured, "shown": shown, "sampling": said, "exact": exact}


def _until_decided(questions: Questions) -> float:
    return _until(questions, "/api/v1/sampling", lambda sampling: not sampling["spans"]["open"])


def _until(questions: Questions, path: str, holds: Callable[[dict[str, Any]], bool], at_most_s: float = 180) -> float:
    began = time.monotonic()
    while not holds(questions.get(path)):
        if time.monotonic() - began > at_most_s:
            raise TimeoutError(f"{path} does not come to rest")
        time.sleep(0.25)
    return time.monotonic() - began


def _singles(spans: int) -> Iterator[bytes]:
    numbers = itertools.count(1)
    for first in range(0, spans, 512):
        request = ExportTraceServiceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        for _ in range(min(512, spans - first)):
            now, number = time.time_ns(), next(numbers)
            scope.spans.add(
                trace_id=secrets.token_bytes(16),
                span_id=struct.pack(">Q", number),
                name="ping",
                start_time_unix_nano=now - 1000,
                end_time_unix_nano=now,
            )
        yield request.SerializeToString()


CASES = {"rate": rate, "open": open_, "flood": flood, "giant": one_trace, "kill": kill}


if __name__ == "__main__":
    sys.exit(main())
