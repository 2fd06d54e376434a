"""The container image, built from `packaging/Dockerfile` by buildah, which needs neither a daemon nor a network for it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "packaging" / "Dockerfile"


@dataclass(frozen=True)
class Image:
    """What a container is started from: its files, and its configuration in the words of the OCI's image specification."""

    root: Path
    config: dict[str, Any]


@contextmanager
def built(directory: Path) -> Iterator[Image]:
    """The image, its context made by the command that stands at the file's head. It lies in `directory` and is given up at the end."""
    (prepare,) = re.findall(r"^#   make deb && (.*)$", DOCKERFILE.read_text(), re.MULTILINE)
    (place,) = re.findall(r"^#   docker build .* (\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert place in prepare
    context = directory / "context"
    context.mkdir(parents=True)
    subprocess.run(["bash", "-euc", prepare.replace(place, str(context))], cwd=ROOT, check=True)

    def buildah(*arguments: str | Path) -> str:
        kept = ["--root", directory / "store", "--runroot", directory / "run", "--storage-driver", "vfs"]
        ended = subprocess.run(["buildah", *map(str, [*kept, *arguments])], capture_output=True, text=True)
        assert ended.returncode == 0, f"buildah {arguments[0]}: {ended.stderr}"
        return ended.stdout.strip()

    buildah("build", "--isolation", "chroot", "--pull-never", "--tag", "observatory", "--file", DOCKERFILE, context)
    container = buildah("from", "--pull-never", "observatory")
    try:
        root = Path(buildah("mount", container))
        yield Image(root, json.loads(buildah("inspect", "--type", "image", "observatory"))["OCIv1"]["config"])
    finally:
        buildah("rm", container)
        buildah("rmi", "--all", "--force")
