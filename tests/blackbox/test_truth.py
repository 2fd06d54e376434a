"""What truly happened, as the provider saw it, against what the running server says of every recorded instrumentation.

Each capture's `meta.json` has the truth. docs/COST.md lists what is not in the bytes; nothing else may differ, and nothing listed may be
right.
"""

from __future__ import annotations

import http.client
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from child import questions, wait_until
from restless import configuration

from observatory.model.signal import Signal
from observatory.otlp import json as otlp_json
from observatory.otlp.decode import decoders
from observatory.testing.server import ServerProcess

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "tests" / "data" / "captures"
NAMES = sorted(str(meta.parent.relative_to(CAPTURES)) for meta in CAPTURES.glob("*/*/meta.json"))
_REASONS = {
    "end_turn": "stop",
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "max_tokens": "length",
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
}
_SUMS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def absent() -> dict[str, set[str]]:
    """By capture, the truths that docs/COST.md says are not in its bytes."""
    table = (ROOT / "docs" / "COST.md").read_text().partition("## What the bytes do not say")[2]
    rows = re.findall(r"^\| `([\w./-]+)` \| ([\w, ]+) \|", table, re.MULTILINE)
    return {name: {truth.strip() for truth in truths.split(",")} for name, truths in rows}


ABSENT = absent()


@pytest.fixture(scope="module", params=["journal", "segments"])
def calls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """The calls that count of each capture, from a server that took them all; rows still in the journal, or all in segments."""
    home = tmp_path_factory.mktemp("truth")
    age = {"journal": 3600.0, "segments": 0.3}[request.param]
    with ServerProcess(home / "data", "--config", configuration(home, f"[cut]\nsegment_age_s = {age}\n")) as running:
        owner = send_all(running)
        asked = questions(running)
        wait_until(lambda: not asked.get("/api/v1/status")["ingest"]["queue_bytes"], "all is taken")
        if request.param == "segments":
            wait_until(lambda: asked.get("/api/v1/status")["journal"]["open_rows"] == 0, "all rows are in segments")
        expected = asked.sql("SELECT count(DISTINCT (trace_id, span_id)) FROM spans")[0][0]
        wait_until(lambda: asked.sql("SELECT coalesce(sum(count), 0) FROM span_rollups")[0][0] >= expected, "every span is measured")
        names = ("trace_id", "observation_kind", "is_error", *_SUMS, "model_name", "finish_reason", "streaming", "session_id", "user_id")
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
        for row in asked.sql(f"SELECT {', '.join(names)} FROM llm_metrics"):
            found[owner[row[0]]].append(dict(zip(names, row, strict=True)))
        yield found


def send_all(running: ServerProcess) -> dict[str, str]:
    """Send every capture; the capture of each trace id."""
    connection = http.client.HTTPConnection(running.addresses["otlp_http"], timeout=30)
    owner: dict[str, str] = {}
    decode = decoders().spans
    for name in NAMES:
        for path in sorted((CAPTURES / name).glob("*.*.*")):
            signal = path.name.split(".")[1]
            if signal not in ("traces", "logs", "metrics"):
                continue
            body = path.read_bytes()
            kind = "application/json" if path.suffix == ".json" else "application/x-protobuf"
            connection.request("POST", f"/v1/{signal}", body, {"Content-Type": kind})
            answer = connection.getresponse()
            assert answer.status == 200, f"{path}: {answer.status} {answer.read()!r}"
            answer.read()
            if signal == "traces":
                protobuf = otlp_json.to_protobuf(Signal.SPANS, body) if path.suffix == ".json" else body
                ids = decode([protobuf], 1, [None]).rows.column("trace_id").unique().to_pylist()
                owner |= {trace_id.hex(): name for trace_id in ids}
    return owner


def told(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the server says."""
    calls, embeddings = ([r for r in rows if r["observation_kind"] == kind] for kind in ("llm", "embedding"))
    fine = [r for r in rows if not r["is_error"]]
    return {
        "calls": len(calls),
        "errors": sum(r["is_error"] for r in calls),
        **{name: sum(int(r[name] or 0) for r in calls) for name in _SUMS},
        "embedding_calls": len(embeddings),
        "embedding_input_tokens": sum(int(r["input_tokens"] or 0) for r in embeddings),
        "models": Counter(r["model_name"] for r in fine),
        "finish_reasons": Counter(r["finish_reason"] for r in fine if r["observation_kind"] == "llm"),
        "streams": sum(bool(r["streaming"]) for r in rows),
        "session": {r["session_id"] for r in rows},
        "user": {r["user_id"] for r in rows},
    }


def true(meta: dict[str, Any]) -> dict[str, Any]:
    """What happened. Retries inside an SDK are one call; usage that the provider never sent is none."""
    said, seen = meta["expected"], meta.get("provider_calls", [])
    ended = [c for c in seen if c["status"] == 200 and not c.get("aborted")]
    truth = {
        "calls": said.get("logical_llm_calls", said["llm_calls"]),
        "errors": said.get("logical_llm_errors", said["llm_errors"]),
        "input_tokens": said["client_visible_input_tokens"],
        "output_tokens": said["client_visible_output_tokens"],
        "cache_read_tokens": said["total_cached_tokens"],
        "cache_write_tokens": said["total_cache_write_tokens"],
        "reasoning_tokens": said["total_reasoning_tokens"],
        "embedding_calls": said["embedding_calls"],
        "embedding_input_tokens": said["embedding_input_tokens"],
    }
    if seen:
        chats = [c for c in ended if "embed" not in c["api"]]
        truth["models"] = Counter(c.get("response_model") or c["request_model"] for c in ended)
        truth["finish_reasons"] = Counter(_REASONS.get(reason, reason) for c in chats for reason in c["finish_reasons"][:1])
        truth["streams"] = sum(c["stream"] for c in seen)
    if truth["calls"] + truth["embedding_calls"]:
        truth |= {name: {said[f"{name}_id"]} for name in ("session", "user") if f"{name}_id" in said}
    return truth


@pytest.mark.parametrize("name", NAMES)
def test_the_server_says_what_happened(name: str, calls: dict[str, list[dict[str, Any]]]) -> None:
    truth, said = true(json.loads((CAPTURES / name / "meta.json").read_text())), told(calls[name])
    wrong = {what for what, value in truth.items() if said[what] != value}
    assert wrong == ABSENT.get(name, set()), {what: (said[what], truth[what]) for what in wrong ^ ABSENT.get(name, set())}


def test_the_list_of_what_is_absent_names_captures() -> None:
    assert len(NAMES) >= 140 and set(ABSENT) <= set(NAMES)
