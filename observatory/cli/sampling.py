"""`observatory sampling`: take over a Collector's tail sampling, and see what another configuration would have kept."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from observatory.cli.serve import DEFAULT_URL

if TYPE_CHECKING:
    from observatory.pipeline.sampling.replay import Replay, Total

IMPORT = """\
Read the `tail_sampling` processor of an OpenTelemetry Collector's configuration and print it as our TOML. Comments say what is another way
here. What cannot be said so that the same traces are kept is refused by name, and then nothing is printed."""

REPLAY = """\
What another configuration would have kept of the traces that are stored now, for each of its policies, and how well the kept ones would
tell of all: estimates with their standard errors. Traces that were thinned already count for as many as they stand for. Nothing changes."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Each is a command of its own: `sampling import`, `sampling replay`."""
    command = commands.add_parser("sampling", help="try or take over a configuration of sampling", description="Which traces are kept.")
    actions = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    imported = actions.add_parser("import", help="a Collector's tail_sampling as our TOML", description=IMPORT)
    imported.add_argument("file", metavar="FILE", help="the Collector's configuration, YAML; `-` reads standard input")
    imported.add_argument("--processor", metavar="NAME", help="which, when there are several: tail_sampling/NAME")
    imported.set_defaults(run=run_import)
    replayed = actions.add_parser("replay", help="what another configuration would have kept", description=REPLAY)
    replayed.add_argument("--last", metavar="TIME", type=_nanoseconds, default="24h", help="traces that began so long ago (default: 24h)")
    replayed.add_argument("--config", metavar="FILE", type=Path, required=True, help="the configuration to try; its section [sampling]")
    replayed.add_argument("--url", default=os.environ.get("OBSERVATORY_URL", DEFAULT_URL), help="the appliance (default: %(default)s)")
    replayed.add_argument("--json", action="store_true", help="JSON instead of text")
    replayed.set_defaults(run=run_replay)


def run_replay(args: argparse.Namespace) -> int:
    """0 with the figures on stdout; 1 when the appliance refuses to tell."""
    import time

    from observatory.cli import client
    from observatory.cli.replaying import gathered
    from observatory.cli.sources import load
    from observatory.pipeline.sampling.build import policies
    from observatory.pipeline.sampling.replay import replay

    made = policies(load(args.config, {}).sampling)
    until = time.time_ns()
    try:
        found = gathered(args.url, until - args.last, until, made, _progress)
    except client.Refused as error:
        print(f"observatory: {error}", file=sys.stderr)
        return 1
    said = replay(found.table(), made, found.counts())
    if args.json:
        _print_json(said)
    else:
        _print_text(said, {policy.name for policy in made if policy.vetoes})
    return 0


def run_import(args: argparse.Namespace) -> int:
    """0 with the TOML on stdout; 2 when something cannot be translated, and then every reason is told."""
    from observatory.errors import BadConfig
    from observatory.pipeline.sampling.collector import translate

    done = translate(_block(args.file, args.processor))
    if not done.refused:
        done.refused += _mistakes(done.sampling)
    if done.refused:
        raise BadConfig(args.file, done.refused)
    print(_toml(done.sampling, done.notes), end="")
    return 0


def _block(file: str, processor: str | None) -> Mapping[str, Any]:
    """What stands under `tail_sampling:`, of a whole configuration or of a file that is only the processor's."""
    import yaml

    from observatory.errors import BadConfig, CannotStart

    try:
        config = yaml.safe_load(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfig(file, [f"this is not YAML: {' '.join(str(error).split())}"]) from None
    except OSError as error:
        raise CannotStart(f"cannot read {file}: {error.strerror}") from None
    if not isinstance(config, Mapping):
        raise BadConfig(file, ["expected a table with processors"])
    processors = config.get("processors", config)
    named = {str(name): block for name, block in processors.items() if str(name).partition("/")[0] == "tail_sampling"}
    if not named and "policies" in config:
        return config
    wanted = [name for name in named if processor is None or name in (processor, f"tail_sampling/{processor}")]
    if len(wanted) != 1:
        there = f"there are {', '.join(named)}; choose one with --processor" if named else "there is no tail_sampling processor"
        raise BadConfig(file, [there])
    block = named[wanted[0]]
    if not isinstance(block, Mapping):
        raise BadConfig(file, [f"{wanted[0]}: expected a table"])
    return block


def _mistakes(sampling: Mapping[str, Any]) -> list[str]:
    """What our own rules say of the result, such as a regular expression that RE2 does not know."""
    import json

    from pydantic import ValidationError

    from observatory.cli.mistakes import mistakes
    from observatory.settings import Settings

    values = {"sampling": sampling}
    try:
        Settings.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        return mistakes(error, Settings.model_json_schema(), values, {})
    return []


def _toml(sampling: Mapping[str, Any], notes: Sequence[str]) -> str:
    from observatory.cli.manual import toml

    lines = [f"# {note}" for note in notes] + ["[sampling]"]
    lines += [f"{key} = {toml(value)}" for key, value in sampling.items() if key != "policies"]
    for policy in sampling["policies"]:
        ordered = {"name": policy["name"], **policy}
        lines += ["", "[[sampling.policies]]", *(f"{key} = {toml(value)}" for key, value in ordered.items())]
    return "\n".join(lines) + "\n"


def _nanoseconds(text: str) -> int:
    ago = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text)
    if ago is None:
        raise argparse.ArgumentTypeError(f"expected how long, such as 90m, 24h or 7d, got {text!r}")
    return round(float(ago[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}[ago[2]] * 1_000_000_000)


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{what} read", end="", file=sys.stderr, flush=True)


def _print_text(said: Replay, vetoes: set[str]) -> None:
    from observatory.cli import table

    if sys.stderr.isatty():
        print(file=sys.stderr)
    whole = said.everything
    rows = [_row(f"{name} (drops)" if name in vetoes else name, total, whole) for name, total in said.by_policy.items()]
    rows += [_row("kept", said.kept, whole), _row("of", whole, whole)]
    print(table.render(["policy", "traces", "spans", "MB", "% of bytes"], rows, None))
    print("\nWhat the kept traces would say of all:")
    estimates = [
        [name, f"{each.estimate:,.6g}", f"± {100 * each.standard_error / each.truth:.1f} %" if each.truth else "", f"{each.truth:,.6g}"]
        for name, each in said.estimates.items()
    ]
    print(table.render(["", "estimate", "standard error", "truth"], estimates, None))
    if said.unknown:
        print(f"{said.unknown:,} kept traces have no adjusted count (a salt, or the opposite of chance): estimates leave them out.")


def _row(name: str, total: Total, whole: Total) -> list[str | float | None]:
    share = 100 * total.bytes / whole.bytes if whole.bytes else 0.0
    return [name, f"{total.traces:,.0f}", f"{total.spans:,.0f}", f"{total.bytes / 1e6:,.1f}", f"{share:.1f}"]


def _print_json(said: Replay) -> None:
    import json
    from dataclasses import asdict

    print(json.dumps(asdict(said), ensure_ascii=False, indent=2))
