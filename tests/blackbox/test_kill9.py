from __future__ import annotations

import os
from pathlib import Path

import pytest
from restless import Restless, configuration

from observatory.testing.server import ServerProcess

ROUNDS = 20


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_acknowledged_spans_survive_20_kills_exactly_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("OBSERVATORY_TEST_SEED", "0")) or int.from_bytes(os.urandom(4))
    print(f"OBSERVATORY_TEST_SEED={seed}")
    config = configuration(tmp_path)
    rounds = Restless(lambda: ServerProcess(tmp_path / "data", "--config", config), seed)
    async with rounds.load():
        for number in range(ROUNDS):
            await rounds.begin()
            await rounds.disturb()
            if number % 4 == 3:
                await rounds.die_while_starting()
        await rounds.begin()
    assert len(rounds.client.acknowledged) > ROUNDS
