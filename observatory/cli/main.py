"""The `observatory` command. One file a command; what a command needs is imported when it runs, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from observatory.cli import calls, config, cost, demo, doctor, feedback, prices, query, run, sampling, serve, service, traces, verify
from observatory.errors import BadConfig, CannotStart
from observatory.model import program

COMMANDS = (serve, run, demo, query, cost, traces, calls, feedback, prices, sampling, doctor, config, service, verify)


EPILOG = """\
first steps:
  observatory                              serve: page on http://127.0.0.1:4319, OTLP on 4317 (gRPC) and 4318 (HTTP)
  observatory demo                         the same with believable traffic, on data of its own
  observatory traces                       what arrived
  observatory cost --from 7d --by model    what it cost
  observatory query "SELECT name, duration_ms FROM spans LIMIT 5"

when something is wrong:
  observatory doctor                       checks everything and says what to do
  observatory config show                  every key in force, and who said so

Every command explains itself: observatory COMMAND --help. The documentation is at http://127.0.0.1:4319/docs/ while it serves.
"""


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from importlib.metadata import version

        print("observatory", version("llm-observatory"))
        parser.exit()


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, and where to read on."""

    def parse_known_args(self, *given: Any, **named: Any) -> tuple[Any, list[str]]:
        found, unknown = super().parse_known_args(*given, **named)
        if unknown:  # said here, where the command is known whose flag it is not
            self.error(f"unknown argument {unknown[0]}{_meant(unknown[0], self._option_string_actions)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"argument (?:COMMAND|WHAT): invalid choice: '(.*)' \(choose from (.*)\)$", message, re.DOTALL)
        if unknown:
            known = re.findall(r"'([^']+)'", unknown[2])
            message = f"there is no command {unknown[1]}{_meant(unknown[1], known)}"
        self.exit(2, f"{self.prog}: {message}\n`{self.prog} --help` explains what it takes\n")


def _meant(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def parser() -> argparse.ArgumentParser:
    """The command line, complete; `docs/` and completion can be made from it."""
    root = _Parser(
        prog="observatory",
        description="Receives OpenTelemetry from LLM applications, stores it in columns on this machine, and shows what they do,\n"
        "cost and get wrong. Without a command it serves, with sensible defaults; flags are then those of `serve`.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 fine, 1 it found something wrong, 2 it could not start and one sentence on stderr says why."""
    args = parser().parse_args(_completed(sys.argv[1:] if arguments is None else arguments))
    try:
        return args.run(args)
    except BadConfig as error:
        source = str(error).removesuffix("; ".join(error.mistakes))
        for mistake in error.mistakes:
            print(f"observatory: {source}{mistake}", file=sys.stderr)
        return 2
    except CannotStart as error:
        print(f"observatory: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if program.frozen() or error.name is None or error.name.partition(".")[0] == "observatory":
            raise
        print(
            f"observatory: this command needs the server's parts ({error.name} is missing): pip install 'llm-observatory[server]'",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `observatory query … | head`
        sys.stderr.close()
        return 141


def _completed(given: Sequence[str]) -> Sequence[str]:
    """`observatory` and `observatory --data DIR` serve; `observatory help COMMAND` is `observatory COMMAND --help`."""
    if given and given[0] == "help":
        return [*given[1:], "--help"]
    named = bool(given) and (not given[0].startswith("-") or given[0] in ("-h", "--help", "--version"))
    return given if named else ["serve", *given]


if __name__ == "__main__":
    sys.exit(main())
