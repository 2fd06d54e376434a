"""Real libraries in processes of their own, a fake provider and a running observatory; what the server counted is held against what the
provider saw."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from observatory.testing.provider.record import Call
from observatory.testing.provider.server import FakeProvider
from observatory.testing.server import ServerProcess

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "apps"
# Nothing of this machine's own settings reaches an application, and no library looks for anything outside of it.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")
_QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "LANGSMITH_TRACING": "false",
}


def python_of(group: str) -> str:
    """The Python of an environment that `make setup` made."""
    python = ROOT / ".venv-sdk" / group / "bin" / "python"
    if not python.exists():
        if group.startswith("py") and not os.environ.get("CI"):
            pytest.skip(f"Python {group.removeprefix('py')} is not on this machine")
        pytest.fail(f"{python} is missing: run make setup")
    return str(python)


@dataclass
class Stage:
    """The observatory and the provider that applications of one test file talk to."""

    server: ServerProcess
    provider: FakeProvider
    ran: dict[str, str] = field(default_factory=dict)
    known: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def env(self, service: str, **more: str) -> dict[str, str]:
        kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
        return {
            **kept,
            **_QUIET,
            "PYTHONPATH": str(ROOT),
            "OTEL_SERVICE_NAME": service,
            "OBSERVATORY_ENDPOINT": self.server.otlp_http,
            "OBSERVATORY_API_ENDPOINT": self.server.api,
            "PROVIDER_URL": self.provider.url,
            "OPENAI_API_KEY": "test",
            "OPENAI_BASE_URL": self.provider.url + "/v1",
            "ANTHROPIC_API_KEY": "test",
            "ANTHROPIC_BASE_URL": self.provider.url,
            **more,
        }

    def run(self, group: str, *command: str, service: str, timeout: float = 180, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a Python program to its end; its output is shown when it fails."""
        done = subprocess.run(
            [python_of(group), *command], env=self.env(service, **env), capture_output=True, text=True, timeout=timeout, cwd=APPS
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        self.ran[service] = done.stderr
        return done

    def play(self, group: str, app: str, service: str, **env: str) -> list[Call]:
        """Run one of the applications beside this file; gives the calls that the provider saw meanwhile."""
        before = len(self.provider.calls)
        self.run(group, str(APPS / app), service=service, **env)
        return self.provider.calls[before:]

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Rows of the server's answer."""
        request = urllib.request.Request(
            f"{self.server.api}/api/v1/sql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = json.load(answer)
        names = [column["name"] for column in said["columns"]]
        return [dict(zip(names, row, strict=True)) for row in said["rows"]]

    def calls(self, service: str, count: int) -> list[dict[str, Any]]:
        """Calls of a service that count, once there are so many and no more are coming (a call is filed within two seconds)."""
        return self.settled(f"SELECT * FROM llm_metrics WHERE service_name = '{service}' ORDER BY start_ns", count)

    def spans(self, service: str, count: int) -> list[dict[str, Any]]:
        """Spans of a service, once there are so many."""
        return self.settled(f"SELECT * FROM spans WHERE service_name = '{service}' ORDER BY start_ns", count, quiet_s=0.3)

    def settled(self, query: str, count: int, quiet_s: float = 2.5) -> list[dict[str, Any]]:
        """The answer, once it has so many rows and did not change for a while; what did not change since it was asked last is settled."""
        deadline, since, last = time.monotonic() + 60, time.monotonic(), None
        while True:
            rows = self.sql(query)
            if len(rows) >= count and rows == self.known.get(query):
                return rows
            if rows != last:
                last, since = rows, time.monotonic()
            if (len(rows) >= count and time.monotonic() - since > quiet_s) or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        self.known[query] = last or []
        return last or []


def agree(rows: list[dict[str, Any]], calls: list[Call], *, retried: int = 0, without: tuple[str, ...] = ()) -> None:
    """What the server counted is what the provider saw: calls, kinds, models, tokens of every kind, errors, streams.

    `retried` calls were repeated inside a client, which makes one span of them. `without` names what an instrumentation is known not to
    tell.
    """
    seen = [call for call in calls]
    if retried:
        failed = [call for call in seen if call.status >= 400 and call.script.fail_once]
        assert len(failed) == retried
        seen = [call for call in seen if call not in failed]
    assert sorted(_told(row, without) for row in rows) == sorted(_true(call, without) for call in seen)


def _true(call: Call, without: tuple[str, ...]) -> tuple[Any, ...]:
    known = call.usage_sent and not call.failed and (call.ended or not call.stream)
    facts = {
        "kind": call.kind,
        "error": call.failed,
        "input": call.input_tokens if known else None,
        "output": call.output_tokens if known and call.kind == "llm" else None,
        "cached": call.cached_tokens if known and call.cached_tokens else None,
        "reasoning": call.reasoning_tokens if known and call.reasoning_tokens else None,
        "model": call.response_model if call.status < 400 else call.model,
        "streaming": call.stream,
        "first": call.first_s is not None,
    }
    return _facts(facts, without)


def _told(row: dict[str, Any], without: tuple[str, ...]) -> tuple[Any, ...]:
    failed = row["is_error"]
    facts = {
        "kind": row["observation_kind"],
        "error": failed,
        "input": None if failed else row["input_tokens"],
        "output": row["output_tokens"] if row["observation_kind"] == "llm" and not failed else None,
        "cached": row["cache_read_tokens"] or None,
        "reasoning": row["reasoning_tokens"] or None,
        "model": row["model_name"],
        "streaming": bool(row["streaming"]),
        "first": row["ttft_ms"] is not None,
    }
    return _facts(facts, without)


def _facts(facts: dict[str, Any], without: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple((name, str(value)) for name, value in facts.items() if name not in without)
