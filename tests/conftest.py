"""What all tests share."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from _pytest.logging import LogCaptureHandler
from house import House, open_house
from hypothesis import HealthCheck, settings

# A shared machine may stop for a second at any time: no deadline. CI draws the same examples each time, so that red means a change.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Importing all tests takes longer than running those with a limit of time: who wants these alone, reads only their files."""
    timed_only = config.option.markexpr == "timed" and collection_path.name.startswith("test_")
    return True if timed_only and "mark.timed" not in collection_path.read_text() else None


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    """A test that starts a command in this process configures logging; the next one must not hear of it, nor write to its closed stderr."""
    root, ours = logging.getLogger(), logging.getLogger("observatory")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield
    for handler in root.handlers[:]:
        if handler not in handlers and not isinstance(handler, LogCaptureHandler):
            root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    logging.captureWarnings(False)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened
