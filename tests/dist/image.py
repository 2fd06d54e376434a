"""The container image as `packaging/Dockerfile` describes it, laid out without Docker. An instruction that is not understood raises."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "packaging" / "Dockerfile").read_text()


@dataclass
class Image:
    """What a container is started from."""

    root: Path
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    stop: str = "SIGTERM"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def apply(self, instruction: str, rest: str, context: Path) -> None:
        """One line of the file."""
        match instruction:
            case "FROM":
                assert rest == "scratch"
            case "COPY":
                owner, source, target = re.fullmatch(r"(?:--chown=(\d+:\d+) )?(\S+) /(\S+)", rest).groups()  # type: ignore[union-attr]
                shutil.copytree(context / source, self.root / target, symlinks=True)
                if owner:
                    subprocess.run(["chown", "--recursive", owner, self.root / target], check=True)
            case "USER":
                self.user = rest
            case "VOLUME":
                self.volumes.append(rest)
            case "EXPOSE":
                self.ports += map(int, rest.split())
            case "STOPSIGNAL":
                self.stop = rest
            case "ENTRYPOINT":
                self.entrypoint = json.loads(rest)
            case "CMD":
                self.command = json.loads(rest)
            case _:
                raise ValueError(f"packaging/Dockerfile: {instruction} is not known here")


def build(context: Path, root: Path) -> Image:
    """The image in `root`, its context made in `context` by the command that stands at the file's head."""
    (prepare,) = re.findall(r"^#   make deb && (.*)$", DOCKERFILE, re.MULTILINE)
    (built,) = re.findall(r"^#   docker build .* (\S+)$", DOCKERFILE, re.MULTILINE)
    assert built in prepare
    context.mkdir()
    subprocess.run(["bash", "-euc", prepare.replace(built, str(context))], cwd=ROOT, check=True)
    root.mkdir()
    image = Image(root)
    for line in DOCKERFILE.splitlines():
        if line and not line.startswith("#"):
            instruction, _, rest = line.partition(" ")
            image.apply(instruction, rest, context)
    return image
