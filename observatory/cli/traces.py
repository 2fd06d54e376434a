"""`observatory traces`: the list of traces, and one as a tree with tokens and cost."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from typing import Any

from observatory.cli.asking import add_order, add_window, ask, dollars, milliseconds, order, path, print_json, screen, whole, window

EPILOG = """\
  observatory traces                                    the latest
  observatory traces --status error --from 1h
  observatory traces --filter 'cost>0.10 user:u42'
  observatory traces f5b165224a58b791df6af1d83e61cdc4   one, as a tree
"""
DEEPEST = 40  # levels that are indented; what is deeper stands below them


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Without an id the list, with one its tree."""
    command = commands.add_parser(
        "traces",
        help="list traces, or show one as a tree",
        description="List traces, or show one as a tree with tokens and cost.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("trace_id", nargs="?", metavar="TRACE_ID", help="show this one")
    command.add_argument("--service", help="only those with a span of this service")
    command.add_argument("--status", choices=("ok", "error"), help="only those in which nothing, or something, failed")
    add_order(command, "start, duration, span_count, error_count", "start")
    add_window(command, None)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the answer on stdout; 1 when the appliance refuses the question; 2 when there is no appliance."""
    return _tree(args) if args.trace_id else _list(args)


def _list(args: argparse.Namespace) -> int:
    asked = path(
        "/api/v1/traces",
        **window(args, time.time_ns()),
        filter=args.filter,
        service=args.service,
        status=args.status,
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

    heads = ["trace_id", "start", "root", "service", "took", "spans", "errors", "calls", "tokens", "cost"]
    rows = [_row(item) for item in answer["items"]]
    print(table.render(heads, rows, screen()) if rows else "no traces in this window")
    if answer["next_cursor"]:
        print(f"observatory: there are more than {len(rows)} (--limit)", file=sys.stderr)
    return 0


def _row(item: dict[str, Any]) -> list[Any]:
    calls = item.get("llm_calls")
    tokens = None if calls is None else int(item.get("input_tokens") or 0) + int(item.get("output_tokens") or 0)
    return [
        item["trace_id"],
        item["start"][:19].replace("T", " "),
        item["root_name"],
        item["service_name"] or "",
        milliseconds(item["duration_ms"]),
        item["span_count"],
        item["error_count"],
        calls or 0,
        tokens or 0,
        _cost(item) if calls else "",
    ]


def _tree(args: argparse.Namespace) -> int:
    answer = ask(args, f"{path('/api/v1/traces/' + _quoted(args.trace_id))}?view=tree")
    if answer is None:
        return 1
    if args.json:
        print_json(answer)
        return 0
    from observatory.cli import table

    print(f"{answer['root_name']}  {answer['start'][:19].replace('T', ' ')}  {milliseconds(answer['duration_ms'])}")
    facts = [f"{whole(answer['span_count'])} spans", f"{whole(answer['error_count'])} errors"]
    if answer.get("llm_calls"):
        tokens = f"{whole(answer['input_tokens'])} → {whole(answer['output_tokens'])} tokens"
        facts += [f"{whole(answer['llm_calls'])} calls", tokens, _cost(answer), ", ".join(answer["models"])]
    facts += [f"{what} {answer[key]}" for what, key in (("session", "session_id"), ("user", "user_id")) if answer.get(key)]
    print(table.text("  ".join(facts)) + "\n")
    rows = [_line(depth, span) for depth, span in _walked(answer["spans"])]
    print(table.render(["span", "took", "call", "tokens", "cost", "subtree"], rows, screen()))
    return 0


def _line(depth: int, span: dict[str, Any]) -> list[Any]:
    call, below = span.get("call"), span.get("subtree")
    failed = " ✗" if span["status"]["code"] == "error" else ""
    said, tokens, cost = "", "", ""
    if call is not None:
        said = call.get("model_name") or "unknown model"
        if not call["counted"]:
            said += f" (not counted: {call.get('not_counted_reason', 'unknown')})"
        tokens = f"{whole(call.get('input_tokens'))} → {whole(call.get('output_tokens'))}"
        cost = dollars(call["total_cost_usd"], int(call.get("unpriced_reason") is not None)) if call["counted"] else ""
    total = "" if below is None or not below["llm_calls"] else f"{whole(below['llm_calls'])} calls, {_cost(below)}"
    took = milliseconds(int(span["duration_ns"]) / 1e6)
    return ["  " * min(depth, DEEPEST) + span["name"] + failed, took, said, tokens, cost, total]


def _cost(item: dict[str, Any]) -> str:
    return dollars(item["total_cost_usd"], item["unpriced_calls"])


def _walked(spans: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every span once, below its parent, in the order received; what has no parent here, or is its own ancestor, stands at the top."""
    known = {span["span_id"] for span in spans}
    below: dict[str | None, list[dict[str, Any]]] = {}
    for span in spans:
        parent = span["parent_span_id"] if span["parent_span_id"] in known else None
        below.setdefault(parent, []).append(span)
    told: set[str] = set()
    for top in [*below.get(None, []), *spans]:
        waiting = [(0, top)]
        while waiting:
            depth, span = waiting.pop()
            if span["span_id"] in told:
                continue
            told.add(span["span_id"])
            yield depth, span
            waiting += [(depth + 1, child) for child in reversed(below.get(span["span_id"], []))]


def _quoted(trace_id: str) -> str:
    from urllib.parse import quote

    return quote(trace_id, safe="")
