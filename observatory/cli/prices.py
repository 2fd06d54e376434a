"""`observatory prices`: what models cost, and a newer table of prices."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from observatory.cli.asking import add_window, window
from observatory.cli.serve import settings_of

if TYPE_CHECKING:
    from observatory.semconv.pricing.catalogue import Listed

RECOMPUTE_PATH = "/api/v1/prices/recompute"
UPDATE = """\
Take a newer price table: the data.json that genai-prices publishes (https://github.com/pydantic/genai-prices), fetched by any means, or a
table that was compiled already. It is checked and written into the data directory; a running appliance takes it within ten seconds.
Calls that are stored keep their costs; `observatory prices recompute` prices them anew."""

RECOMPUTE = """\
Price stored calls anew, by the table and the overrides that are in force now, at the time of each call. The running appliance does it
ten minutes of calls at a time; what changes is a revision of the call, and every sum follows. Interrupted, it goes on after a restart."""

LIST = """\
What calls of models cost now: overrides of the configuration first, then the table. MODEL is a name as applications report it; when no
such model is known, all models whose names contain it are listed. Prices are dollars for a million tokens."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Each is a command of its own: `prices list`, `prices update`."""
    command = commands.add_parser("prices", help="what models cost; take a newer price table", description="What models cost.")
    actions = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    update = actions.add_parser("update", help="take a newer price table from a file", description=UPDATE)
    update.add_argument("file", metavar="FILE", help="data.json of genai-prices, or a compiled table; `-` reads standard input")
    update.set_defaults(run=run_update)
    listing = actions.add_parser("list", help="what models cost now, and by which source", description=LIST)
    listing.add_argument("model", metavar="MODEL", nargs="?", help="a model's name, or a part of it")
    listing.add_argument("--provider", metavar="NAME", help="of this provider only")
    listing.set_defaults(run=run_list)
    recompute = actions.add_parser("recompute", help="price stored calls anew", description=RECOMPUTE)
    add_window(recompute, "30d", filtered=False)
    recompute.set_defaults(run=run_recompute)
    for action in (update, listing):
        action.add_argument("--config", metavar="FILE", type=Path, help="configuration, TOML (default: $OBSERVATORY_CONFIG, else none)")
        action.add_argument("--data", metavar="DIR", help="data directory (default: as `observatory serve`)")
        action.add_argument("--json", action="store_true", help="JSON instead of text")


def run_update(args: argparse.Namespace) -> int:
    """0 when the table is in place; 2 when it cannot be used, and then nothing has changed."""
    from observatory.errors import CannotStart
    from observatory.semconv.pricing.source import FILE_NAME
    from observatory.semconv.pricing.table import parsed
    from observatory.semconv.pricing.upstream import of_file
    from observatory.storage.files import DISK, write_file

    settings = settings_of(args)
    try:
        text = of_file(sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes())
        table = parsed(text)
    except OSError as error:
        raise CannotStart(f"cannot read {args.file}: {error.strerror}") from None
    except ValueError as error:
        raise CannotStart(f"{args.file} is no price table: {error}; the prices in force have not changed") from None
    target = settings.server.data / FILE_NAME
    try:
        write_file(DISK, target, text.encode())
    except OSError as error:
        raise CannotStart(f"cannot write {target}: {error.strerror}") from None
    models = sum(len(provider.models) for provider in table.providers)
    if args.json:
        facts = {"file": str(target), "source": table.source, "providers": len(table.providers), "models": models}
        print(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        print(f"{target}: {models:,} models of {len(table.providers)} providers, from {table.source}")
    if settings.prices.file:
        print(f"observatory: prices.file names {settings.prices.file}, so that file stays in force", file=sys.stderr)
    return 0


def run_recompute(args: argparse.Namespace) -> int:
    """0 when every call of the window is priced anew; 1 when the appliance refuses."""
    from observatory.cli import client

    asked = window(args, time.time_ns())
    try:
        said = client.post(args.url, RECOMPUTE_PATH, {"from": asked["from"], "to": asked.get("to", str(time.time_ns()))})
        while said["state"] == "running":
            time.sleep(0.2)
            said = client.get(args.url, RECOMPUTE_PATH)
    except client.Refused as error:
        print(f"observatory: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(said, ensure_ascii=False, indent=2))
    else:
        cost = f"${said['cost_before_usd']} before, ${said['cost_after_usd']} now"
        print(f"{said['calls']:,} calls, {said['changed']:,} of them at another price: {cost}")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """0 with the models on stdout; 1 when there is none of that name."""
    from observatory.cli import table
    from observatory.semconv.pricing.catalogue import listed
    from observatory.semconv.pricing.source import PriceSource

    settings = settings_of(args)
    source = PriceSource(settings.prices, settings.server.data)
    prices = source.current(0)
    if source.trouble:
        print(f"observatory: {source.trouble}", file=sys.stderr)
    rows = listed(prices, time.time_ns(), args.model, args.provider)
    if args.json:
        print(json.dumps([_facts(row) for row in rows], ensure_ascii=False, indent=2))
    elif rows:
        width = shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else None
        units = [unit for unit in _COLUMNS if any(unit in row.prices for row in rows)]
        heads = ["provider", "model", *units, "note", "source"]
        print(table.render(heads, [_cells(row, units) for row in rows], width))
    if not rows:
        print("observatory: no such model is known; its calls are listed as unpriced. [[prices.override]] can price them", file=sys.stderr)
    return 0 if rows else 1


_COLUMNS = (
    *("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "input_audio", "cache_audio_read", "output_audio"),
    *("per_request", "per_second"),
)


def _facts(row: Listed) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "model": row.model,
        "source": row.source,
        "free": row.free,
        **{unit: str(price) for unit, price in row.prices.items()},
        "tiers": [{"above_input_tokens": above, **{unit: str(usd) for unit, usd in prices.items()}} for above, prices in row.tiers],
        "service_tiers": list(row.service_tiers),
        "not_counted": list(row.not_counted),
    }


def _cells(row: Listed, units: list[str]) -> list[str | float | None]:
    notes = ["free"] if row.free else []
    notes += [f"above {above:,}: {', '.join(f'{unit} {_money(usd)}' for unit, usd in prices.items())}" for above, prices in row.tiers]
    notes += [f"also {', '.join(row.service_tiers)}"] if row.service_tiers else []
    notes += [f"not counted: {', '.join(row.not_counted)}"] if row.not_counted else []
    return [row.provider, row.model, *(_money(row.prices.get(unit)) for unit in units), "; ".join(notes), row.source]


def _money(usd: Decimal | None) -> str:
    return "" if usd is None else f"{usd.normalize():f}"
