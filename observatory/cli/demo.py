"""`observatory demo`: an appliance of its own with living traffic, in seconds."""

from __future__ import annotations

import argparse
import contextlib
import socket
from typing import TYPE_CHECKING

from observatory.cli.serve import add_server_flags, prepare, settings_and_origins, start

if TYPE_CHECKING:
    from observatory.model.address import Address
    from observatory.settings import Settings

HISTORY_S = 3600.0


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The flags of `serve`, and how much traffic there is."""
    said = (
        "Start an appliance on a data directory of its own, and six small LLM applications that send it traces, logs and metrics "
        "through the real OpenTelemetry exporters: an hour of history at once, then new ones as they happen. Nothing leaves this machine."
    )
    command = commands.add_parser("demo", help="see a living one: an appliance with believable traffic", description=said)
    add_server_flags(command)
    command.add_argument("--rate", type=_above_zero, default=1.0, metavar="N", help="new traces a second, on average (default: 1)")
    command.add_argument(
        "--history", type=int, default=300, metavar="N", help="traces of the last hour that are there at once (default: 300)"
    )
    command.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed plays the same stories (default: 1)")
    command.add_argument("--to", metavar="URL", help="start no appliance: send the traffic to this OTLP/HTTP address")
    command.add_argument("--print-ready", action="store_true", help="as `serve --print-ready`")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve and generate until a signal; 0 when everything was closed in order."""
    import asyncio

    if args.to:
        print(f"Sending {args.history} traces of the last hour to {args.to}, then new ones; Ctrl-C stops it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_generate(args, args.to))
        return 0
    prepare()
    from observatory.settings import default_data_dir

    args.data = args.data or str(default_data_dir().with_name("observatory-demo"))
    settings, origins = settings_and_origins(args)
    start(
        _on_free_ports(args, settings),
        origins,
        args.print_ready,
        beside=lambda app: _generate(args, f"http://{app.addresses['otlp_http']}"),
    )


async def _generate(args: argparse.Namespace, url: str) -> None:
    from observatory.cli.traffic.generator import Generator

    generator = Generator(url, args.seed)
    try:
        await generator.history(args.history, HISTORY_S)
        await generator.live(args.rate)
    finally:
        await generator.close()


def _on_free_ports(args: argparse.Namespace, settings: Settings) -> Settings:
    """A standard port that is taken, perhaps by the real appliance, becomes any free one, unless the user asked for it."""
    taken = {
        name: f"{address.host}:0"
        for name in ("listen", "otlp_grpc", "otlp_http")
        if getattr(args, name) is None and _taken(address := getattr(settings.server, name))
    }
    if not taken:
        return settings
    return settings.model_copy(update={"server": settings.server.model_validate({**settings.server.model_dump(), **taken})})


def _taken(address: Address) -> bool:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError:
            return True
    return False


def _above_zero(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) <= 1000:
            return float(text)
    raise argparse.ArgumentTypeError(f"expected a number above 0 and at most 1000, got {text}")
