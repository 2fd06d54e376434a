"""The door itself: who may ask, what every answer carries, the page, health and metrics."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from asking import Asked, open_asked
from prometheus_client import CollectorRegistry

from observatory.api import page
from observatory.api.config import ApiConfig
from observatory.api.guard import Guard
from observatory.api.server import Api

SCRIPT = "script-src 'self'"


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


async def raw(asked, *lines: str) -> str:
    """Status line of a request written by hand."""
    host, _, port = asked.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join((*lines, "Connection: close", "", "")).encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("localhost:4319", 200), ("127.0.0.1:1", 200), ("127.8.9.1", 200), ("[::1]:4319", 200), ("a.localhost", 200),
        ("evil.example", 421), ("evil.example:4319", 421), ("localhost.evil.example", 421), ("169.254.169.254", 421), ("", 200),
    ],
)  # fmt: skip
async def test_a_loopback_door_answers_to_loopback_names_only(asked, host, status):
    answer = await raw(asked, "GET /api/v1/status HTTP/1.1", f"Host: {host}")
    assert answer.startswith(f"HTTP/1.1 {status} "), answer


def test_a_published_door_answers_to_every_name():
    guard = Guard()
    guard.listening("0.0.0.0")
    assert guard._ours("observatory.example")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 200),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
    ],
)
async def test_pages_of_elsewhere_cannot_ask(asked, headers, status):
    async with asked.client.post("/api/v1/sql", data=b'{"query": "SELECT 1"}', headers=headers) as response:
        assert response.status == status, await response.text()
        assert "Access-Control-Allow-Origin" not in response.headers
    async with asked.client.options(
        "/api/v1/sql", headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    ) as response:
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"), (b"{", "body"), (b"[]", "body"), (b"{}", "query"), (b'{"query": 1}', "query"), (b'{"query": ""}', "query"),
        (b'{"query": "SELECT 1", "limit": 1}', "limit"), (b'{"query": "SELECT 1", "max_rows": 0}', "max_rows"), (b"\xff", "body"),
    ],
)  # fmt: skip
async def test_bodies_are_told_where_they_are_wrong(asked, body, where):
    async with asked.client.post("/api/v1/sql", data=body, headers={"Content-Type": "application/json"}) as response:
        error = (await response.json())["error"]
        assert (response.status, error["code"], error["where"]) == (400, "bad_request", where), error


async def test_a_body_beyond_the_limit_is_refused(asked):
    async with asked.client.post("/api/v1/sql", json={"query": "SELECT '" + "x" * (1 << 20) + "'"}) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/", "/api/v1/traces", "/api/v1/nothing", "/healthz", "/metrics", "/assets/none.js"])
async def test_every_answer_is_guarded(asked, path):
    async with asked.client.get(path) as response:
        headers = response.headers
    assert SCRIPT in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


async def test_unknown_paths_and_methods_are_told_in_json(asked):
    assert (await asked.get("/api/v1/nothing", 404))["error"]["code"] == "not_found"
    assert (await asked.get("/api", 404))["error"]["code"] == "not_found"
    async with asked.client.put("/api/v1/traces", json={}) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")
        assert (await response.json())["error"]["code"] == "method_not_allowed"


async def test_health_readiness_and_metrics(tmp_path):
    state = [True, "ready"]
    async with open_asked(tmp_path / "data", ready=lambda: tuple(state)) as asked:
        assert await asked.get("/healthz") == {"ok": True}
        assert await asked.get("/readyz") == {"ready": True, "reason": "ready"}
        state[:] = [False, "the disk is full"]
        assert await asked.get("/readyz", 503) == {"ready": False, "reason": "the disk is full"}
        status = await asked.get("/api/v1/status")
        assert status["started_at"] == 1
        assert status["version"]
        async with asked.client.get("/metrics") as response:
            text = await response.text()
            assert response.content_type == "text/plain"
        assert 'observatory_api_requests_total{route="/readyz",status="503"} 1.0' in text
        assert 'observatory_api_request_seconds_count{route="/api/v1/status"} 1.0' in text
        async with asked.client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}) as response:
            assert (await response.text()).endswith("# EOF\n")


async def test_a_port_in_use_is_an_oserror_and_leaves_nothing(asked):
    port = int(asked.url.rpartition(":")[2])
    other = Api(asked.engine, dict, lambda: (True, ""), ApiConfig(), CollectorRegistry())
    with pytest.raises(OSError, match="address already in use"):
        await other.start("127.0.0.1", port)
    assert (await asked.get("/healthz"))["ok"]


async def test_other_rooms_share_the_port(asked):
    async def export(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {len(await request.read())}")

    api = Api(
        asked.engine,
        dict,
        lambda: (True, ""),
        ApiConfig(),
        CollectorRegistry(),
        (lambda app: app.router.add_route("*", "/v1/traces", export),),
    )
    host, port = await api.start("127.0.0.1", 0)
    try:
        async with asked.client.post(f"http://{host}:{port}/v1/traces", data=b"abc") as response:
            assert await response.text() == "POST 3"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
    finally:
        await api.stop()


@pytest.fixture
def build(tmp_path, monkeypatch):
    """A built page."""
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>page</title>", encoding="utf-8")
    (static / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    (static / "assets" / "index-DxZ9a1b2.js").write_text("let a = 1", encoding="utf-8")
    (static / "assets" / "index-DxZ9a1b2.js.gz").write_bytes(gzip.compress(b"let a = 1"))
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    monkeypatch.setattr(page, "STATIC", static)


async def test_the_page_is_served_for_every_path_it_draws(asked, build):
    for path in ("/", "/traces", "/traces/0af7651916cd43dd8448eb211c80319c?view=tree", "/status"):
        async with asked.client.get(path) as response:
            assert (response.status, await response.text()) == (200, "<title>page</title>")
            assert response.headers["Cache-Control"] == "no-cache"
    async with asked.client.get("/assets/index-DxZ9a1b2.js", headers={"Accept-Encoding": "gzip"}) as response:
        assert await response.text() == "let a = 1"
        assert response.headers["Content-Encoding"] == "gzip"
        assert "immutable" in response.headers["Cache-Control"]
        assert response.content_type in ("text/javascript", "application/javascript")
    async with asked.client.get("/favicon.svg") as response:
        assert "immutable" not in response.headers["Cache-Control"]
    for path in (
        "/assets/other.js",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/index-DxZ9a1b2.js.gz",
    ):
        answer = await raw(asked, f"GET {path} HTTP/1.1", "Host: localhost")
        assert answer.startswith("HTTP/1.1 404"), (path, answer)
        assert "secret\n" not in answer


async def test_without_a_build_the_page_says_what_to_do(asked, monkeypatch, tmp_path):
    monkeypatch.setattr(page, "STATIC", tmp_path / "none")
    async with asked.client.get("/") as response:
        text = await response.text()
    assert response.status == 200
    assert "make web" in text
    assert "<script" not in text
