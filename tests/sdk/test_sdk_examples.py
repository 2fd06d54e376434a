"""The examples of the documentation run as they are written, and the server counted what the provider saw."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sdk_stage import ROOT, Stage, agree

from observatory.testing.provider.record import Call
from observatory.testing.provider.server import FakeProvider

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first test waits for all sixteen to run
EXAMPLES = ROOT / "docs" / "examples"
GROUPS = {
    "clients": "openai_chat anthropic_chat google_genai_chat mistral_chat groq_chat cohere_chat bedrock_chat ollama_chat own_functions",
    "frameworks": "langchain_agent llama_index_rag openai_agents_weather pydantic_ai_weather mcp_tools",
    "gateways": "litellm_chat crewai_haiku",
}
GROUP_OF = {name: group for group, names in GROUPS.items() for name in names.split()}
# What a library's instrumentation does not tell, and the SDK cannot know; docs/SDK.md has the list for users.
UNTOLD = {
    "groq_chat": ("model",),  # the model of the answer, in streams
    "litellm_chat": ("model",),  # it tells `openai/gpt-4.1`, the route that was asked for
}


def settings(url: str) -> dict[str, str]:
    """Where each client looks for its provider, as its users would set it."""
    return {
        "GEMINI_API_KEY": "test", "GEMINI_BASE_URL": url, "MISTRAL_API_KEY": "test", "MISTRAL_BASE_URL": url, "GROQ_API_KEY": "test",
        "GROQ_BASE_URL": url, "CO_API_KEY": "test", "CO_BASE_URL": url, "OLLAMA_HOST": url, "OPENAI_API_BASE": f"{url}/v1",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
    }  # fmt: skip


def test_every_example_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(GROUP_OF)


@pytest.fixture(scope="module")
def played(stage: Stage) -> dict[str, tuple[subprocess.CompletedProcess[str], list[Call]]]:
    """Every example ran once, three at a time, each with a provider of its own; and the server has filed all of their calls."""

    def play(name: str) -> tuple[str, subprocess.CompletedProcess[str], list[Call]]:
        with FakeProvider() as provider:
            own = Stage(stage.server, provider)
            done = own.run(GROUP_OF[name], str(EXAMPLES / f"{name}.py"), service=name.replace("_", "-"), **settings(provider.url))
            return name, done, list(provider.calls)

    with ThreadPoolExecutor(3) as pool:
        ran = {name: (done, seen) for name, done, seen in pool.map(play, GROUP_OF)}
    stage.settled("SELECT count(*) AS calls FROM llm_metrics", 1)
    return ran


@pytest.mark.parametrize("name", GROUP_OF)
def test_an_example_is_traced(stage: Stage, played: dict, name: str) -> None:
    service, (done, seen) = name.replace("_", "-"), played[name]
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr
    rows = stage.sql(f"SELECT * FROM llm_metrics WHERE service_name = '{service}'")
    agree(rows, seen, without=UNTOLD.get(name, ()))
    assert {(row["session_id"], row["user_id"]) for row in rows} <= {("conversation-17", "ada")}
    assert not [call for call in seen if "baggage" in call.headers or "traceparent" in call.headers]
    spans = stage.sql(f"SELECT DISTINCT session_id, user_id FROM spans WHERE service_name = '{service}' AND observation_kind IS NOT NULL")
    assert spans == [{"session_id": "conversation-17", "user_id": "ada"}]


@pytest.mark.parametrize("name", ["langchain_agent", "openai_agents_weather", "pydantic_ai_weather", "mcp_tools"])
def test_an_agent_s_tools_are_seen(stage: Stage, played: dict, name: str) -> None:
    tools = stage.sql(f"SELECT name, tool_name FROM spans WHERE service_name = '{name.replace('_', '-')}' AND observation_kind = 'tool'")
    assert [span for span in tools if "get_weather" in (span["tool_name"] or span["name"])], tools


def test_own_functions_nest_and_feedback_finds_its_trace(stage: Stage, played: dict) -> None:
    spans = stage.sql("SELECT * FROM spans WHERE service_name = 'own-functions'")
    by_id = {span["span_id"]: span for span in spans}

    def parent(span: dict) -> str | None:
        return by_id[span["parent_span_id"]]["name"] if span["parent_span_id"] else None

    assert {(span["name"], span["observation_kind"], parent(span)) for span in spans} == {
        ("answer", "agent", None),
        ("rank", "chain", "answer"),
        ("search", "retriever", "rank"),
        ("chat gpt-4.1", "llm", "answer"),
    }
    assert f"/traces/{spans[0]['trace_id']}" in played["own_functions"][0].stdout
    said = stage.sql(f"SELECT name, score, comment, user_id FROM feedback WHERE trace_id = '{spans[0]['trace_id']}'")
    assert said == [{"name": "helpful", "score": 1.0, "comment": "quick and right", "user_id": "ada"}]


def test_what_the_page_of_the_sdk_shows_is_among_the_examples() -> None:
    page = (ROOT / "docs" / "SDK.md").read_text()
    assert all(f"examples/{path.name}" in page for path in Path(EXAMPLES).glob("*.py"))
