"""`observatory doctor`: what is wrong with this installation and its data, and what to do about it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from observatory.cli.serve import add_server_flags, settings_of

if TYPE_CHECKING:
    from pathlib import Path


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
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print every finding; 1 when one is not ok."""
    from observatory.cli.examine import Finding, examine
    from observatory.errors import BadConfig
    from observatory.settings import Settings

    findings: list[Finding] = []
    try:
        settings = settings_of(args)
    except BadConfig as error:
        findings += [
            Finding(False, f"configuration: {mistake}", "mend it; `observatory config default` explains every key")
            for mistake in error.mistakes
        ]
        args.config = None
        settings = Settings.model_validate({"server": {"data": args.data}} if args.data else {})
    else:
        findings.append(Finding(True, "configuration: no mistakes"))
    if args.rebuild_manifest:
        return _rebuild(settings.server.data)
    for finding in findings:
        _say(finding, args.json)
    for finding in examine(settings):
        findings.append(finding)
        _say(finding, args.json)
    wrong = sum(not finding.ok for finding in findings)
    if args.json:
        print(json.dumps([{"ok": f.ok, "what": f.what, "do": f.do} for f in findings], ensure_ascii=False, indent=2))
    else:
        print(f"\n{len(findings)} checks, {wrong} wrong" if wrong else f"\n{len(findings)} checks, nothing is wrong")
    return 1 if wrong else 0


def _say(finding: object, quiet: bool) -> None:
    from observatory.storage.check import Finding

    if quiet or not isinstance(finding, Finding):
        return
    print(f"  {'ok   ' if finding.ok else 'WRONG'}  {finding.what}", flush=True)
    if finding.do:
        print(f"           → {finding.do}", flush=True)


def _rebuild(data: Path) -> int:
    from observatory.storage.rebuild import rebuild

    print(rebuild(data))
    return 0
