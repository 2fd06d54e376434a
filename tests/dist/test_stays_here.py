"""Nothing leaves this machine by itself: every connection of a whole demo session, as the kernel saw it."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from observatory.cli import client

CALLS = "connect,sendto,sendmsg,sendmmsg,bind"
ADDRESS = re.compile(r'sa_family=(AF_\w+)(?:, [^}]*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"))?')


def test_a_demo_session_speaks_to_nobody_elsewhere(executable: Path, tmp_path: Path, runtime: Path) -> None:
    log, free = tmp_path / "calls", [flag for door in ("--listen", "--otlp-grpc", "--otlp-http") for flag in (door, "127.0.0.1:0")]
    demo = [executable, "demo", "--print-ready", "--data", tmp_path / "demo", "--rate", "20", *free]
    child = subprocess.Popen(["strace", "-f", "-qq", "-e", f"trace={CALLS}", "-o", log, *demo], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        api = f"http://{json.loads(child.stdout.readline())['listen']}"
        session(api)
    finally:
        (demo_pid,) = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        os.kill(int(demo_pid), signal.SIGTERM)
        assert child.wait(30) == 0
    seen = {found.groups() for found in ADDRESS.finditer(log.read_text())}
    families = {family for family, _, _ in seen}
    assert "AF_INET" in families, "strace saw nothing: this test proves nothing"
    assert families <= {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_UNSPEC"}
    elsewhere = [address for _, *both in seen for address in both if address and not loopback(address)]
    assert elsewhere == []
    names = [line for line in log.read_text().splitlines() if "htons(53)" in line]
    assert names == [], "it asked for a name"


def loopback(address: str) -> bool:
    found = ipaddress.ip_address(address)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def session(api: str) -> None:
    """What a visitor does: pages, documentation, lists, SQL, costs, metrics, the package index."""
    deadline = time.monotonic() + 60
    while not count(api, "SELECT count(*) FROM traces") > 100:
        assert time.monotonic() < deadline, "the demo is not alive"
    for path in ("/", "/docs/", "/simple/", "/metrics", "/api/v1/openapi.json"):
        urllib.request.urlopen(api + path, timeout=20).close()
    for path in ("traces?limit=5", "llm/summary?group_by=model", "llm/calls", "sessions", "logs?limit=5", "status"):
        assert client.get(api, f"/api/v1/{path}")
    assert count(api, "SELECT count(*) FROM read_parquet('https://example.com/x.parquet')") == -1
    assert count(api, "SELECT count(*) FROM logs") > 0


def count(api: str, query: str) -> int:
    """The one number a query answers with; -1 when it is refused."""
    try:
        answer: dict[str, Any] = client.post(api, "/api/v1/sql", {"query": query})
    except client.Refused:
        return -1
    return int(answer["rows"][0][0])
