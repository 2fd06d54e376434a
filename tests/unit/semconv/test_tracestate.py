"""The trace state says what was decided, and keeps what others said."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from observatory.model.threshold import NEVER, adjusted_counts, threshold_for
from observatory.semconv.sampled import random_values, thresholds
from observatory.semconv.tracestate import with_threshold

ONE_PERCENT = 0xFD70A3D70A3D71


@pytest.mark.parametrize(
    ("state", "threshold", "said"),
    [
        ("", ONE_PERCENT, "ot=th:fd70a3d70a3d71"),
        ("", 0, "ot=th:0"),
        ("", 1 << 55, "ot=th:8"),
        ("vendor=a", 1 << 55, "ot=th:8,vendor=a"),
        ("a=1, ot=rv:6e6d1a75832a2f ,b=2", 1 << 55, "ot=th:8;rv:6e6d1a75832a2f,a=1,b=2"),
        ("a=1,ot=th:c;rv:6e6d1a75832a2f;x:y", ONE_PERCENT, "ot=th:fd70a3d70a3d71;rv:6e6d1a75832a2f;x:y,a=1"),
        ("a=1,ot=rv:6e6d1a75832a2f;th:8", 1 << 55, "a=1,ot=rv:6e6d1a75832a2f;th:8"),  # says it already: not touched
        ("ot=th:8;rv:6e6d1a75832a2f,a=1", None, "ot=rv:6e6d1a75832a2f,a=1"),
        ("ot=th:8,a=1", None, "a=1"),
        ("a=1", None, "a=1"),
    ],
)
def test_what_is_said(state: str, threshold: int | None, said: str) -> None:
    assert with_threshold(state, threshold) == said


def test_limits_are_kept_and_ours_is_not_what_goes() -> None:
    many = ",".join(f"v{n}=x" for n in range(32))
    said = with_threshold(many, 0).split(",")
    assert (len(said), said[0], said[-1]) == (32, "ot=th:0", "v30=x")
    long = f"big={'x' * 200},small=1,{'y' * 100}={'z' * 200},last=1"
    assert with_threshold(long, 0) == f"ot=th:0,big={'x' * 200},small=1,last=1"
    crowded = with_threshold(f"ot={'a:' + 'b' * 100};{'c:' + 'd' * 140};rv:6e6d1a75832a2f", ONE_PERCENT)
    assert crowded.startswith("ot=th:fd70a3d70a3d71;rv:6e6d1a75832a2f") and len(crowded) <= 3 + 256


_KEY = st.from_regex(r"[a-np-z][a-z0-9_]{0,10}", fullmatch=True)
_VALUE = st.from_regex(r"[a-z0-9:;]{1,30}", fullmatch=True)


@given(st.dictionaries(_KEY, _VALUE, max_size=10), st.none() | st.integers(0, NEVER - 1), st.integers(0, NEVER - 1), st.booleans())
def test_it_is_read_back_and_others_are_kept(vendors: dict[str, str], before: int | None, threshold: int, has_random: bool) -> None:
    ours = [f"th:{before:014x}"] if before is not None else []
    ours += ["rv:6e6d1a75832a2f"] if has_random else []
    state = ",".join([f"{key}={value}" for key, value in vendors.items()] + ([f"ot={';'.join(ours)}"] if ours else []))
    said = pa.array([with_threshold(state, threshold)])
    assert thresholds(said).values[0] == threshold and thresholds(said).known[0]
    assert random_values(said).known[0] == has_random
    assert set(said[0].as_py().split(",")) >= {f"{key}={value}" for key, value in vendors.items()}


@given(st.integers(0, NEVER - 1) | st.integers(0, 56).map(lambda bits: NEVER - (1 << bits)))
def test_a_count_gives_its_threshold_back(threshold: int) -> None:
    """Near 1 a count has fewer digits than a threshold."""
    counts, _ = adjusted_counts(np.array([threshold], np.uint64))
    again = threshold_for(float(counts[0]))
    assert abs(threshold - again) < (1 << 9) and again - threshold < (1 << 5)
    if counts[0] > 8 or threshold % 256 == 0:
        assert again == threshold
