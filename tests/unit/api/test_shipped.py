"""What is shipped for machines without internet: documentation, and an index that pip installs from."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from observatory.api.shipped import Shipped


def wheel(folder: Path, name: str, requires: str = "") -> Path:
    """A small pure wheel."""
    info, module = f"{name}-1.0.dist-info", name.lower().replace(".", "_")
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{f'Requires-Dist: {requires}' if requires else ''}\n"
    kind = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        for place, text in ((f"{module}.py", f"NAME = {name!r}\n"), (f"{info}/METADATA", metadata), (f"{info}/WHEEL", kind)):
            made.writestr(place, text)
        made.writestr(f"{info}/RECORD", "".join(f"{place},,\n" for place in made.namelist()))
    return path


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """A server with two wheels and two pages."""
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    (site / "SQL").mkdir(parents=True)
    wheels.mkdir()
    wheel(wheels, "Some.Client", "its_part>=1")
    wheel(wheels, "its_part")
    (site / "index.html").write_text("the start")
    (site / "SQL/index.html").write_text("about SQL")
    (tmp_path / "secret").write_text("not for readers")
    async with serving(Shipped(site, wheels)) as address:
        yield address


class serving:
    """`async with serving(shipped) as url`."""

    def __init__(self, shipped: Shipped) -> None:
        app = web.Application()
        shipped.add_routes(app)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


async def get(url: str) -> tuple[int, str]:
    """Status and text, redirections followed; the path is sent as it is."""

    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(ask)


async def test_pip_installs_a_client_and_its_parts_from_here_alone(url: str, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir", "install"]
    ended = await asyncio.create_subprocess_exec(
        *command, "--quiet", "--index-url", f"{url}/simple/", "--target", str(target), "some-client", stderr=asyncio.subprocess.PIPE
    )
    said = (await ended.communicate())[1].decode()
    assert ended.returncode == 0, said
    code = "import some_client, its_part; print(some_client.NAME)"
    found = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], cwd=target, capture_output=True)
    assert found.stdout == b"Some.Client\n"


async def test_the_index_names_projects_files_and_digests(url: str, tmp_path: Path) -> None:
    status, text = await get(f"{url}/simple/")
    assert status == 200
    assert 'href="its-part/"' in text
    assert 'href="some-client/"' in text
    digest = hashlib.sha256((tmp_path / "wheels/Some.Client-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert f'href="Some.Client-1.0-py3-none-any.whl#sha256={digest}"' in (await get(f"{url}/simple/some-client/"))[1]
    assert (await get(f"{url}/simple/Some_Client")) == await get(f"{url}/simple/some-client/")


@pytest.mark.parametrize(
    "path",
    [
        "/simple/unknown/",
        "/simple/its-part/Some.Client-1.0-py3-none-any.whl",
        "/simple/its-part/..%2f..%2fsecret",
        "/docs/nothing",
        "/docs/..%2fsecret",
        "/docs/../secret",
        "/docs/%2fetc/passwd",
    ],
)
async def test_what_is_not_shipped_is_not_given(url: str, path: str) -> None:
    status, text = await get(url + path)
    assert status == 404
    assert "not for readers" not in text


async def test_pages_are_found_with_and_without_their_last_slash(url: str) -> None:
    assert await get(f"{url}/docs") == (200, "the start")
    assert await get(f"{url}/docs/SQL") == await get(f"{url}/docs/SQL/") == (200, "about SQL")


async def test_where_nothing_was_built_it_says_so(tmp_path: Path) -> None:
    async with serving(Shipped(tmp_path / "none", tmp_path / "none")) as url:
        assert "make docs" in (await get(f"{url}/docs/"))[1]
        assert "the executable has them" in (await get(f"{url}/simple/"))[1]
