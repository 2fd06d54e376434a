"""What `make dist` built. Building takes a minute, so these tests are no part of `make test`: `make test-dist` builds and runs them."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

DIST = Path(__file__).parents[2] / "dist"


@pytest.fixture(scope="session")
def executable() -> Path:
    """The one-file executable."""
    path = DIST / "observatory"
    assert path.is_file(), "dist/observatory is not built: make dist"
    return path


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the directory form, unpacked."""
    (archive,) = DIST.glob("observatory-*-linux-x86_64.tar.gz")
    where = tmp_path_factory.mktemp("directory")
    with tarfile.open(archive) as tar:
        tar.extractall(where, filter="tar")
    return where / archive.name.removesuffix(".tar.gz") / "observatory"


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the executable unpacks: nothing is there yet."""
    where = tmp_path / "runtime"
    monkeypatch.setenv("OBSERVATORY_RUNTIME", str(where))
    return where
