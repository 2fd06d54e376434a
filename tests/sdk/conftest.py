"""What the tests of the SDK share; who plays in it is in `sdk_stage`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sdk_stage import Stage

from observatory.testing.provider.server import FakeProvider
from observatory.testing.server import ServerProcess


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ServerProcess(tmp_path_factory.mktemp("data")) as server, FakeProvider() as provider:
        yield Stage(server, provider)
