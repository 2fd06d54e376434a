"""`observatory calls`: the list of calls of models, also of what does not count."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from observatory.cli.asking import add_order, add_window, ask, dollars, milliseconds, order, path, print_json, screen, whole, window

EPILOG = """\
  observatory calls --sort cost --from 24h       the dearest
  observatory calls --unpriced                   those whose model has no price
  observatory calls --counted false              what was recognised as no call of its own, and why
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """A line a call."""
    command = commands.add_parser(
        "calls",
        help="list calls of models",
        description="List calls of models, with tokens and cost.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--counted", choices=("true", "false", "all"), default="true", help="those that count, or not (default: %(default)s)"
    )
    command.add_argument("--unpriced", action="store_true", help="only those without a price")
    add_order(command, "start, cost, duration, tokens", "start")
    add_window(command, None)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the answer on stdout; 1 when the appliance refuses the question; 2 when there is no appliance."""
    asked = path(
        "/api/v1/llm/calls",
        **window(args, time.time_ns()),
        filter=args.filter,
        counted=args.counted,
        unpriced="true" if args.unpriced else None,
        sort=order(args),
        limit=args.limit,
    )
    answer = ask(args, asked)
    if answer is None:
        return 1
    if args.json:
        print_json(answer)
        return 0
    from observatory.cli import table

    heads = ["start", "model", "service", "user", "took", "input", "output", "cost", "finish", "why", "trace_id"]
    rows = [_row(item) for item in answer["items"]]
    print(table.render(heads, rows, screen()) if rows else "no calls in this window")
    if answer["next_cursor"]:
        print(f"observatory: there are more than {len(rows)} (--limit)", file=sys.stderr)
    return 0


def _row(item: dict[str, Any]) -> list[Any]:
    why = item["not_counted_reason"] or item["error_type"] or item["unpriced_reason"] or ""
    return [
        item["start"][:19].replace("T", " "),
        item["model_name"] or "",
        item["service_name"] or "",
        item["user_id"] or "",
        milliseconds(item["duration_ms"]),
        whole(item["input_tokens"]),
        whole(item["output_tokens"]),
        dollars(item["total_cost_usd"]),
        item["finish_reason"] or "",
        why,
        item["trace_id"],
    ]
