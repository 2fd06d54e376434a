"""docs/SAMPLING.md: every example on it is a configuration, every type has one, and what it says of defaults is so."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from test_sampling_config import EXAMPLES

from observatory.pipeline.sampling.build import policies, preset
from observatory.pipeline.sampling.config import SamplingConfig

PAGE = (Path(__file__).parents[4] / "docs/SAMPLING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_is_a_configuration(block: str) -> None:
    values = tomllib.loads(block)["sampling"]
    assert policies(SamplingConfig.model_validate_json(json.dumps(values), strict=True))


def test_every_type_has_an_example_and_a_row() -> None:
    shown = {policy["type"] for block in BLOCKS for policy in tomllib.loads(block)["sampling"].get("policies", ())}
    assert shown == set(EXAMPLES)
    rows = " ".join(line.partition(" | ")[0] for line in PAGE.splitlines() if line.startswith("| `"))
    assert set(EXAMPLES) <= set(re.findall(r"`([a-z_]+)`", rows))


def test_presets_are_what_the_page_says() -> None:
    section_of_presets = PAGE.partition("## Presets")[2].partition("## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)`[^|]*\| (.*) \|$", section_of_presets, re.MULTILINE))
    for name in ("everything", "budget", "production"):
        assert name in rows
    for section in preset("production", 1):
        assert f"`{section.name}`" in rows["production"]
    defaults = SamplingConfig()
    assert f"({defaults.max_spans_per_second:,.0f})" in rows["budget"]
    assert f"`quiet_s` ({defaults.quiet_s:g} s" in PAGE
    assert defaults.max_age_s == 600 and "`max_age_s` (10 minutes" in PAGE
