"""`observatory cost`: what calls cost, by model or whatever else."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from observatory.cli.asking import add_window, ask, dollars, milliseconds, path, print_json, screen, whole, window

EPILOG = """\
  observatory cost                                   by model, of the last 24 hours
  observatory cost --from 7d --by user,model
  observatory cost --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z --by day --tz Europe/Berlin
  observatory cost --forecast                        of this month

A cost is never guessed: calls of models without a price are counted as unpriced, and `—` stands where no dollar is known.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """A table of groups, dearest first, and their total."""
    command = commands.add_parser(
        "cost",
        help="what calls of models cost",
        description="What calls of models cost, by model, user or whatever else.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    by = "provider, model, operation, service, application, environment, user, session, tag, error_type, finish_reason, and minute to month"
    command.add_argument("--by", default="model", metavar="NAMES", help=f"what to group by, parted by commas: {by} (default: %(default)s)")
    command.add_argument("--tz", metavar="ZONE", help="the time zone of days, such as Europe/Berlin (default: UTC)")
    command.add_argument("--limit", type=int, default=100, metavar="N", help="most groups (default: %(default)s)")
    command.add_argument("--forecast", action="store_true", help="what this month will have cost")
    add_window(command, "24h")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the answer on stdout; 1 when the appliance refuses the question; 2 when there is no appliance."""
    if args.forecast:
        return _forecast(args)
    asked = path("/api/v1/llm/summary", **window(args, time.time_ns()), group_by=args.by, tz=args.tz, filter=args.filter, limit=args.limit)
    answer = ask(args, asked)
    if answer is None:
        return 1
    if args.json:
        print_json(answer)
        return 0
    from observatory.cli import table

    names = [("time" if name not in _names(answer) else name) for name in answer["group_by"]]
    rows = [[_said(item["group"].get(name)) for name in names] + _figures(item) for item in answer["items"]]
    if rows:
        rows.append(["total", *[""] * (len(names) - 1), *_figures(answer["totals"])])
        right = range(len(names), len(names) + len(_HEADS))
        print(table.render([*names, *_HEADS], _aligned(rows, right), screen()))
    else:
        print("no calls in this window")
    if answer["groups"] > args.limit:
        print(f"observatory: {answer['groups'] - args.limit:,} more groups; the total has them (--limit)", file=sys.stderr)
    for note in answer["notes"]:
        print(f"note: {note}", file=sys.stderr)
    return 0


_HEADS = ["calls", "errors", "input", "cached", "output", "cost", "p50", "p95"]


def _names(answer: dict[str, Any]) -> set[str]:
    return {name for item in answer["items"] for name in item["group"]}


def _figures(item: dict[str, Any]) -> list[str]:
    return [
        whole(item["calls"]),
        whole(item["errors"]),
        whole(item["input_tokens"]),
        whole(item["cache_read_tokens"]),
        whole(item["output_tokens"]),
        dollars(item["total_cost_usd"], item["unpriced_calls"]),
        milliseconds(item["latency_ms"]["p50"]),
        milliseconds(item["latency_ms"]["p95"]),
    ]


def _aligned(rows: list[list[str]], right: range) -> list[list[str]]:
    """Figures that are text already, to the right all the same."""
    widths = {i: max(len(row[i]) for row in rows) for i in right}
    return [[cell.rjust(widths[i]) if i in widths else cell for i, cell in enumerate(row)] for row in rows]


def _said(value: str | None) -> str:
    return "(none)" if value is None else value


def _forecast(args: argparse.Namespace) -> int:
    answer = ask(args, path("/api/v1/llm/forecast", tz=args.tz))
    if answer is None:
        return 1
    if args.json:
        print_json(answer)
        return 0
    print(f"{answer['month']} so far: {dollars(answer['spent_usd'], answer['unpriced_calls'])} for {whole(answer['calls'])} calls")
    found = answer["forecast"]
    if found is None:
        print(f"no forecast: {answer['reason']}")
    else:
        low, high = dollars(found["low_usd"]), dollars(found["high_usd"])
        print(f"whole month: {dollars(found['total_usd'])}, in {found['interval']:.0%} of futures {low} to {high}")
    if answer["trend"] and answer["trend"]["change"] is not None:
        print(f"last 7 days: {dollars(answer['trend']['last_7_days_usd'])}, {answer['trend']['change']:+.0%} on the 7 days before")
    print(f"method: {answer['method']} ({answer['history_days']} days of history)", file=sys.stderr)
    return 0
