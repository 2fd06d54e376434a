from __future__ import annotations

import time
from pathlib import Path

import pytest
from child import questions
from pace import slowness
from restless import configuration

from benchmarks import watch
from benchmarks.load import sender
from observatory.testing.server import ServerProcess

GIB = 1 << 30
# Nothing is cut and nothing is compressed, so that the journal grows as large as it never does in service.
UNCUT = f"""
[journal]
codec = "none"
[cut]
segment_age_s = 3600.0
segment_bytes = {8 * GIB}
open_bytes = {8 * GIB}
max_open_bytes = {16 * GIB}
[receivers]
memory_limit_bytes = 0
"""


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.timeout(300)
def test_a_journal_of_1_gb_is_replayed_in_less_than_10_seconds(tmp_path: Path) -> None:
    config = configuration(tmp_path, UNCUT)
    data = tmp_path / "data"
    with ServerProcess(data, "--config", config) as server:
        port = int(server.addresses["otlp_http"].rpartition(":")[2])
        acknowledged = bursts = 0
        corpus = sender.prepare()
        while watch.size(data / "journal") < 1_000_000_000 or acknowledged < 1_000_000:
            with sender.Sending(corpus, port, seconds=60, requests=400, first=bursts * 400, seed=5) as load:
                acknowledged += load.result()["spans"]
            bursts += 1
        server.kill9()
    size = watch.size(data / "journal")
    began = time.monotonic()
    with ServerProcess(data, ready_timeout_s=60) as server:
        took = time.monotonic() - began
        print(f"replayed {size / 1e9:.2f} GB, {acknowledged} spans, in {took:.2f} s")
        assert took < 10 * slowness()
        asked = questions(server)
        assert asked.sql("select count(*), count(distinct span_id) from spans") == [[acknowledged, acknowledged]]
