from __future__ import annotations

import os
import random
from pathlib import Path

import powercut
import pytest
from child import shim
from restless import RESTLESS, Restless, configuration

from observatory.testing.server import ServerProcess


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("torn", [False, True], ids=["strict", "torn"])
async def test_writes_that_were_never_fsynced_are_lost_and_nothing_acknowledged_is(tmp_path: Path, torn: bool) -> None:
    seed = int(os.environ.get("OBSERVATORY_TEST_SEED", "0")) or int.from_bytes(os.urandom(4))
    print(f"OBSERVATORY_TEST_SEED={seed}")
    disk = tmp_path / "disk"
    disk.mkdir()
    log = tmp_path / "log"
    config = configuration(tmp_path, RESTLESS)
    environment = {"LD_PRELOAD": str(shim("powercut")), "POWERCUT_ROOT": str(disk), "POWERCUT_LOG": str(log)}
    rounds = Restless(lambda: ServerProcess(disk / "data", "--config", config, env=environment), seed)
    taken_back = 0
    async with rounds.load():
        for number in range(8):
            await rounds.begin()
            await rounds.disturb()
            if number % 4 == 3:
                await rounds.die_while_starting()
            taken_back += powercut.cut(disk, log, rounds.chance, torn=torn)
        await rounds.begin()
    assert taken_back > 0, "the shim saw no unsynced write: it tests nothing"
    assert len(rounds.client.acknowledged) > 8


def test_the_shim_takes_back_exactly_what_was_not_synced(tmp_path: Path) -> None:
    disk, log = tmp_path / "disk", tmp_path / "log"
    disk.mkdir()
    program = """
import os, sys
root = sys.argv[1]
def make(name, text, sync):
    fd = os.open(f"{root}/{name}", os.O_WRONLY | os.O_CREAT)
    os.write(fd, text)
    if sync: os.fsync(fd)
    return fd
a = make("synced", b"first ", True); os.write(a, b"second")
make("nameless", b"its directory was not synced after it", True)
b = make("old", b"old", True); c = make("new", b"new", True)
d = os.open(root, os.O_RDONLY)
os.unlink(f"{root}/nameless"); os.fsync(d)
make("nameless", b"again", True)
os.rename(f"{root}/new", f"{root}/old")
os.pwritev(a, [b"FI", b"RST"], 0)
os.posix_fallocate(a, 0, 100000)
never_named = os.open(root, os.O_RDWR | os.O_TMPFILE); os.write(never_named, b"gone with its process"); os.close(never_named)
make("takes the same inode", b"", False)
os.kill(os.getpid(), 9)
"""
    import subprocess
    import sys

    environment = {**os.environ, "LD_PRELOAD": str(shim("powercut")), "POWERCUT_ROOT": str(disk), "POWERCUT_LOG": str(log)}
    subprocess.run([sys.executable, "-c", program, str(disk)], env=environment)
    assert (disk / "old").read_bytes() == b"new"
    powercut.cut(disk, log, random.Random(1), torn=False)
    assert {path.name: path.read_bytes() for path in disk.iterdir()} == {"synced": b"first ", "old": b"old", "new": b"new"}
