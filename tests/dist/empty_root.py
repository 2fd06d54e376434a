"""The appliance where there is nothing else: run by `test_empty_root.py` in namespaces of its own, as
`unshare --mount --net python empty_root.py ROOT SOURCE PROGRAM [FLAGS]`.

ROOT becomes a root file system that holds SOURCE (a file: as PROGRAM; a directory: what is in it), `/proc`, two devices and `/data`; all
but `/data` is read-only, and the only network is a loopback of its own. `PROGRAM serve FLAGS` runs there as nobody. Prints what happened
as one line of JSON.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "browser")]

from drive import Watched, chromium  # noqa: E402

from observatory.cli import client  # noqa: E402
from observatory.testing.clients import GrpcClient, HttpClient  # noqa: E402
from observatory.testing.server import ServerProcess  # noqa: E402
from observatory.testing.spans import Maker  # noqa: E402

NOBODY = 65534
UP, GET_FLAGS, SET_FLAGS = 1, 0x8913, 0x8914


def main(root: Path, source: Path, program: str, *flags: str) -> dict[str, Any]:
    """Everything a first user does."""
    loopback()
    build(root, program, source)
    inside = sorted(str(path.relative_to(root)) for part in root.iterdir() if part.name != "proc" for path in [part, *part.rglob("*")])
    enter = ("env", "-i", "/usr/sbin/chroot", f"--userspec={NOBODY}:{NOBODY}", str(root))
    with ServerProcess("/data", *flags, binary=program, preexec=enter) as server:
        server.addresses = {name: address.replace("0.0.0.0", "127.0.0.1") for name, address in server.addresses.items()}
        told: dict[str, Any] = {"files": inside, "user": Path(f"/proc/{server.pid}").stat().st_uid}
        asyncio.run(export(server))
        query = "SELECT name FROM spans ORDER BY name"
        told["names"] = [row[0] for row in client.post(server.api, "/api/v1/sql", {"query": query})["rows"]]
        told["page"] = shown(server)
        told["decoder"] = client.get(server.api, "/api/v1/status")["decoder"]
        told["mapped"] = sorted({line.split()[-1] for line in Path(f"/proc/{server.pid}/maps").read_text().splitlines() if ".so" in line})
        server.terminate()
        told["ended"] = server.wait(15)
        told["log"] = server.stderr
    return told


def loopback() -> None:
    """A new network has a loopback that is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, GET_FLAGS, struct.pack("16sh14x", b"lo", 0))[:18])[1]
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", flags | UP))


def build(root: Path, program: str, source: Path) -> None:
    """The root file system."""
    mount("-t", "tmpfs", "none", root)
    for directory in ("proc", "dev", "data"):
        (root / directory).mkdir()
    if source.is_file():
        (root / program.lstrip("/")).touch()
        mount("--bind", source, root / program.lstrip("/"))
    else:  # a tree, as it is
        for part in source.iterdir():
            if part.name == "data":  # a volume covers it
                continue
            (root / part.name).mkdir()
            mount("--bind", part, root / part.name)
    for device in ("null", "urandom"):
        (root / "dev" / device).touch()
        mount("--bind", f"/dev/{device}", root / "dev" / device)
    mount("-t", "proc", "proc", root / "proc")
    mount("-t", "tmpfs", "-o", f"mode=700,uid={NOBODY},gid={NOBODY},nosuid,nodev", "none", root / "data")
    mount("-o", "remount,ro", root)


def mount(*arguments: object) -> None:
    """Raises when it cannot be done."""
    subprocess.run(["mount", *map(str, arguments)], check=True)


async def export(server: ServerProcess) -> None:
    """One trace by each protocol."""
    make = Maker(seed=1)
    async with HttpClient(server.otlp_http) as http, GrpcClient(server.otlp_grpc) as grpc:
        for door, name in ((http, "by http"), (grpc, "by grpc")):
            answer = await door.export(make.spans(make.span(name)))
            assert answer.ok, answer


def shown(server: ServerProcess) -> str:
    """Chromium shows both traces in the list, and the documentation; the title of the list."""
    with chromium() as browser:
        context = browser.new_context(base_url=server.api)
        watched = Watched(context.new_page())
        watched.page.goto("/traces?range=15m")
        for name in ("by http", "by grpc"):
            watched.page.get_by_text(name).first.wait_for(timeout=15_000)
        title = watched.page.title()
        watched.page.goto("/docs/SQL/")
        watched.page.locator("h1", has_text="SQL").wait_for(timeout=15_000)
        watched.page.locator("[data-md-component=search-query]").fill("retention_days")
        found = watched.page.locator(".md-search-result__link").first
        found.wait_for(timeout=15_000)
        assert "/docs/CONFIGURATION/" in (found.get_attribute("href") or "")
        assert watched.strangers == []
        assert watched.mistakes == []
        return title


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])))
