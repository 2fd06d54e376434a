"""`observatory feedback`: say what a trace was worth, and list what was said."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from typing import Any

from observatory.cli.serve import DEFAULT_URL

EPILOG = """\
  observatory feedback 0af7651916cd43dd8448eb211c80319c --name helpful --score 1 --comment "quick and right"
  observatory feedback --response chatcmpl-123 --name tone --label friendly
  observatory feedback --list
  observatory feedback --list 0af7651916cd43dd8448eb211c80319c --json
"""
_COLUMNS = ("time", "name", "score", "label", "trace_id", "span_id", "response_id", "user_id", "source", "error_type", "comment")
_SAID = {"trace": "trace_id", "span": "span_id", "response": "response_id", "name": "name", "score": "score", "label": "label",
         "comment": "comment", "user": "user_id", "time": "time", "id": "id"}  # fmt: skip


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The trace is an argument; everything else is said by name."""
    command = commands.add_parser(
        "feedback",
        help="say what a trace was worth, or list what was said",
        description="Say what a trace, a span or a response was worth; with --list, show what was said, latest first.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("trace", metavar="TRACE_ID", nargs="?", help="the trace, 32 hex digits; not needed with --response or --list")
    command.add_argument("--name", help="what is judged, such as `helpful`; with --list, only feedback of this name")
    command.add_argument("--score", type=float, help="a number; a score or a label is needed")
    command.add_argument("--label", help="a word, such as `good`")
    command.add_argument("--comment", help="a text")
    command.add_argument("--user", help="who says it")
    command.add_argument("--span", metavar="SPAN_ID", help="one span of the trace, 16 hex digits")
    command.add_argument("--response", metavar="ID", help="the provider's id of the response, where the trace is not known")
    command.add_argument("--time", help="when it was said, RFC 3339 (default: now); with --list, not before this time")
    command.add_argument("--id", help="the same id again replaces what was said before")
    command.add_argument("--list", action="store_true", help="list feedback instead of giving it")
    command.add_argument("--limit", type=int, help="with --list: the most rows, 1 to 1000 (default: 100)")
    command.add_argument("--json", action="store_true", help="the answer as JSON; with --list, an array with one object a row")
    command.add_argument("--api-key", default=os.environ.get("OBSERVATORY_API_KEY"), help="where `receivers.api_keys` asks for one")
    command.add_argument("--url", default=os.environ.get("OBSERVATORY_URL", DEFAULT_URL), help="the appliance (default: %(default)s)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when it is durable, or listed; 1 when the appliance refuses it; 2 when there is no appliance."""
    from observatory.cli import client

    try:
        return _list(args) if args.list else _give(args)
    except client.Refused as error:
        print(f"observatory: {error}", file=sys.stderr)
        return 1


def _give(args: argparse.Namespace) -> int:
    from observatory.cli import client

    said = {field: value for option, field in _SAID.items() if (value := getattr(args, option)) is not None}
    answer = client.post(args.url, "/api/v1/feedback", said, api_key=args.api_key)
    print(json.dumps(answer) if args.json else "stored")
    return 0


def _list(args: argparse.Namespace) -> int:
    from urllib.parse import urlencode

    from observatory.cli import client, table

    asked = {"trace_id": args.trace, "name": args.name, "from": args.time, "limit": args.limit}
    page = client.get(args.url, "/api/v1/feedback?" + urlencode({name: value for name, value in asked.items() if value is not None}))
    items: list[dict[str, Any]] = page["items"]
    if args.json:
        print(json.dumps(items, ensure_ascii=False, indent=2))
    else:
        names = [name for name in _COLUMNS if any(item[name] is not None for item in items)] or list(_COLUMNS[:3])
        width = shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else None
        print(table.render(names, [[item[name] for name in names] for item in items], width))
    if page["next_cursor"] is not None:
        print(f"observatory: only the latest {len(items)}; --limit or --time show others", file=sys.stderr)
    return 0
