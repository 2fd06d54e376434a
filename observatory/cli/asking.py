"""What commands that ask the running appliance share: where it is, the window, and the answer's path."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import Any

from observatory.cli.serve import DEFAULT_URL

_AGO = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)")
_MINUTE = 60_000_000_000
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def add_window(command: argparse.ArgumentParser, since: str | None, *, filtered: bool = True) -> None:
    """`--from`, `--to`, `--filter` (when `filtered`), `--url` and `--json`."""
    when = "RFC 3339, nanoseconds since 1970, or how long ago: 90m, 24h, 7d"
    command.add_argument("--from", dest="since", metavar="TIME", default=since, help=f"not before this ({when}; default: {since or 'all'})")
    command.add_argument("--to", dest="until", metavar="TIME", help="before this (default: now)")
    if filtered:
        command.add_argument("--filter", metavar="TEXT", help='what to look for, such as "model:gpt-4o cost>0.01" (docs/FILTER.md)')
    command.add_argument("--url", default=os.environ.get("OBSERVATORY_URL", DEFAULT_URL), help="the appliance (default: %(default)s)")
    command.add_argument("--json", action="store_true", help="the appliance's own answer as JSON")


def window(args: argparse.Namespace, now: int) -> dict[str, str]:
    """The parameters of the window, given the time in nanoseconds: `7d` was seven days ago."""
    said = {"from": args.since, "to": args.until}
    return {name: _time(value, now) for name, value in said.items() if value}


def path(base: str, **parameters: Any) -> str:
    """A path with its query; what is None is left out."""
    from urllib.parse import urlencode

    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{base}?{query}" if query else base


def add_order(command: argparse.ArgumentParser, names: str, default: str) -> None:
    """`--sort`, `--ascending` and `--limit`."""
    command.add_argument("--sort", metavar="NAME", default=default, help=f"{names}; largest or latest first (default: %(default)s)")
    command.add_argument("--ascending", action="store_true", help="smallest or earliest first")
    command.add_argument("--limit", type=int, default=50, metavar="N", help="how many (default: %(default)s)")


def order(args: argparse.Namespace) -> str:
    """The parameter `sort`."""
    return args.sort if args.ascending else f"-{args.sort}"


def ask(args: argparse.Namespace, where: str) -> Any:
    """The JSON of a GET, or None when the appliance refuses; why is told on stderr. Raises CannotStart when there is no appliance."""
    from observatory.cli import client

    try:
        return client.get(args.url, where, timeout=120.0)
    except client.Refused as error:
        print(f"observatory: {error}", file=sys.stderr)
        return None


def print_json(answer: Any) -> None:
    """For programs."""
    import json

    print(json.dumps(answer, ensure_ascii=False, indent=2))


def screen() -> int | None:
    """The width of the terminal, None when there is none."""
    import shutil

    return shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else None


def dollars(value: str | None, unpriced: int = 0) -> str:
    """`$0.0123`; `—` where nothing is known; `+2 unpriced` where some calls have no price."""
    from decimal import Decimal

    if value is None:
        return f"— ({unpriced:,} unpriced)" if unpriced else "—"
    amount = Decimal(value)
    shown = f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.4f}" if amount >= Decimal("0.0001") else f"${amount:f}"
    return f"{shown} (+{unpriced:,} unpriced)" if unpriced else shown


def whole(value: int | str | None) -> str:
    """`1,234`; a large integer comes as text."""
    return "—" if value is None else f"{int(value):,}"


def milliseconds(value: float | None) -> str:
    """`340 ms`, `1.23 s`, `4 m 10 s`."""
    if value is None:
        return "—"
    if value < 1000:
        return f"{value:.0f} ms" if value >= 10 or not value else f"{value:.2g} ms"
    if value < 120_000:
        return f"{value / 1000:.2f} s"
    minutes, seconds = divmod(round(value / 1000), 60)
    return f"{minutes:,} m {seconds} s"


def _time(value: str, now: int) -> str:
    ago = _AGO.fullmatch(value)
    if ago is None:
        return value
    then = now - round(float(ago[1]) * _SECONDS[ago[2]] * 1_000_000_000)
    return str(then if ago[2] == "s" else then - then % _MINUTE)  # of whole minutes there are sums ready
