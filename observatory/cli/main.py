"""The `observatory` command. One file a command; what a command needs is imported when it runs, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from observatory.cli import calls, config, cost, demo, doctor, feedback, prices, query, serve, service, traces, verify
from observatory.errors import BadConfig, CannotStart
from observatory.model import program

COMMANDS = (serve, demo, query, cost, traces, calls, feedback, prices, doctor, config, service, verify)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from importlib.metadata import version

        print("observatory", version("llm-observatory"))
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The command line, complete; `docs/` and completion can be made from it."""
    root = argparse.ArgumentParser(
        prog="observatory",
        description="Receives OpenTelemetry from LLM applications, stores it in columns on this machine, and shows it.",
        epilog="Start with `observatory serve`, or `observatory demo` to see a living one.",
    )
    root.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 fine, 1 it found something wrong, 2 it could not start and one sentence on stderr says why."""
    args = parser().parse_args(arguments)
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


if __name__ == "__main__":
    sys.exit(main())
