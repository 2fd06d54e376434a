"""`.ci/pytest` runs pytest twice and says in one line how both ended; no failure of either is lost in it."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

added = runpy.run_path(str(Path(__file__).parents[2] / ".ci/pytest"))["added"]
FINE = (0, "=========== 6340 passed, 3 skipped in 1849.29s (0:30:49) ===========")
ALONE = (0, "=== 18 passed, 6000 deselected in 75.20s (0:01:15) ===")
FAILED = (1, "= 1 failed, 17 passed, 2 errors in 60.00s =")
DIED = (-9, "[gw0] node down: Not properly terminated")
UNREAD = (2, "!!!!! Interrupted: 1 error during collection !!!!!")
NONE = (5, "=== 40 deselected in 1.20s ===")


@pytest.mark.parametrize(
    ("side_by_side", "alone", "line", "well"),
    [
        (FINE, ALONE, "6358 passed, 3 skipped in 1924s (side by side 1849 s, alone 75 s)", True),
        (FINE, NONE, "6340 passed, 3 skipped in 1850s (side by side 1849 s, alone 1 s)", True),
        (FINE, FAILED, "2 errors, 1 failed, 6357 passed, 3 skipped in 1909s (side by side 1849 s, alone 60 s)", False),
        (DIED, ALONE, "18 passed, 1 run broken off in 75s (side by side 0 s, alone 75 s)", False),
        (UNREAD, NONE, "1 run broken off in 1s (side by side 0 s, alone 1 s)", False),
        (NONE, NONE, "no tests in 2s (side by side 1 s, alone 1 s)", False),
    ],
)
def test_one_line_tells_of_both(side_by_side: tuple[int, str], alone: tuple[int, str], line: str, well: bool) -> None:
    assert added({"side by side": side_by_side, "alone": alone}) == (line, well)
