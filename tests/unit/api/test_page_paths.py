"""What is a file of the build, what the page draws, and what is nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asking import Asked, open_asked

from observatory.api import page


@pytest.fixture
async def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asked]:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html>the page")
    (static / "assets" / "index-AbCdEf12.js").write_text("1")
    monkeypatch.setattr(page, "STATIC", static)
    async with open_asked(tmp_path / "data") as opened:
        yield opened


@pytest.mark.parametrize("path", ["/", "/sql", "/traces/abc", "/sessions/a@b.org", "/sessions/a%2Fb.c", "/sessions/%3Cimg%20src%3Dx.js%3E"])
async def test_what_the_page_draws(asked: Asked, path: str):
    async with asked.client.get(path) as response:
        assert (response.status, await response.text()) == (200, "<!doctype html>the page")


@pytest.mark.parametrize("path", ["/favicon.ico", "/assets/gone-AbCdEf12.js", "/assets/../secret.txt"])
async def test_what_is_no_file_is_said(asked: Asked, path: str):
    async with asked.client.get(path) as response:
        assert response.status == 404


async def test_a_file_of_the_build_is_kept_for_good(asked: Asked):
    async with asked.client.get("/assets/index-AbCdEf12.js") as response:
        assert (response.status, response.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
