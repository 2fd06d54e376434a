"""One trace across processes; an application traced without a change; every Python there is."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sdk_stage import APPS, Stage, agree, python_of

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def service(stage: Stage, role: str, *arguments: str) -> Iterator[str]:
    port = free_port()
    command = [python_of("clients"), str(APPS / "two_services.py"), role, str(port), *arguments]
    child = subprocess.Popen(command, env={**stage.env(f"two-{role}"), "OTEL_BSP_SCHEDULE_DELAY": "200"}, stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 100
        while True:
            assert child.poll() is None
            assert time.monotonic() < deadline
            with socket.socket() as there:
                if there.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(15)
        assert child.stdout is not None
        child.stdout.close()


def test_a_service_its_worker_and_the_call_are_one_trace_with_one_session(stage: Stage) -> None:
    with (
        service(stage, "worker") as worker,
        service(stage, "shop", worker) as shop,
        urllib.request.urlopen(f"{shop}/ask?user=ada", timeout=30) as answer,
    ):
        said = json.load(answer)
    assert said["summary"].startswith("word0")
    assert "session.id=visit-1" in said["heard"]
    spans = stage.settled("SELECT * FROM spans WHERE service_name IN ('two-shop', 'two-worker') ORDER BY start_ns", 5)
    assert len({span["trace_id"] for span in spans}) == 1
    by_id = {span["span_id"]: span for span in spans}
    (call,) = stage.calls("two-worker", 1)
    line, place = [], by_id[call["span_id"]]
    while place is not None:
        line.append((place["service_name"], place["kind"]))
        place = by_id.get(place["parent_span_id"])
    services = [name for name, _ in line]
    assert services == ["two-worker"] * services.count("two-worker") + ["two-shop"] * services.count("two-shop")
    assert ("two-worker", "server") in line
    assert ("two-shop", "server") in line
    assert (call["session_id"], call["user_id"]) == ("visit-1", "ada")
    agree([call], stage.provider.of("two services"))
    assert not [seen for seen in stage.provider.of("two services") if "baggage" in seen.headers]


@pytest.mark.parametrize("group", ["py3.13", "clients"])
def test_observatory_run_traces_an_application_and_what_it_starts(stage: Stage, group: str) -> None:
    name = f"plain-{group}"
    before = len(stage.provider.calls)
    done = stage.run(group, "-m", "observatory", "run", str(APPS / "plain.py"), f"asked by {name}", service=name)
    assert f"['asked by {name}'] __main__" in done.stdout
    agree(stage.calls(name, 2), stage.provider.calls[before:])


def test_a_service_that_is_not_named_has_the_script_s_name(stage: Stage) -> None:
    env = stage.env("")
    del env["OTEL_SERVICE_NAME"]
    command = [python_of("clients"), "-m", "observatory", "run", "plain.py", "who am I", "alone"]
    subprocess.run(command, env=env, check=True, capture_output=True, cwd=APPS)
    assert [row["session_id"] for row in stage.calls("plain", 1)] == [None]


def test_the_exit_code_and_the_arguments_are_the_application_s(stage: Stage) -> None:
    command = [python_of("clients"), "-m", "observatory", "run", "-m", "json.tool", "--no-such-option"]
    done = subprocess.run(command, env=stage.env("json"), capture_output=True, text=True)
    assert done.returncode == 2
    assert "unrecognized arguments: --no-such-option" in done.stderr
    command = [python_of("clients"), "-m", "observatory", "run", "no-such-program"]
    done = subprocess.run(command, env=stage.env("none"), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "observatory: no-such-program: no such command, and not a .py file\n")


def test_a_sitecustomize_that_was_there_runs_as_before(stage: Stage, tmp_path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('mine ran')\n")
    env = stage.env("site")
    env["PYTHONPATH"] = f"{tmp_path}:{env['PYTHONPATH']}"
    command = [python_of("clients"), "-m", "observatory", "run", "plain.py", "with mine", "last"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=APPS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("mine ran") == 2  # in `observatory run` itself, and in the application
    assert len(stage.calls("site", 1)) == 1


@pytest.mark.parametrize("group", ["py3.12", "py3.13"])
def test_the_base_install_works_on_every_python(stage: Stage, group: str) -> None:
    name = f"openai-{group}"
    stage.provider.forget()
    seen = stage.play(group, "openai_calls.py", name)
    rows = [row for row in stage.calls(name, len(seen) - 1) if row["session_id"] != "s-3"]
    agree(rows, [call for call in seen if not any(word in call.prompt for word in ("abandoned", "closed", "cancelled"))], retried=1)
