"""The built page: its files as they are, and the page itself for every path it draws."""

from __future__ import annotations

import re
from pathlib import Path

from aiohttp import web

from observatory.api.problems import problem

STATIC = Path(__file__).parent / "static"

PATH = r"/{path:(?!(?:api|v1)(?:/|$)).*}"
"""What the page may draw: everything but what programs use, where a wrong path is to be an error."""

_HASHED = re.compile(r"[.\-_][A-Za-z0-9_\-]{8,}\.(?:js|css|woff2?|svg|png|webp|map|json|wasm)")
_FILE = re.compile(r"[A-Za-z0-9._\-]+(?:/[A-Za-z0-9._\-]+)*")
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>LLM Observatory</title></head><body>
<h1>LLM Observatory is running</h1>
<p>Its page is not built in this checkout. Run <code>make web</code>, then reload.</p>
<p>Receiving and the API work meanwhile: <a href="/api/v1/status">status</a>, <a href="/api/v1/traces">traces</a>,
<a href="/api/v1/openapi.json">what else there is</a>.</p>
</body></html>
"""


async def page(request: web.Request) -> web.StreamResponse:
    """`GET /{path}`: a file of the build, or the page for all else but where files are. Uses precompressed `.br` and `.gz` siblings."""
    path = request.match_info["path"]
    if path and _FILE.fullmatch(path) and ".." not in path and (file := STATIC / path).is_file() and file.suffix not in (".br", ".gz"):
        hashed = path.startswith("assets/") and _HASHED.search(path)
        return web.FileResponse(file, headers={"Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache"})
    # what the page draws may be named like a file: /sessions/a@b.org
    if ".." in path.split("/") or ("." in path and ("/" not in path or path.startswith("assets/"))):
        return problem(404, "not_found", f"no such file: /{path[:200]}")
    index = STATIC / "index.html"
    if index.is_file():
        return web.FileResponse(index, headers={"Cache-Control": "no-cache"})
    return web.Response(text=_NOT_BUILT, content_type="text/html", headers={"Cache-Control": "no-store"})
