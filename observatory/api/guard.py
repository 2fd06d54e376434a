"""What every answer carries, and which requests are not answered at all.

The page and the API are for programs and people of this machine. A web page of elsewhere must not be able to use them: its name may be
made to point at this machine (DNS rebinding), so a loopback listener answers to loopback names only; it may send simple forms, so what
changes or computes asks for JSON, which no form sends without permission, and permission (CORS) is never given.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from observatory.api.problems import problem

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Knows the address that is listened on."""

    def __init__(self) -> None:
        self._bound: str | None = None

    def listening(self, host: str) -> None:
        """The address that was bound."""
        self._bound = host.lower()

    def refusal(self, request: web.Request) -> web.Response | None:
        """The answer to a request that is not to be answered, or None."""
        name = _name(request.headers.get("Host"))
        if name is not None and not self._ours(name):
            return problem(
                421, "misdirected", f"this server does not answer to the name {name[:100]!r}; use localhost or 127.0.0.1", "Host"
            )
        origin = request.headers.get("Origin")
        if request.method in ("POST", "DELETE") and request.path.startswith("/api/") and request.match_info.http_exception is None:
            if origin is not None and _name(urlsplit(origin).netloc) != name:
                return problem(403, "cross_origin", f"pages of {origin[:100]} may not use this API", "Origin")
            if request.method == "POST" and request.content_type != "application/json":
                return problem(415, "unsupported", "expected Content-Type: application/json", "Content-Type")
        return None

    def _ours(self, name: str) -> bool:
        if self._bound is None or not _loopback(self._bound):
            return True  # published on purpose; under which names, only its owner knows
        return name == self._bound or _loopback(name)


def _name(host: str | None) -> str | None:
    """The name of a Host header without its port; None when it is missing, as in HTTP/1.0: browsers always send one."""
    if not host:
        return None
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _loopback(name: str) -> bool:
    if name in ("localhost", "localhost.") or name.endswith((".localhost", ".localhost.")):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
