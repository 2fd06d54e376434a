"""From a file that curl can fetch to an own trace on the screen, by the README's own words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.browser
def test_the_readme_leads_to_a_trace_of_ones_own_in_two_minutes(executable: Path, tmp_path: Path) -> None:
    command = ["unshare", "--net", sys.executable, str(Path(__file__).with_name("walk.py")), str(tmp_path), str(executable.parent)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=115)
    assert ended.returncode == 0, ended.stderr
    took = json.loads(ended.stdout.splitlines()[-1])
    print(took)
    assert took["own_trace_on_screen_s"] < 120
    assert took["all_s"] < 120
