"""Feedback at the whole appliance: given and listed by the command, kept over a restart, beside the trace it is about."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from house import House, open_house

from observatory.cli.main import main
from observatory.model.signal import Signal
from observatory.testing.spans import Maker


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `observatory feedback …` at a house: exit code, stdout, stderr."""
    monkeypatch.delenv("OBSERVATORY_API_KEY", raising=False)

    async def run(house: House, *arguments: str) -> tuple[int, str, str]:
        url = f"http://{house.app.addresses['listen']}"
        code = await asyncio.to_thread(main, ["feedback", *arguments, "--url", url])
        return code, *capsys.readouterr()

    return run


async def test_feedback_is_given_listed_and_kept(tmp_path: Path, said: Any):
    payload = Maker(1).trace()
    trace_id = payload.all_spans[0].trace_id.hex()
    async with open_house(tmp_path) as house:
        assert (await house.http.export(payload)).ok
        given = await said(house, trace_id, "--name", "helpful", "--score", "-1", "--comment", "no\x1b[31m", "--user", "u1", "--id", "mine")
        assert given == (0, "stored\n", "")
        code, out, _ = await said(house, "--response", "resp_1", "--name", "tone", "--label", "friendly", "--json")
        assert (code, json.loads(out)) == (0, {"accepted": 1, "rejected": 0, "errors": []})
        (row, _) = await house.stored(2, Signal.FEEDBACK)
        assert (row["feedback_id"], row["score"], row["user_id"], row["trace_id"].hex()) == ("mine", -1.0, "u1", trace_id)

    async with open_house(tmp_path) as house:
        code, out, _ = await said(house, "--list", "--json")
        assert [(item["name"], item["score"], item["label"]) for item in json.loads(out)] == [
            ("tone", None, "friendly"),
            ("helpful", -1, None),
        ]
        code, out, err = await said(house, "--list", trace_id)
        lines = out.splitlines()
        assert (code, err, len(lines)) == (0, "", 3)
        assert lines[0].split() == ["time", "name", "score", "trace_id", "user_id", "source", "comment"]
        assert "helpful" in lines[2] and "\x1b" not in out
        code, out, err = await said(house, "--list", "--limit", "1")
        assert (len(out.splitlines()), err) == (3, "observatory: only the latest 1; --limit or --time show others\n")


async def test_what_is_refused_is_said_in_the_appliances_own_words(tmp_path: Path, said: Any):
    async with open_house(tmp_path, receivers={"api_keys": ["secret"]}) as house:
        assert await said(house, "abc", "--name", "x", "--score", "1", "--api-key", "secret") == (
            1,
            "",
            'observatory: trace_id: expected 32 hex digits, got "abc"\n',
        )
        code, _, err = await said(house, "--response", "r", "--name", "x", "--score", "1")
        assert (code, err.startswith("observatory: an API key is needed")) == (1, True)
        assert (await said(house, "--response", "r", "--name", "x", "--score", "1", "--api-key", "secret"))[0] == 0
