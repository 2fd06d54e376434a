"""Browsers: which web pages may export, and how they are told."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit


class Cors:
    """Pages of this machine and those named in the configuration may export; others would let the internet write into a local store.

    A page that may not is stopped by its browser, since OTLP's content types need a preflight, and refused if it comes all the same: a page
    whose own name was pointed at this machine needs no preflight, but says who it is.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin (`https://app.example.com`) may export."""
        if origin.lower() in self._origins:
            return True
        try:
            return _loopback(urlsplit(origin).hostname or "")
        except ValueError:
            return False

    def headers(self, origin: str | None) -> dict[str, str]:
        """For every answer to such a page; empty for others and for clients that are not browsers."""
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin and self.allows(origin) else {}

    def preflight(self, origin: str | None) -> dict[str, str]:
        """For the answer to OPTIONS."""
        allowed = self.headers(origin)
        if not allowed:
            return {}
        return allowed | {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "authorization, content-encoding, content-type, x-api-key, traceparent, tracestate",
            "Access-Control-Max-Age": "3600",
        }


def _loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
