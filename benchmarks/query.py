"""How fast stored spans answer: `python -m benchmarks.query --help`.

Stores `--spans` spans through the server's own door, a trace of 30,000 spans and some logs, waits until it is at rest, then asks. Every
figure is what a client on loopback sees, from request to the last byte. `first_ms` is the first time of its kind, caches cold.
"""

from __future__ import annotations

import argparse
import http.client
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from benchmarks import giant, watch
from benchmarks.appliance import Appliance, Questions, percentiles
from benchmarks.load import sender
from benchmarks.machine import publish

SQL = {
    "count": "select count(*) from spans",
    "tokens by model": "select request_model, count(*), sum(input_tokens), sum(output_tokens) from spans "
    "where request_model is not null group by 1 order by 2 desc",
    "p95 by service": "select service_name, count(*), quantile_cont(duration_ms, 0.95) from spans group by 1 order by 2 desc",
    "errors by type": "select error_type, count(*) from spans where error_type is not null group by 1 order by 2 desc",
}
LISTS: dict[str, dict[str, str | int]] = {
    "newest": {},
    "newest, page of 1000": {"limit": 1000},
    "errors": {"status": "error"},
    "slow": {"min_duration_ms": 4000},
    "longest": {"sort": "-duration"},
    "one service": {"service": ""},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it as told by the command line; 0 when the targets hold (list < 150 ms, trace by id < 50 ms, both p50)."""
    options = _parser().parse_args(arguments)
    figures = run(options)
    publish("query", figures, save=options.save)
    return 0 if figures["lists"]["newest"]["p50_ms"] < 150 and figures["trace_by_id"]["p50_ms"] < 50 else 1


def run(options: argparse.Namespace) -> dict[str, Any]:
    """One measurement; the figures without the machine."""
    with Appliance(under=options.dir, keep=options.keep) as appliance:
        ids, stored, seconds = _store(appliance, options)
        questions = appliance.connect()
        spans = questions.count()
        service = questions.sql("select service_name from spans limit 1")[0][0]
        lists = {name: dict(query) | ({"service": service} if "service" in query else {}) for name, query in LISTS.items()}
        giant_id = ids.pop()  # the last one
        random.Random(5).shuffle(ids)
        reads = iter(ids)
        return {
            "spans": spans,
            "acknowledged": stored,
            "load_s": round(seconds, 1),
            "segments": len(list((appliance.data / "segments" / "spans").glob("*.parquet"))),
            "lists": {name: _times(questions, options.times, _get("/api/v1/traces", query)) for name, query in lists.items()},
            "trace_by_id": _times(questions, options.reads, lambda q: q.get(f"/api/v1/traces/{next(reads)}")),
            "giant_tree": _times(questions, options.times, lambda q: q.raw("GET", f"/api/v1/traces/{giant_id}?view=tree")),
            "giant_full": _times(questions, max(2, options.times // 4), lambda q: q.raw("GET", f"/api/v1/traces/{giant_id}")),
            "logs": _times(questions, options.times, _get("/api/v1/logs", {"limit": 100})),
            "logs_text": _times(questions, options.times, _get("/api/v1/logs", {"limit": 100, "text": "refused"})),
            "sql": {name: _times(questions, max(3, options.times // 4), _ask(text)) for name, text in SQL.items()},
            "anonymous_mb": round(watch.memory(appliance.pid)["anonymous"] / 1e6, 1),
        }


def _store(appliance: Appliance, options: argparse.Namespace) -> tuple[list[str], int, float]:
    """Trace ids that were acknowledged (the last is the giant's), spans acknowledged, seconds it took until all was at rest."""
    began = time.monotonic()
    corpus = sender.prepare()
    wanted = max(1, options.spans // corpus.spans[0])
    giant_id = giant.store(appliance.port("http"), options.giant)
    with sender.Sending(corpus, appliance.port("http"), seconds=590, requests=wanted, seed=11) as sending:
        sent = sending.result()
    if sent["requests"] != wanted:
        raise RuntimeError(f"only {sent['requests']} of {wanted} requests were acknowledged: {sent['first_error']}")
    _send_logs(appliance.port("http"), options.logs)
    watch.until_quiet(appliance.pid)
    chosen = random.Random(3).sample(range(wanted), min(wanted, options.reads))
    ids = [random.Random(request).choice(corpus.trace_ids(11, request)) for request in chosen]
    while len(ids) < options.reads:
        ids.append(random.Random(len(ids)).choice(corpus.trace_ids(11, len(ids) % wanted)))
    return [*ids, giant_id], sent["spans"] + options.giant, time.monotonic() - began


def _send_logs(port: int, records: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    chance = random.Random(2)
    for first in range(0, records, 1000):
        request = ExportLogsServiceRequest()
        resource = request.resource_logs.add()
        name = resource.resource.attributes.add(key="service.name")
        name.value.string_value = f"service-{first // 1000 % 12}"
        scope = resource.scope_logs.add()
        now = time.time_ns()
        for i in range(first, min(first + 1000, records)):
            record = scope.log_records.add(time_unix_nano=now - i * 1000, observed_time_unix_nano=now, severity_number=9 + 4 * (i % 3))
            record.body.string_value = f"upstream {chance.choice(['answered', 'refused', 'was slow'])} after {chance.randint(1, 9000)} ms"
            attribute = record.attributes.add(key="attempt")
            attribute.value.int_value = i % 4
        connection.request("POST", "/v1/logs", request.SerializeToString(), {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"logs were answered with {answer.status}")
    connection.close()


def _get(path: str, query: dict[str, str | int]) -> Callable[[Questions], Any]:
    return lambda questions: questions.get(path, **query)


def _ask(text: str) -> Callable[[Questions], Any]:
    return lambda questions: questions.sql(text)


def _times(questions: Questions, times: int, ask: Callable[[Questions], Any]) -> dict[str, Any]:
    seconds: list[float] = []
    for _ in range(times):
        ask(questions)
        seconds.append(questions.seconds)
    return {"times": times, "first_ms": round(seconds[0] * 1e3, 2), **percentiles(seconds[1:] or seconds)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("benchmarks.query", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--giant", type=int, default=30_000, help="spans of the one large trace")
    parser.add_argument("--logs", type=int, default=200_000)
    parser.add_argument("--reads", type=int, default=300, help="traces read by id, all different")
    parser.add_argument("--times", type=int, default=20, help="how often each other question is asked")
    parser.add_argument("--dir", type=Path, help="where the data directory is made")
    parser.add_argument("--keep", action="store_true", help="leave the data directory")
    parser.add_argument("--save", action="store_true", help="append the line to benchmarks/results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
