"""Documents that people save, over HTTP: kept, listed, replaced, forgotten; every mistake named; other origins kept out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asking import Asked, open_asked

PATH = "/api/v1/saved/query"
JSON = {"content-type": "application/json"}


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with open_asked(tmp_path / "data") as opened:
        yield opened


async def put(asked: Asked, name: str, body: Any, status: int = 200, headers: dict[str, str] = JSON) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with asked.client.put(f"{PATH}/{quote(name, safe='')}", data=data, headers=headers) as response:
        said = await response.json()
        assert response.status == status, said
        return said


async def delete(asked: Asked, name: str, headers: dict[str, str] | None = None) -> int:
    async with asked.client.delete(f"{PATH}/{quote(name, safe='')}", headers=headers) as response:
        return response.status


async def test_a_document_is_kept_listed_replaced_and_forgotten(asked: Asked):
    first = await put(asked, "tokens / model ü", {"query": "SELECT 1"})
    assert (first["kind"], first["name"], first["body"]) == ("query", "tokens / model ü", {"query": "SELECT 1"})
    assert await asked.get(f"{PATH}/tokens%20%2F%20model%20%C3%BC") == first
    second = await put(asked, "a", {"query": "SELECT 2"})
    assert await asked.get(PATH) == {"items": [second, first]}
    changed = await put(asked, "a", {"query": "SELECT 3"})
    assert changed["updated_at"] > second["updated_at"]
    assert (await asked.get(PATH))["items"] == [changed, first]
    assert await asked.get("/api/v1/saved/view") == {"items": []}
    assert await delete(asked, "a") == 204
    assert await delete(asked, "a") == 404
    assert (await asked.get(f"{PATH}/a", 404))["error"]["message"] == "no query is saved as 'a'"


@pytest.mark.parametrize(
    ("name", "body", "status", "message"),
    [
        ("a", b"{", 400, "body: no JSON: "),
        ("a", b"[]", 400, "body: expected an object"),
        ("a", b'{"a": NaN}', 400, "body: no JSON: NaN is no JSON"),
        ("a", b"\xff\xfe", 400, "body: no JSON: "),
        ("a", b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", 400, "body: nested too deeply"),
        ("a", b'{"a": "' + b"x" * 65_536 + b'"}', 413, "body: larger than 65536 bytes"),
        (" a", b"{}", 400, "name: expected 1 to 200 printable characters"),
        ("a\n", b"{}", 400, "name: expected 1 to 200 printable characters"),
        ("x" * 201, b"{}", 400, "name: expected 1 to 200 printable characters"),
    ],
)
async def test_mistakes_are_named(asked: Asked, name: str, body: bytes, status: int, message: str):
    assert (await put(asked, name, body, status))["error"]["message"].startswith(message)
    assert (await asked.get(PATH))["items"] == []


@pytest.mark.parametrize("depth", range(900, 1000, 7))
async def test_no_depth_is_too_much_for_the_server(asked: Asked, depth: int):
    data = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    async with asked.client.put(f"{PATH}/a", data=data, headers=JSON) as response:
        assert response.status in (200, 400)
    await asked.get(PATH)


async def test_what_is_kept_comes_back_as_it_was_sent(asked: Asked):
    body = {"large": 2**80, "small": -0.0, "odd": "\ud800 \u0000 ü", "deep": [[{"a": [None, True]}]], "": {}}
    await put(asked, "a", body)
    async with asked.client.get(f"{PATH}/a") as response:
        assert json.loads(await response.read())["body"] == body


async def test_a_kind_is_a_word(asked: Asked):
    assert (await asked.get("/api/v1/saved/Query", 400))["error"]["where"] == "kind"


async def test_pages_of_elsewhere_and_forms_change_nothing(asked: Asked):
    await put(asked, "mine", {})
    assert (await put(asked, "a", {}, 403, {**JSON, "origin": "http://evil.example"}))["error"]["code"] == "cross_origin"
    assert (await put(asked, "a", {}, 415, {"content-type": "text/plain"}))["error"]["code"] == "unsupported"
    assert await delete(asked, "mine", {"origin": "http://evil.example"}) == 403
    assert [each["name"] for each in (await asked.get(PATH))["items"]] == ["mine"]


async def test_a_full_disk_is_said(asked: Asked, monkeypatch: pytest.MonkeyPatch):
    def full(key: str, value: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(asked.manifest, "set", full)
    assert (await put(asked, "a", {}, 503))["error"]["message"] == "it cannot be written: No space left on device"
