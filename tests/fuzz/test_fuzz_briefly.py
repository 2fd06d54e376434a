from __future__ import annotations

import pytest

pytest.importorskip("observatory.otlp._kernel")

from fuzz_decode import fuzz


def test_a_few_seconds_of_fuzzing() -> None:
    counts = fuzz(3.0, seed=20)
    assert counts["refused"] and counts["rows"]
