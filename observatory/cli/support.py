"""The archive that `observatory doctor --bundle` writes: how this installation is, nothing of what it stores.

Left out or blotted: secrets of the configuration, names of the user and the machine, every name and value that applications sent, which
also stand in labels of metrics and in addresses of requests.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import re
import socket
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from observatory.cli.examine import running
from observatory.cli.manual import toml_text
from observatory.errors import CannotStart, ObservatoryError
from observatory.model import program
from observatory.model.address import Address
from observatory.settings import Settings
from observatory.storage.check import Finding

_LABEL = re.compile(r'([a-z_]+)="')
_KNOWN = {"signal", "outcome", "reason", "status", "route", "job", "le", "implementation", "major", "minor", "patchlevel", "version"}
"""Labels whose values are the appliance's own words."""

MOST_FILES = 10_000


def write(path: Path, settings: Settings, findings: Sequence[Finding]) -> None:
    """Write the archive, readable by its owner only. Raises CannotStart when it cannot be written."""
    blot = redactor()
    status = running(settings.server.listen)
    parts = {
        "about.json": _json(about()),
        "findings.json": _json([asdict(finding) for finding in findings]),
        "config.toml": toml_text(settings),
        "environment.txt": "".join(f"{name}\n" for name in sorted(os.environ) if name.startswith("OBSERVATORY_")),
        "status.json": _json(status) if status else "no appliance answers\n",
        "metrics.txt": metrics(settings.server.listen) if status else "no appliance answers\n",
        "files.txt": listing(settings.server.data),
    }
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in parts.items():
                archive.writestr(f"observatory-support/{name}", blot(text))
    except OSError as error:
        raise CannotStart(f"--bundle: cannot write {path}: {error.strerror}") from error


def about() -> dict[str, Any]:
    """The program and the machine, as far as they decide how it behaves."""
    from importlib.metadata import version

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "version": version("llm-observatory"),
        "executable": program.frozen(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)),
        "memory_bytes": memory,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def metrics(listen: Address) -> str:
    """What the appliance counts of itself; what it counts of applications bears their names in labels."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{listen}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines(keepends=True)
    except (OSError, ObservatoryError) as error:
        return f"no answer: {error}\n"
    return "".join(line for line in lines if line.startswith("#") or _KNOWN.issuperset(_LABEL.findall(line)))


def listing(data: Path) -> str:
    """Names, sizes and times of the files of the data directory, but for those of the unpacked program."""
    lines: list[str] = []
    for folder, directories, names in os.walk(data):
        directories[:] = sorted(name for name in directories if name != "runtime")
        for name in sorted(names):
            try:
                found = (Path(folder) / name).lstat()
            except OSError:
                continue  # it was deleted meanwhile
            when = datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec="seconds")
            lines.append(f"{found.st_size:>14,} {found.st_mode & 0o7777:04o} {when} {(Path(folder) / name).relative_to(data)}\n")
        if len(lines) >= MOST_FILES:
            return "".join([*lines[:MOST_FILES], "… and more\n"])
    return "".join(lines) or f"{data} does not exist\n"


def redactor() -> Callable[[str], str]:
    """Takes names of the user, the home directory and the machine out of a text."""
    known = {str(Path.home()): "~"} if os.environ.get("HOME") else {}
    known |= {name: "<machine>" for name in (socket.gethostname(), platform.node()) if len(name) > 2}
    with contextlib.suppress(KeyError, OSError):  # a user without a name
        known |= {name: "<user>" for name in (getpass.getuser(),) if len(name) > 2 and name != "root"}
    if not known:
        return str
    words = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(known, key=len, reverse=True)))
    return lambda text: words.sub(lambda found: known[found[0]], text)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n"
