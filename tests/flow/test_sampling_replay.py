"""`observatory sampling replay` against a running appliance: its figures are those counted by hand on what was sent."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.payloads import request
from observatory.cli.main import main
from observatory.testing.server import ServerProcess

TRACES = 120
CONFIG = """
[sampling]
[[sampling.policies]]
name = "errors"
type = "status"
[[sampling.policies]]
name = "chat"
type = "string"
attribute = "http.route"
values = ["/api/chat"]
[[sampling.policies]]
name = "node"
type = "string"
attribute = "host.name"
patterns = ["-01$"]
[[sampling.policies]]
name = "mini"
type = "model"
models = ["gpt-5-mini*"]
[[sampling.policies]]
name = "words"
type = "expression"
filter = '"TimeoutError: no answer"'
[[sampling.policies]]
name = "slow"
type = "latency"
above_s = 2
[[sampling.policies]]
name = "quarter"
type = "probabilistic"
percent = 25
[[sampling.policies]]
name = "two-an-hour"
type = "quota"
by = "app.tenant"
traces = 2
[[sampling.policies]]
name = "hooks"
type = "drop"
policies = [{ type = "string", attribute = "url.path", values = ["/hooks/mail"] }]
"""


@pytest.fixture(scope="module")
def sent() -> list[ExportTraceServiceRequest]:
    return [request(TRACES // 2, seed, time.time_ns()) for seed in (1, 2)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sent: list[ExportTraceServiceRequest]) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("replay") / "data") as running:
        for each in sent:
            asked = urllib.request.Request(
                f"{running.otlp_http}/v1/traces", each.SerializeToString(), {"content-type": "application/x-protobuf"}
            )
            urllib.request.urlopen(asked, timeout=10).close()
        yield running


def by_trace(sent: list[ExportTraceServiceRequest]) -> dict[bytes, tuple[list[Span], str]]:
    """The spans of each trace, and its host."""
    found: dict[bytes, tuple[list[Span], str]] = {}
    for each in sent:
        for resource in each.resource_spans:
            host = next(kv.value.string_value for kv in resource.resource.attributes if kv.key == "host.name")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    found.setdefault(span.trace_id, ([], host))[0].append(span)
    return found


def attribute(spans: list[Span], key: str) -> set[str]:
    return {kv.value.string_value for span in spans for kv in span.attributes if kv.key == key}


def test_the_figures_are_those_counted_by_hand(
    server: ServerProcess, sent: list[ExportTraceServiceRequest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "new.toml"
    config.write_text(CONFIG)
    assert main(["sampling", "replay", "--last", "1h", "--config", str(config), "--url", server.api, "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    wants: dict[str, set[bytes]] = {name: set() for name in ("errors", "chat", "node", "mini", "words", "slow", "quarter", "hooks")}
    traces = by_trace(sent)
    for id_, (spans, host) in traces.items():
        took = max(span.end_time_unix_nano for span in spans) - min(span.start_time_unix_nano for span in spans)
        models = attribute(spans, "gen_ai.request.model") | attribute(spans, "gen_ai.response.model")
        yes = {
            "errors": any(span.status.code == 2 for span in spans),
            "chat": "/api/chat" in attribute(spans, "http.route"),
            "node": host.endswith("-01"),
            "mini": any(model.startswith("gpt-5-mini") for model in models),
            "words": any(span.status.message.startswith("TimeoutError: no answer") for span in spans),
            "slow": took > 2 * 10**9,
            "quarter": int.from_bytes(id_[9:], "big") >= 0xC0 << 48,
            "hooks": "/hooks/mail" in attribute(spans, "url.path"),
        }
        for name, wanted in yes.items():
            wants[name] |= {id_} if wanted else set()
    assert all(0 < len(ids) < TRACES for ids in wants.values()), "the traffic shows nothing"
    figures = {name: total["traces"] for name, total in said["by_policy"].items()}
    tenants: dict[str, int] = {}
    for spans, _ in traces.values():
        (tenant,) = attribute(spans, "app.tenant")
        tenants[tenant] = tenants.get(tenant, 0) + 1
    assert figures.pop("two-an-hour") >= sum(min(count, 2) for count in tenants.values())  # more when the hour ends in between
    assert figures == {name: len(ids) for name, ids in wants.items()}
    assert said["everything"]["traces"] == TRACES and said["everything"]["spans"] == 8 * TRACES
    sure = set.union(*(ids for name, ids in wants.items() if name != "hooks")) - wants["hooks"]
    assert len(sure) <= said["kept"]["traces"] <= TRACES - len(wants["hooks"])
    assert said["kept"]["bytes"] < said["everything"]["bytes"]


def test_estimates_come_with_their_error(server: ServerProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "new.toml"
    config.write_text('[sampling]\n[[sampling.policies]]\nname = "half"\ntype = "probabilistic"\npercent = 50\n')
    assert main(["sampling", "replay", "--config", str(config), "--url", server.api, "--json"]) == 0
    estimate = json.loads(capsys.readouterr().out)["estimates"]["traces"]
    kept = estimate["estimate"] / 2
    assert estimate["truth"] == TRACES
    assert estimate["standard_error"] == pytest.approx((kept * 2) ** 0.5)
    assert abs(estimate["estimate"] - TRACES) <= 4 * estimate["standard_error"]


def test_people_read_a_table(server: ServerProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "new.toml"
    config.write_text('[sampling]\npreset = "production"\n')
    assert main(["sampling", "replay", "--last", "90m", "--config", str(config), "--url", server.api]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[2:9]] == ["errors", "slow", "costly", "judged", "rest", "kept", "of"]
    assert "What the kept traces would say of all:" in out


def test_no_traces_are_no_trouble(server: ServerProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "new.toml"
    config.write_text("")
    assert main(["sampling", "replay", "--last", "0s", "--config", str(config), "--url", server.api, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["everything"]["traces"] == 0


@pytest.mark.parametrize("last", ["24", "a day", "-1h"])
def test_a_time_that_is_none_is_refused(last: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sampling", "replay", f"--last={last}", "--config", "x"])
    assert "expected how long, such as 90m, 24h or 7d" in capsys.readouterr().err
