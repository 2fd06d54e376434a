"""`observatory serve`: the appliance, until it is told to stop."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from observatory.cli.running import Beside
    from observatory.configured import Origins
    from observatory.settings import Settings

DEFAULT_URL = "http://127.0.0.1:4319"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's own flags; each overrides its key in the configuration."""
    said = "Start the appliance; SIGTERM or Ctrl-C stops it cleanly. This is what `observatory` without a command does."
    command = commands.add_parser("serve", help="start the appliance", description=said)
    add_server_flags(command)
    command.add_argument("--print-ready", action="store_true", help="print one JSON line with the addresses when ready, for programs")
    command.set_defaults(run=run)


def add_server_flags(command: argparse.ArgumentParser) -> None:
    """The flags of every command that starts or inspects an appliance."""
    command.add_argument("--config", metavar="FILE", type=Path, help="configuration, TOML (default: $OBSERVATORY_CONFIG, else none)")
    command.add_argument("--data", metavar="DIR", help="data directory (default: $XDG_DATA_HOME/observatory or ~/.local/share/observatory)")
    command.add_argument("--listen", metavar="HOST:PORT", help="page and API (default: 127.0.0.1:4319; port 0: any free one)")
    command.add_argument("--otlp-grpc", metavar="HOST:PORT", help="OTLP over gRPC (default: 127.0.0.1:4317)")
    command.add_argument("--otlp-http", metavar="HOST:PORT", help="OTLP over HTTP (default: 127.0.0.1:4318)")
    insecure = "allow addresses that other machines can reach, although nobody is asked who they are"
    command.add_argument("--insecure", action="store_true", default=None, help=insecure)


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings that the flags of `add_server_flags`, the environment and the file make together. Raises CannotStart, BadConfig."""
    return settings_and_origins(args)[0]


def settings_and_origins(args: argparse.Namespace) -> tuple[Settings, Origins]:
    """The same, and what set each key."""
    from observatory.cli.sources import load_with_origins

    return load_with_origins(config_path(args), os.environ, server_flags(args))


def server_flags(args: argparse.Namespace) -> dict[str, str | bool | None]:
    """The flags of `add_server_flags` by the keys they override; None: not given."""
    return {f"server.{key}": getattr(args, key, None) for key in ("data", "listen", "otlp_grpc", "otlp_http", "insecure")}


def config_path(args: argparse.Namespace) -> Path | None:
    """`--config`, else `$OBSERVATORY_CONFIG`, else none: a file that happens to lie in the current directory changes nothing."""
    named = os.environ.get("OBSERVATORY_CONFIG")
    return args.config or (Path(named) if named else None)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal; 0 when everything was closed in order."""
    prepare()
    start(*settings_and_origins(args), args.print_ready)


def prepare() -> None:
    """What libraries read when they are imported, and so before settings are.

    gRPC writes failures of its own on stderr beside our one sentence. Arrow's memory comes from jemalloc, which its Linux wheels have: what
    one thread makes another frees here, and mimalloc keeps such pages. Choosing Python's pool later leaves what C++ allocates by itself
    where it was. One arena instead of four a core, because each keeps pages of its own. With a million spans open at 33,000 spans/s the
    peak of anonymous memory is 388 MB instead of 470.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    if sys.platform == "linux":
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
        os.environ.setdefault("JE_ARROW_MALLOC_CONF", "narenas:1")


def start(settings: Settings, origins: Origins, print_ready: bool, beside: Beside | None = None) -> NoReturn:
    """Become the appliance: serve until a signal, then end the process. `beside` runs as long. Raises CannotStart. `prepare` was called."""
    from observatory.cli import logs, running

    logs.configure(settings.log)
    running.run(settings, origins, print_ready, beside)
