"""What is shipped beside the appliance for machines without internet: its documentation, and the SDK as a package index for pip."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from aiohttp import web

from observatory.api.problems import problem

SITE = Path(__file__).parent / "site"
WHEELS = Path(__file__).parent / "wheels"

_INDEX_TYPE = "text/html; charset=utf-8"  # the newer vendor type is unknown to pip before 22.2


class Shipped:
    """`GET /docs/…` and `GET /simple/…` (the simple repository API, version 1.0). Either may be absent: a checkout has what was built."""

    def __init__(self, site: Path = SITE, wheels: Path = WHEELS) -> None:
        self._site, self._wheels = site, wheels

    def add_routes(self, app: web.Application) -> None:
        """Mount both."""
        app.router.add_get("/docs", _to_directory)
        app.router.add_get("/docs/{path:.*}", self._document)
        app.router.add_get("/simple", _to_directory)
        app.router.add_get("/simple/", self._projects)
        app.router.add_get("/simple/{project}", _to_directory)
        app.router.add_get("/simple/{project}/", self._files)
        app.router.add_get("/simple/{project}/{file}", self._wheel)

    async def _document(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        file = (self._site / path).resolve()
        if not file.is_relative_to(self._site.resolve()):
            return problem(404, "not_found", "no such page")
        if file.is_dir():
            if path and not path.endswith("/"):
                return _moved(request.path + "/")
            file /= "index.html"
        if file.is_file():
            return web.FileResponse(file, headers={"Cache-Control": "no-cache"})
        built = (self._site / "index.html").is_file()
        return problem(404, "not_found", f"no such page: /docs/{path[:200]}" if built else "the documentation is not built here: make docs")

    async def _projects(self, _: web.Request) -> web.StreamResponse:
        names = sorted({project(path.name) for path in self._wheels.glob("*.whl")})
        if not names:
            return problem(404, "not_found", "no wheels are shipped with this installation; the executable has them")
        return _index("Packages", [f'<a href="{name}/">{name}</a>' for name in names])

    async def _files(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["project"]
        if name != normal(name):
            return _moved(f"/simple/{normal(name)}/")
        wheels = sorted(path for path in self._wheels.glob("*.whl") if project(path.name) == name)
        if not wheels:
            return problem(404, "not_found", f"no wheel of {name[:100]} is shipped; GET /simple/ lists what is")
        return _index(name, [f'<a href="{path.name}#sha256={digest(path)}">{path.name}</a>' for path in wheels])

    async def _wheel(self, request: web.Request) -> web.StreamResponse:
        wanted = {path.name: path for path in self._wheels.glob("*.whl")}
        path = wanted.get(request.match_info["file"])
        if path is None or project(path.name) != normal(request.match_info["project"]):
            return problem(404, "not_found", "no such wheel; GET /simple/ lists what is there")
        return web.FileResponse(path, headers={"Content-Type": "application/octet-stream", "Cache-Control": "no-cache"})


def normal(name: str) -> str:
    """A project's name as the simple repository API spells it: `llm-observatory`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def project(wheel: str) -> str:
    """The normal name of the project whose wheel this file is."""
    return normal(wheel.partition("-")[0])


@cache
def digest(path: Path) -> str:
    """SHA-256 of a shipped file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _index(title: str, links: Sequence[str]) -> web.Response:
    head = f'<meta charset="utf-8"><meta name="pypi:repository-version" content="1.0"><title>{html.escape(title)}</title>'
    text = f"<!doctype html><html><head>{head}</head><body>{'<br>'.join(links)}</body></html>"
    return web.Response(body=text.encode(), headers={"Content-Type": _INDEX_TYPE, "Cache-Control": "no-cache"})


async def _to_directory(request: web.Request) -> web.Response:
    return _moved(request.path + "/")


def _moved(where: str) -> web.Response:
    return web.Response(status=308, headers={"Location": where})
