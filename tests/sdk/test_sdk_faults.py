"""Nothing raises into the application: every step of the SDK that an application runs through is broken, one at a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sdk_stage import APPS, Stage


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_application_gives_the_same_whatever_breaks_in_the_sdk(stage: Stage, tmp_path: Path) -> None:
    done = stage.run("clients", str(APPS / "faults.py"), service="faults", timeout=280, SPOOL=str(tmp_path))
    said = json.loads(done.stdout)
    assert '"word0 word1"' in said["expected"]
    assert len(said["report"]) > 120, "the application no longer runs through the SDK"
    assert not {step: got for step, got in said["report"].items() if got != "same"}
