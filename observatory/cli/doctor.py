"""`observatory doctor`: what is wrong with this installation and its data, and what to do about it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from observatory.cli.serve import add_server_flags, settings_of

if TYPE_CHECKING:
    from observatory.settings import Settings
    from observatory.storage.check import Finding


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The flags of `serve` say what is examined."""
    said = (
        "Check configuration, decoder, ports, disk, journal, manifest and every segment's checksum. Reads only, and works while the "
        "appliance runs. The exit code is 0 when nothing is wrong, else 1."
    )
    command = commands.add_parser("doctor", help="check everything; say what is wrong and what to do", description=said)
    add_server_flags(command)
    command.add_argument("--json", action="store_true", help="a JSON array of {ok, what, do}")
    rebuild = "make the manifest again from what lies beside the segments; the appliance must not run"
    command.add_argument("--rebuild-manifest", action="store_true", help=rebuild)
    bundle = "also write what was found, with configuration and figures but nothing of what was stored, into a zip archive for support"
    command.add_argument("--bundle", metavar="FILE", type=Path, nargs="?", const=Path("observatory-support.zip"), help=bundle)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print every finding as it is made; 1 when one is not ok."""
    from observatory.cli.examine import examine
    from observatory.storage.check import Finding

    if args.rebuild_manifest:
        from observatory.storage.rebuild import rebuild

        print(rebuild(settings_of(args).server.data))
        return 0
    settings, mistakes = _settings(args)
    explain = "mend it; `observatory config default` explains every key"
    first = [Finding(False, f"configuration: {mistake}", explain) for mistake in mistakes] or [Finding(True, "configuration: no mistakes")]
    findings: list[Finding] = []
    for finding in chain(first, examine(settings)):
        findings.append(finding)
        if not args.json:
            _say(finding)
    if args.bundle:
        from observatory.cli import support

        support.write(args.bundle, settings, findings)
    wrong = sum(not finding.ok for finding in findings)
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        print(f"\n{len(findings)} checks, {wrong or 'nothing is'} wrong")
        if args.bundle:
            print(f"{args.bundle} is written; it is text, read it before you give it away")
    return 1 if wrong else 0


def _settings(args: argparse.Namespace) -> tuple[Settings, Sequence[str]]:
    """With mistakes in the configuration the rest is examined by the defaults, and by `--data` when it is given."""
    from observatory.errors import BadConfig
    from observatory.settings import Settings

    try:
        return settings_of(args), ()
    except BadConfig as error:
        return Settings.model_validate({"server": {"data": args.data or ""}}), error.mistakes


def _say(finding: Finding) -> None:
    print(f"  {'ok   ' if finding.ok else 'WRONG'}  {finding.what}", flush=True)
    if finding.do:
        print(f"           → {finding.do}", flush=True)
