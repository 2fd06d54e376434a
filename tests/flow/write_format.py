"""Writes the fixture of a released format: `python tests/flow/write_format.py`, once, by the program that is released with it.

`tests/data/formats/<n>.tar.xz` is a data directory as a killed appliance leaves it: segments of every signal, some merged, and a journal
with rows that are in no segment yet. `<n>.json` says what every later program must find in it.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from observatory.cli import client
from observatory.storage.migrate import FORMAT
from observatory.testing.server import ServerProcess
from observatory.testing.spans import Maker, Payload

FORMATS = Path(__file__).parents[1] / "data" / "formats"
SMALL = {"OBSERVATORY_JOURNAL__FILE_BYTES": "1048576", "OBSERVATORY_CUT__SEGMENT_AGE_S": "1.0"}
KEPT = {"OBSERVATORY_STORAGE__RETENTION_DAYS": "3650"}
"""Rows of a fixture are old, and must not expire while a test looks at them."""

QUESTIONS = {
    "spans": "SELECT trace_id, span_id, name, service_name, start_ns, duration_ns, attributes::VARCHAR FROM spans ORDER BY ALL",
    "logs": "SELECT service_name, body, severity_number FROM logs ORDER BY ALL",
    "metric points": "SELECT name, time_ns FROM metric_points ORDER BY ALL",
    "calls": "SELECT trace_id, span_id, model_name, input_tokens, output_tokens, total_cost_usd FROM llm_calls WHERE counted ORDER BY ALL",
    "feedback": "SELECT name, score, trace_id FROM feedback ORDER BY ALL",
    "traces": "SELECT trace_id, span_count, llm_calls, total_cost_usd FROM traces ORDER BY ALL",
}


def found(server: ServerProcess) -> dict[str, Any]:
    """What a server answers about all it has."""
    return {name: client.post(server.api, "/api/v1/sql", {"query": query})["rows"] for name, query in QUESTIONS.items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        data = Path(home, "data")
        with ServerProcess(data, env=SMALL | KEPT) as server:
            make = Maker(seed=11)
            for _ in range(3):
                everything(server, make)
                cut(server)
            everything(server, make)
            expected = found(server)
            server.kill9()
        FORMATS.mkdir(exist_ok=True)
        with tarfile.open(FORMATS / f"{FORMAT}.tar.xz", "w:xz") as tar:
            tar.add(data, "data", filter=lambda entry: None if entry.name in ("data/ballast", "data/lock") else entry)
    (FORMATS / f"{FORMAT}.json").write_text(json.dumps(expected, indent=1) + "\n")


def everything(server: ServerProcess, make: Maker) -> None:
    """One request of every signal."""
    trace = make.trace(service="shop")
    for kind, payload in (("traces", trace), ("logs", make.logs("hello", service="shop")), ("metrics", make.metrics(service="shop"))):
        post(server.otlp_http, f"/v1/{kind}", payload)
    judged = {"trace_id": trace.all_spans[0].trace_id.hex(), "name": "helpful", "score": 1.0}
    client.post(server.api, "/api/v1/feedback", judged)


def post(url: str, path: str, payload: Payload) -> None:
    request = urllib.request.Request(url + path, payload.protobuf, {"content-type": "application/x-protobuf"})
    urllib.request.urlopen(request, timeout=10).close()


def cut(server: ServerProcess) -> None:
    """Wait until the journal's rows are in segments."""
    while client.get(server.api, "/api/v1/status")["journal"]["open_rows"]:
        time.sleep(0.2)


if __name__ == "__main__":
    main()
