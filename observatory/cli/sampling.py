"""`observatory sampling`: take over a Collector's tail sampling, and see what another configuration would have kept."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

IMPORT = """\
Read the `tail_sampling` processor of an OpenTelemetry Collector's configuration and print it as our TOML. Comments say what is another way
here. What cannot be said so that the same traces are kept is refused by name, and then nothing is printed."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Each is a command of its own: `sampling import`."""
    command = commands.add_parser("sampling", help="take over a Collector's tail sampling", description="Which traces are kept.")
    actions = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    imported = actions.add_parser("import", help="a Collector's tail_sampling as our TOML", description=IMPORT)
    imported.add_argument("file", metavar="FILE", help="the Collector's configuration, YAML; `-` reads standard input")
    imported.add_argument("--processor", metavar="NAME", help="which, when there are several: tail_sampling/NAME")
    imported.set_defaults(run=run_import)


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
