"""A file system of a few megabytes, mounted for one test only: a tmpfs in a mount namespace of its own, as root or not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType

FILLER = "filler"


class SmallDisk:
    """`with SmallDisk(path, megabytes) as disk:` what runs behind `disk.enter` sees a tmpfs at `path`; the test sees it at `disk.seen`.

    Fails, saying why, where neither root nor user namespaces may mount.
    """

    def __init__(self, path: Path, megabytes: int, options: str = "") -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        as_root = os.geteuid() == 0
        mount = f"mount -t tmpfs -o size={megabytes}m{options} tmpfs {path} && echo mounted && exec sleep 3600"
        flags = ["--mount"] if as_root else ["--mount", "--user", "--map-root-user"]
        self._holder = subprocess.Popen(["unshare", *flags, "sh", "-c", mount], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None and self._holder.stderr is not None
        if self._holder.stdout.readline().strip() != "mounted":
            raise AssertionError(
                f"no small disk can be mounted here, neither as root nor in a user namespace: {self._holder.stderr.read().strip()}; "
                "run as root, or set the sysctl kernel.unprivileged_userns_clone to 1"
            )
        pid = self._holder.pid
        self.enter = ["nsenter", f"--target={pid}", "--mount", *([] if as_root else ["--user", "--preserve-credentials"])]
        self.seen = Path(f"/proc/{pid}/root{path}")

    def fill(self, leave: int) -> None:
        """Take all space but about `leave` bytes."""
        with (self.seen / FILLER).open("ab") as file:
            while (free := self.free()) > leave:
                try:
                    file.write(bytes(min(1 << 20, max(4096, free - leave))))
                    file.flush()
                except OSError:
                    if leave:
                        raise
                    return

    def empty(self) -> None:
        """Give the space back."""
        (self.seen / FILLER).unlink()

    def free(self) -> int:
        """Bytes that can still be written."""
        stat = os.statvfs(self.seen)
        return stat.f_bavail * stat.f_frsize

    def __enter__(self) -> SmallDisk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._holder.kill()
        self._holder.wait()
        for pipe in (self._holder.stdout, self._holder.stderr):
            if pipe is not None:
                pipe.close()
