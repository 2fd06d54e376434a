"""`observatory query "SQL"`: ask the running appliance."""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
from typing import Any

from observatory.cli.serve import DEFAULT_URL

EPILOG = """\
views: spans, logs, metric_points, traces, feedback (docs/SQL.md has their columns)

  observatory query "SELECT request_model, count(*), sum(output_tokens) FROM spans GROUP BY ALL ORDER BY 2 DESC"
  observatory query "SELECT * FROM traces ORDER BY start_ns DESC LIMIT 5" --json
  observatory query - < report.sql
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The statement is one argument, or `-` for standard input."""
    command = commands.add_parser(
        "query",
        help="ask the running appliance in SQL",
        description="Ask the running appliance in SQL, read-only.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("sql", metavar="SQL", help="one SELECT statement; `-` reads it from standard input")
    command.add_argument("--url", default=os.environ.get("OBSERVATORY_URL", DEFAULT_URL), help="the appliance (default: %(default)s)")
    shape = command.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="a JSON array with one object a row")
    shape.add_argument("--csv", action="store_true", help="CSV with a header line")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the answer on stdout; 1 when the appliance refuses the question; 2 when there is no appliance."""
    from observatory.cli import client, table

    sql = sys.stdin.read() if args.sql == "-" else args.sql
    try:
        answer = client.post(args.url, "/api/v1/sql", {"query": sql})
    except client.Refused as error:
        print(f"observatory: {error}", file=sys.stderr)
        return 1
    names = [column["name"] for column in answer["columns"]]
    rows: list[list[Any]] = answer["rows"]
    if args.json:
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False, indent=None if len(rows) > 1000 else 2))
    elif args.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(value) for value in row] for row in rows)
    else:
        width = shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else None
        print(table.render(names, rows, width))
        print(_summary(answer), file=sys.stderr)
    if answer.get("truncated"):
        print(f"observatory: only the first {len(rows)} rows: the answer has more; add a LIMIT or ask for less", file=sys.stderr)
    return 0


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _summary(answer: dict[str, Any]) -> str:
    count = len(answer["rows"])
    return f"{count} row{'' if count == 1 else 's'}" + (f" in {answer['elapsed_ms']:.0f} ms" if "elapsed_ms" in answer else "")
