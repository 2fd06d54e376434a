"""The TypeScript examples run as they are written, and the server counted what the provider saw."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from sdk_stage import ROOT, Stage, agree

EXAMPLES = ROOT / "docs" / "examples" / "typescript"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["openai_chat", "vercel_ai"])
def test_a_typescript_example_is_traced(stage: Stage, name: str) -> None:
    node = shutil.which("node")
    assert node is not None, "node is not installed: these tests need it (Debian: apt-get install nodejs)"
    assert (EXAMPLES / "node_modules").is_dir(), "the packages of the examples are not installed: run make setup"
    env = {
        "PATH": os.environ["PATH"], "OPENAI_API_KEY": "test", "OPENAI_BASE_URL": f"{stage.provider.url}/v1", "OTEL_SERVICE_NAME": name,
        "OTEL_EXPORTER_OTLP_ENDPOINT": stage.server.otlp_http,
    }  # fmt: skip
    before = len(stage.provider.calls)
    command = [node, "--import", "tsx", f"{name}.ts"]
    done = subprocess.run(command, cwd=EXAMPLES, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("word0 word1")
    seen = stage.provider.calls[before:]
    rows = stage.calls(name, len(seen))
    agree(rows, seen)
    assert {(row["session_id"], row["user_id"]) for row in rows} == {("conversation-17", "ada")}


def test_the_page_shows_every_example() -> None:
    page = (ROOT / "docs" / "typescript.md").read_text()
    assert all(f"examples/typescript/{path.name}" in page for path in EXAMPLES.glob("*.ts"))
