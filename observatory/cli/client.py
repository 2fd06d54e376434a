"""Talks to a running appliance; the standard library only, so that a command answers at once."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from observatory.errors import CannotStart, ObservatoryError

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_URL = "http://127.0.0.1:4319"

# The appliance is on this machine or named by the user: a proxy of the environment is for other traffic.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(ObservatoryError):
    """The appliance answered, and the answer is no; the message is its own."""


def get(url: str, path: str, timeout: float = 10.0) -> Any:
    """The JSON of a GET. Raises Refused, or CannotStart when there is no appliance at `url`."""
    return _ask(urllib.request.Request(_join(url, path), headers={"accept": "application/json"}), url, timeout)


def post(url: str, path: str, body: Any, timeout: float = 120.0, api_key: str | None = None) -> Any:
    """The JSON of a POST of JSON. Raises as `get`."""
    headers = {"accept": "application/json", "content-type": "application/json"}
    if api_key:
        headers["authorization"] = f"Bearer {api_key}"
    return _ask(urllib.request.Request(_join(url, path), json.dumps(body).encode(), headers), url, timeout)


def arrow(url: str, path: str, body: Any, timeout: float = 300.0) -> pa.Table:
    """The Arrow table that a POST of JSON is answered with. Raises as `get`."""
    import pyarrow as pa

    headers = {"accept": "application/vnd.apache.arrow.stream", "content-type": "application/json"}
    request = urllib.request.Request(_join(url, path), json.dumps(body).encode(), headers)
    return _ask(request, url, timeout, lambda answer: pa.ipc.open_stream(answer.read()).read_all())


def _join(url: str, path: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise CannotStart(f"--url: expected an address such as {DEFAULT_URL}, got {url!r}")
    return url.rstrip("/") + path


def _ask(request: urllib.request.Request, url: str, timeout: float, read: Callable[[Any], Any] = json.load) -> Any:
    try:
        with _OPENER.open(request, timeout=timeout) as response:
            return read(response)
    except urllib.error.HTTPError as error:
        raise Refused(_reason(error)) from None
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        why = getattr(reason, "strerror", None) or reason
        raise CannotStart(
            f"no appliance answers at {url} ({why}); start one with `observatory serve`, or name its page with --url"
        ) from None
    except ValueError:
        raise CannotStart(f"what answers at {url} is not an observatory: it answers something else") from None


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
