"""Builds what is handed out, into `dist/`: `python packaging/build.py --help`. `make dist`, `make dist-dir` and `make deb` call it."""

from __future__ import annotations

import argparse
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import bill
import deb
import onefile

ROOT = Path(__file__).parents[1]
DIST, BUILD = ROOT / "dist", ROOT / "build"
TREE = BUILD / "frozen" / "observatory"
VERSION = version("llm-observatory")

# They come with symbols; without, all is smaller by 40 MB. Libraries of other wheels were laid out by their makers and stay so.
STRIPPED = ("libpython3*.so*", "zstandard/*.so", "xxhash/*.so", "aiohttp/*.so", "python3*/lib-dynload/*.so", "observatory/**/*.so")


def main() -> int:
    """Build what is asked for; 0 when all of it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("freeze", "executable", "directory", "deb"))
    parser.add_argument("--level", type=int, default=12, help="zstd level: 19 is 9 MB smaller and takes minutes (default: %(default)s)")
    parser.add_argument("--key", type=Path, help="an ed25519 private key (PEM): sign what was built")
    options = parser.parse_args()
    DIST.mkdir(exist_ok=True)
    match options.what:
        case "freeze":
            freeze()
            return 0
        case "executable":
            made = onefile.build(TREE, BUILD / "onefile", DIST / "observatory", options.level)
            print("dist/observatory needs Linux on this kind of processor, and no C library of the machine: it carries its own")
        case "directory":
            made = directory()
            print(f"the directory needs glibc {onefile.needed_glibc(TREE)} or newer")
        case "deb":
            made = deb.build(TREE, ROOT, BUILD / "deb", DIST, VERSION)
    sums = checksums()
    for path in (made, sums) if options.key else ():
        sign(path, options.key)
    for path in sorted(DIST.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.1f} MB  dist/{path.name}")
    return 0


def freeze() -> None:
    """The program as a directory, by PyInstaller, its licences inside."""
    shutil.rmtree(TREE.parent, ignore_errors=True)
    log = BUILD / "pyinstaller.txt"
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--distpath", str(TREE.parent), "--workpath", str(BUILD / "pyinstaller")]
    with log.open("w") as out:
        said = subprocess.run([*command, str(ROOT / "packaging" / "observatory.spec")], stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
    if said.returncode:
        raise SystemExit(f"{log.read_text()[-4000:]}\nPyInstaller failed; all of it is in {log}")
    inside = TREE / "_internal"
    if not list(inside.glob("observatory/otlp/_kernel*.so")):
        raise SystemExit("the native decoder is not built: make kernel")
    libraries = [path for pattern in STRIPPED for path in inside.glob(pattern) if not path.is_symlink()]
    subprocess.run(["strip", "--strip-unneeded", *map(str, libraries)], check=True)
    bill.write(BUILD / "pyinstaller" / "observatory" / "Analysis-00.toc", ROOT, DIST)
    shutil.copy2(DIST / bill.LICENCES, inside / bill.LICENCES)


def directory() -> Path:
    """The same program as a tar with a directory: nothing is unpacked at a start."""
    name = f"observatory-{VERSION}-linux-{platform.machine()}"
    path = DIST / f"{name}.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=6) as tar:
        tar.add(TREE, name)
        tar.add(ROOT / "LICENSE", f"{name}/LICENSE")
    return path


def checksums() -> Path:
    """`SHA256SUMS` of everything in `dist/`, as `sha256sum --check` reads it."""
    sums, lines = DIST / "SHA256SUMS", []
    for path in sorted(DIST.iterdir()):
        if path.suffix != ".sig" and path != sums:
            with path.open("rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    sums.write_text("".join(lines))
    return sums


def sign(path: Path, key: Path) -> None:
    """A detached ed25519 signature beside the file, raw, as `openssl pkeyutl -verify -rawin` and `observatory verify` read it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private = load_pem_private_key(key.read_bytes(), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise SystemExit(f"{key} is no ed25519 key: openssl genpkey -algorithm ed25519 -out {key}")
    path.with_name(path.name + ".sig").write_bytes(private.sign(path.read_bytes()))


if __name__ == "__main__":
    sys.exit(main())
