"""The one-file executable: launcher, archive, trailer. `launcher.c` says how it starts."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import re
import shutil
import struct
import subprocess
import tarfile
from pathlib import Path

import zstandard

LAUNCHER = Path(__file__).with_name("launcher.c")
TRAILER = struct.Struct("<QQQ16s8s")
MAGIC = b"LLMOBSX1"

# The C library with its loader: the program then runs on machines with an older one, another one, or none. What is loaded by name
# (libnss_*) is part of libc since 2.34.
LOADER, LISTED_AS = {"x86_64": ("ld-linux-x86-64.so.2", "x86-64"), "aarch64": ("ld-linux-aarch64.so.1", "AArch64")}[platform.machine()]
GLIBC = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libresolv.so.2")
ROOM = 1024  # bytes for the loader's path, which the launcher writes when it knows where it unpacked


def build(tree: Path, work: Path, target: Path, level: int) -> Path:
    """Make `target` of a directory PyInstaller made. `work` is used up."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(tree, work / "tree", symlinks=True)
    carry_glibc(work / "tree", "/" * ROOM)
    archive = archived(work / "tree")
    packed = zstandard.ZstdCompressor(level=level, threads=os.cpu_count() or 1).compress(archive)
    launcher = compiled(work)
    digest = hashlib.sha256(packed + launcher).hexdigest()[:16].encode()
    made = work / target.name
    made.write_bytes(launcher + packed + TRAILER.pack(len(launcher), len(packed), len(archive), digest, MAGIC))
    made.chmod(0o755)
    made.replace(target)  # one that runs keeps its file
    return target


def carry_glibc(tree: Path, loader: str) -> None:
    """Put the C library into the tree, and make the program use it: its loader is at `loader`."""
    beside = tree / "_internal" / "glibc"
    beside.mkdir()
    for name in (LOADER, *GLIBC):
        shutil.copy2(system_library(name), beside / name)
    program = tree / "observatory"
    needed = [word for name in GLIBC for word in ("--add-needed", name)]
    # DT_RPATH, not DT_RUNPATH: it also counts for libraries of libraries, and before LD_LIBRARY_PATH. PyInstaller's loader needs libz
    # before it has set anything, so the libraries beside it are named too.
    subprocess.run(
        ["patchelf", "--force-rpath", "--set-rpath", "$ORIGIN/_internal/glibc:$ORIGIN/_internal", *needed, str(program)], check=True
    )
    subprocess.run(["patchelf", "--set-interpreter", loader, str(program)], check=True)


def system_library(name: str) -> Path:
    """Where the loader of this machine finds a library."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    found = re.search(rf"^\s*{re.escape(name)} \(.*{LISTED_AS}.*\) => (\S+)$", listed, re.MULTILINE)
    if found is None:
        raise SystemExit(f"{name} is not on this machine")
    return Path(found[1]).resolve()


def archived(tree: Path) -> bytes:
    """The tree as a tar; the same bytes for the same files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(tree.rglob("*")):
            entry = tar.gettarinfo(path, str(path.relative_to(tree)))
            entry.mtime = entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            if entry.islnk():  # two names of one file: twice the file
                entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", path.stat().st_size
            with path.open("rb") if entry.isreg() else io.BytesIO() as content:
                tar.addfile(entry, content)
    return out.getvalue()


def compiled(work: Path) -> bytes:
    """The launcher, linked statically."""
    made = work / "launcher"
    command = [
        "gcc",
        "-static",
        "-O2",
        "-s",
        "-Wall",
        "-Wextra",
        "-Werror",
        f'-DLOADER="{LOADER}"',
        "-o",
        str(made),
        str(LAUNCHER),
        "-l:libzstd.a",
    ]
    said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode:
        raise SystemExit(f"{said.stderr}\nthe launcher did not compile: apt-get install gcc libc6-dev libzstd-dev")
    return made.read_bytes()


def needed_glibc(tree: Path) -> str:
    """The newest version of glibc that anything in the tree asks for."""
    wanted = {(2, 0)}
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink() and "glibc" not in path.parts:
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    said = subprocess.run(["objdump", "-T", str(path)], capture_output=True, text=True).stdout
                    wanted |= {(int(a), int(b)) for a, b in re.findall(r"GLIBC_(\d+)\.(\d+)", said)}
    return ".".join(map(str, max(wanted)))
